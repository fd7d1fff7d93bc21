import { expect, test } from 'vitest';
import { onAbort } from '#environment/abortListeners';

test('every listener is called once; the signal itself has only one', () => {
  const controller = new AbortController();
  let registered = 0;
  const add = controller.signal.addEventListener.bind(controller.signal);
  controller.signal.addEventListener = (...rest: Parameters<typeof add>) => {
    registered += 1;
    add(...rest);
  };
  const calls: number[] = [];
  for (let index = 0; index < 20; index += 1) onAbort(controller.signal, () => calls.push(index));
  controller.abort();
  controller.abort();
  expect(registered).toBe(1);
  expect(calls).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test('a listener that was taken away is not called; its twin is', () => {
  const controller = new AbortController();
  let calls = 0;
  const listener = (): void => {
    calls += 1;
  };
  const remove = onAbort(controller.signal, listener);
  onAbort(controller.signal, listener);
  remove();
  remove();
  controller.abort();
  expect(calls).toBe(1);
});

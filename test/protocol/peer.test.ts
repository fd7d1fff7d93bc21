import { expect, test, vi } from 'vitest';
import { AbortError, Peer, RemoteError } from '#protocol/peer';
import type { Channel, Handlers } from '#protocol/peer';

type Requests = {
  double: { params: { value: number }; result: number };
  fail: { params: null; result: never };
  wait: { params: null; result: string };
};
type Client = {
  calls: Requests;
  serves: Record<never, never>;
  emits: Record<never, never>;
  hears: { tick: number };
};
type Server = {
  calls: Record<never, never>;
  serves: Requests;
  emits: { tick: number };
  hears: Record<never, never>;
};

/** Two channels joined by structured clones, delivered in order on later turns. */
function createPair(): [Channel, Channel] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (own: number): Channel => ({
    send: (message) => {
      const copy = structuredClone(message);
      queueMicrotask(() => listeners[1 - own].forEach((listener) => listener(copy)));
    },
    onMessage: (listener) => listeners[own].push(listener),
  });
  return [end(0), end(1)];
}

function connect(overrides: Partial<Handlers<Requests>> = {}) {
  const [a, b] = createPair();
  const client = new Peer<Client>(a, {}, AbortController);
  const handlers: Handlers<Requests> = {
    double: async ({ value }) => value * 2,
    fail: async () => {
      throw Object.assign(new Error('no disk'), { code: 'diskFull' });
    },
    wait: (_params, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true })),
    ...overrides,
  };
  return { client, server: new Peer<Server>(b, handlers, AbortController) };
}

test('a request is answered with the result', async () => {
  const { client } = connect();
  expect(
    await Promise.all([client.request('double', { value: 2 }), client.request('double', { value: 5 })]),
  ).toEqual([4, 10]);
});

test('an error keeps its code and message', async () => {
  const { client } = connect();
  const failure = await client.request('fail', null).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RemoteError);
  expect(failure).toMatchObject({ code: 'diskFull', message: 'no disk' });
});

test('an unknown method is answered, not left hanging', async () => {
  const { client } = connect();
  const untyped = client as unknown as { request(method: string, params: unknown): Promise<unknown> };
  await expect(untyped.request('nonsense', {})).rejects.toThrow(/Unknown request "nonsense"/);
});

test('cancelling rejects at once and aborts the handler', async () => {
  const stopped = vi.fn();
  const { client } = connect({
    wait: (_params, { signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => (stopped(), resolve('x')), { once: true }),
      ),
  });
  const controller = new AbortController();
  const answer = client.request('wait', null, controller.signal);
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  await expect(answer).rejects.toBeInstanceOf(AbortError);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(stopped).toHaveBeenCalledOnce();
});

test('a request with an aborted signal is never sent', async () => {
  const handler = vi.fn(async () => 0);
  const { client } = connect({ double: handler });
  await expect(client.request('double', { value: 1 }, AbortSignal.abort())).rejects.toBeInstanceOf(
    AbortError,
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(handler).not.toHaveBeenCalled();
});

test('closing rejects what is pending and what comes later', async () => {
  const { client } = connect();
  const pending = client.request('wait', null);
  client.close(new Error('the worker ended (exit code 1)'));
  await expect(pending).rejects.toThrow('exit code 1');
  await expect(client.request('double', { value: 1 })).rejects.toThrow('exit code 1');
});

test('events arrive in order until disposed', async () => {
  const { client, server } = connect();
  const heard: number[] = [];
  const subscription = client.on('tick', (value) => heard.push(value));
  server.emit('tick', 1);
  server.emit('tick', 2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  subscription.dispose();
  server.emit('tick', 3);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(heard).toEqual([1, 2]);
});

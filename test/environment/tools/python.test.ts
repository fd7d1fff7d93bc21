import { expect, test } from 'vitest';
import type { PythonResult } from '#environment/tools/python';
import { createPythonTool } from '#environment/tools/python';

const signal = new AbortController().signal;

function toolWith(result: Partial<PythonResult>): ReturnType<typeof createPythonTool> {
  const run = async (): Promise<PythonResult> => ({
    stdout: '',
    stderr: '',
    isError: false,
    isTimeout: false,
    ...result,
  });
  return createPythonTool({ run }, { timeoutMs: 1000 });
}

test('shows what was printed, stripped; what went to stderr besides is not shown', async () => {
  expect(await toolWith({ stdout: '\n 42 \n', stderr: 'DeprecationWarning' }).call('x', signal)).toBe('42');
});

test('a program that prints nothing has an empty output', async () => {
  expect(await toolWith({}).call('x', signal)).toBe('');
});

test('an exception is a failed call that shows the whole traceback and is summed up by its last line', async () => {
  const stderr = 'Traceback (most recent call last):\n  File "<string>"\nNameError: name x\n';
  await expect(
    toolWith({ stdout: 'partial', stderr, isError: true }).call('x', signal),
  ).rejects.toMatchObject({
    message: stderr.trim(),
    summary: 'NameError: name x',
    isTransient: false,
  });
});

test('a failure without a message says so', async () => {
  await expect(toolWith({ isError: true }).call('x', signal)).rejects.toThrow('failed without a message');
});

test('the port gets the code, the time limit and the signal', async () => {
  const seen: unknown[] = [];
  const runner = {
    run: async (code: string, options: unknown): Promise<PythonResult> => {
      seen.push(code, options);
      return { stdout: '', stderr: '', isError: false, isTimeout: false };
    },
  };
  await createPythonTool(runner, { timeoutMs: 250 }).call('print(1)', signal);
  expect(seen).toEqual(['print(1)', { timeoutMs: 250, signal }]);
});

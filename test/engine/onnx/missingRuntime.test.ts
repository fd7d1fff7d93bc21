import { expect, test, vi } from 'vitest';
import { EngineError } from '#engine/engineError';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';

vi.mock('onnxruntime-node', () => {
  throw new Error('libonnxruntime.so.1: cannot open shared object file');
});

test('a native library that does not load is an EngineError that says what to do', async () => {
  const failure = await createOnnxExecutor({ intraOpThreads: 1 }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EngineError);
  expect(failure).toMatchObject({ code: 'engineNotAvailable', cause: expect.anything() });
  expect(String(failure)).toContain(`does not load on ${process.platform}-${process.arch}`);
  expect(String(failure)).toContain('npm install onnxruntime-node');
});

/**
 * Entry of the Python thread: loads Pyodide, closes the thread, then runs one program after another.
 * Bundled on its own; `pyodide` stays external because it finds its files beside itself.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadPyodide } from 'pyodide';
import type { ProgramRequest, ThreadMessage, ThreadSettings } from '#worker/pyodideMessages';
import { sandboxProgram } from '#worker/sandboxProgram';
import { limitWasmMemory, lockDownThread } from '#worker/sandboxLockdown';

type RunProgram = (code: string, outputLimit: number) => string;

async function startPython(settings: ThreadSettings): Promise<RunProgram> {
  limitWasmMemory(settings.memoryLimitBytes);
  const python = await loadPyodide({ env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0', _: 'python' } });
  // The outputs of a program are captured in Python; what bypasses `sys.stdout` has no reader.
  python.setStdin({ stdin: () => null });
  python.setStdout({ write: (bytes) => bytes.length });
  python.setStderr({ write: (bytes) => bytes.length });
  const run: unknown = python.runPython(sandboxProgram, { globals: python.toPy({}), filename: 'sandbox.py' });
  if (typeof run !== 'function') throw new Error('The Python sandbox returned no function.');
  lockDownThread();
  return (code, outputLimit) => String(run(code, outputLimit));
}

function answer(run: RunProgram, request: ProgramRequest): ThreadMessage {
  try {
    const [isError, stdout, stderr] = JSON.parse(run(request.code, request.outputLimit)) as [
      boolean,
      string,
      string,
    ];
    return { kind: 'finished', id: request.id, isError, stdout, stderr };
  } catch (error) {
    return { kind: 'crashed', id: request.id, message: String(error) };
  }
}

async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('pyodideThread must be started as a worker thread.');
  const send = (message: ThreadMessage): void => port.postMessage(message);
  try {
    const run = await startPython(workerData as ThreadSettings);
    port.on('message', (request: ProgramRequest) => send(answer(run, request)));
    send({ kind: 'ready' });
  } catch (error) {
    send({
      kind: 'startFailed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

void serve();

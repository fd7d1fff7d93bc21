/**
 * The `python` tool of ARPO's protocol: runs one program and shows what it printed, or its
 * traceback. Where the program runs is the port's business.
 */
import type { Tool } from '#environment/tool';
import { ToolFailure } from '#environment/tool';

/** What one program left. */
export interface PythonResult {
  readonly stdout: string;
  /** The traceback when `isError`, besides what the program wrote there itself. */
  readonly stderr: string;
  /** Whether the program ended with an exception or an exit status other than 0. */
  readonly isError: boolean;
  /** Whether it was stopped at its time limit; `stderr` then says so. */
  readonly isTimeout: boolean;
}

export interface PythonRunOptions {
  /** Time the program itself may take, ms; waiting for the interpreter does not count. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs Python programs, each in a fresh state. The last statement is printed when it is a bare
 * expression other than `print(...)`, as in a notebook.
 */
export interface PythonRunner {
  /** @throws the signal's reason when cancelled; an Error when Python cannot be started at all. */
  run(code: string, options: PythonRunOptions): Promise<PythonResult>;
}

export interface PythonToolOptions {
  /** Time limit per program, ms; the released value is 120,000. */
  readonly timeoutMs: number;
}

/**
 * The tool as the released code has it: stdout, stripped; or the stripped stderr when the program failed
 * (shown to the model as a failed call).
 */
export function createPythonTool(runner: PythonRunner, options: PythonToolOptions): Tool {
  return {
    name: 'python',
    tag: 'python',
    async call(query, signal) {
      const result = await runner.run(query, { timeoutMs: options.timeoutMs, signal });
      if (!result.isError && !result.isTimeout) return result.stdout.trim();
      const message = result.stderr.trim();
      throw new ToolFailure(message === '' ? 'The program failed without a message.' : message, {
        isTransient: false,
        summary: lastLine(message),
      });
    },
  };
}

/** Of a traceback the line that names the exception. */
function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}

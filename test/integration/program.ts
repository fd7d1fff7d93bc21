/** The command line as people run it: built, in processes of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');

/** Answers `NUM op NUM` at once, where Pyodide takes seconds to start. Same messages, same thread. */
const quickPython = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ id, code }) => {
  const [left, operator, right] = code.split(' ');
  const [first, second] = [Number(left), Number(right)];
  const value = operator === '+' ? first + second : operator === '-' ? first - second : first * second;
  parentPort.postMessage({ kind: 'finished', id, isError: false, stdout: String(value), stderr: '' });
});
parentPort.postMessage({ kind: 'ready' });
`;

/** A build of its own, so that tests and people can use \`dist\` meanwhile. */
export interface TestProgram {
  /** Where runs and files of the test go. */
  readonly folder: string;
  readonly cli: string;
  remove(): void;
}

/** Builds the program beside the sources, where its libraries resolve. */
export function buildProgram({ python }: { readonly python: 'quick' | 'pyodide' }): TestProgram {
  mkdirSync(join(repository, 'out'), { recursive: true });
  const place = mkdtempSync(join(repository, 'out', 'program-'));
  for (const name of ['src', 'media', 'package.json']) symlinkSync(join(repository, name), join(place, name));
  execFileSync(process.execPath, [join(repository, 'scripts', 'build.mjs'), '--quiet'], { cwd: place });
  if (python === 'quick') writeFileSync(join(place, 'dist', 'pyodideThread.js'), quickPython);
  const folder = mkdtempSync(join(tmpdir(), 'arpo-test-'));
  return {
    folder,
    cli: join(place, 'dist', 'cli.js'),
    remove: () => {
      for (const path of [place, folder]) rmSync(path, { recursive: true, force: true });
    },
  };
}

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Everything written so far. */
  output(): string;
  readonly finished: Promise<Finished>;
}

/** Starts the command line in a process group of its own, as a terminal does. */
export function start(program: TestProgram, argumentList: readonly string[]): Running {
  const { INIT_CWD: _folder, ...environment } = process.env;
  const child = spawn(process.execPath, [program.cli, ...argumentList], {
    cwd: program.folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString('utf8')));
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal, ...written }));
  });
  return { child, output: () => written.stdout + written.stderr, finished };
}

export function run(program: TestProgram, ...argumentList: string[]): Promise<Finished> {
  return start(program, argumentList).finished;
}

/** Sends a signal to the whole process group, as Ctrl-C in a terminal does. */
export function signalGroup({ child }: Running, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}

/** The processes that a process started, directly or through others (Linux). */
export function descendantsOf(processId: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)]);
    } catch {
      // It ended while the folder was read.
    }
  }
  const found = children.get(processId) ?? [];
  return found.flatMap((child) => [child, ...descendantsOf(child)]);
}

export function isAlive(processId: number): boolean {
  try {
    // A process that has ended but was not yet reaped is no longer alive.
    return !/\) [ZX] /.test(readFileSync(`/proc/${processId}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the condition holds. */
export async function until(what: string, condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

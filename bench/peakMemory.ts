import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

/** The largest resident memory of a program, bytes. */
export interface PeakMemory {
  readonly main: number;
  /** One per process it started, largest first. */
  readonly children: readonly number[];
}

/** How often new processes are looked for, ms; the peak itself is kept by the system. */
const interval = 100;

/**
 * Runs a Node program to its end and watches its memory.
 *
 * @returns `null` where the system does not tell (only Linux does).
 * @throws Error when the program fails.
 */
export async function measurePeakMemory(argumentList: readonly string[]): Promise<PeakMemory | null> {
  if (process.platform !== 'linux') return null;
  const child = spawn(process.execPath, argumentList, { stdio: ['ignore', 'ignore', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${argumentList.join(' ')} did not start`);
  const peaks = new Map<number, number>();
  const timer = setInterval(() => void watch(pid, peaks), interval);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${argumentList.join(' ')} ended with ${String(code)}`);
  const children = [...peaks].filter(([id]) => id !== pid).map(([, bytes]) => bytes);
  return { main: peaks.get(pid) ?? 0, children: children.toSorted((a, b) => b - a) };
}

async function watch(processId: number, peaks: Map<number, number>): Promise<void> {
  try {
    const status = await readFile(`/proc/${processId}/status`, 'utf8');
    const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
    if (kilobytes !== undefined) peaks.set(processId, Number(kilobytes) * 1024);
    for (const thread of await readdir(`/proc/${processId}/task`)) {
      const list = await readFile(`/proc/${processId}/task/${thread}/children`, 'utf8');
      for (const id of list.split(' ').filter((word) => word !== '')) await watch(Number(id), peaks);
    }
  } catch (error) {
    // It ended while it was looked at; what was seen before stays.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
      throw error;
  }
}

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessTable } from '#runs/runLock';

/** The processes of this machine, as the lock of a run asks for them. */
export const nodeProcessTable: ProcessTable = {
  processId: process.pid,
  hostName: hostname(),
  isProcessAlive(processId) {
    try {
      // Signal 0 only asks whether the process is there.
      process.kill(processId, 0);
      return !isZombie(processId);
    } catch (error) {
      // EPERM: it is there, but belongs to somebody else.
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
};

/**
 * Whether a process is dead but still listed, because its parent has not asked for its end: for good in a
 * container whose first process never asks. Only Linux tells; elsewhere nobody is taken for dead.
 */
function isZombie(processId: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // "id (name) state …"; the name may hold spaces and brackets.
    const status = readFileSync(`/proc/${processId}/stat`, 'latin1');
    return status.slice(status.lastIndexOf(')') + 2).startsWith('Z');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // not readable: the signal's answer stands
    throw error;
  }
}

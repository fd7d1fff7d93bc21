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
      return true;
    } catch (error) {
      // EPERM: it is there, but belongs to somebody else.
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
};

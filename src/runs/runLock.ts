/**
 * `lock.json`: the mark of the one process that writes a run. A process that dies leaves its mark
 * behind; the next writer finds that it is dead and takes over.
 */
import { joinPath, type FileSystem } from '#runs/fileSystem';
import { isStorageError, StorageError } from '#runs/storageError';

/** The port to the processes of this machine. */
export interface ProcessTable {
  /** Of this process. */
  readonly processId: number;
  /** Tells this machine from others that share a disk with it. */
  readonly hostName: string;
  /** Whether a process with this id runs on this machine. */
  isProcessAlive(processId: number): boolean;
}

/** Who writes a run. */
export interface LockHolder {
  readonly processId: number;
  readonly hostName: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface RunLock {
  /** Removes the mark, if it is still this writer's. */
  release(): Promise<void>;
}

interface LockPorts {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  now(): number;
}

/**
 * Marks a run as written by this process.
 *
 * @throws StorageError `locked` when another live process, or one on another machine, has it.
 */
export async function acquireRunLock(ports: LockPorts, folder: string): Promise<RunLock> {
  const { fileSystem, processes } = ports;
  const path = joinPath(folder, 'lock.json');
  const own = lockText({ processId: processes.processId, hostName: processes.hostName, since: ports.now() });
  if (!(await tryCreate(fileSystem, path, own))) {
    await removeStaleLock(ports, path);
    if (!(await tryCreate(fileSystem, path, own))) {
      throw new StorageError('locked', `${path}: another process has just begun to write this run.`);
    }
  }
  return {
    release: async () => {
      if ((await readText(fileSystem, path)) === own) await fileSystem.remove(path);
    },
  };
}

/** Who writes the run now; `null` when nobody does, or when the process that did is dead. */
export async function runLockHolder(
  fileSystem: FileSystem,
  processes: ProcessTable,
  folder: string,
): Promise<LockHolder | null> {
  const text = await readText(fileSystem, joinPath(folder, 'lock.json'));
  const holder = text === null ? null : parseLock(text);
  return holder === null || isStale(holder, processes) ? null : holder;
}

/** Moves the lock aside before it is judged for good, so that two writers cannot both take it over. */
async function removeStaleLock({ fileSystem, processes }: LockPorts, path: string): Promise<void> {
  const text = await readText(fileSystem, path);
  if (text === null) return;
  const holder = parseLock(text);
  if (holder !== null && !isStale(holder, processes)) throw lockedError(path, holder, processes);
  const aside = `${path}.${processes.processId}`;
  await fileSystem.rename(path, aside);
  if ((await readText(fileSystem, aside)) !== text) {
    await fileSystem.rename(aside, path);
    throw new StorageError('locked', `${path}: another process has just begun to write this run.`);
  }
  await fileSystem.remove(aside);
}

function lockedError(path: string, holder: LockHolder, processes: ProcessTable): StorageError {
  const isHere = holder.hostName === processes.hostName;
  const who = isHere ? `process ${holder.processId}` : `process ${holder.processId} on ${holder.hostName}`;
  return new StorageError(
    'locked',
    `${path}: ${who} is writing this run. Wait for it or stop it; if it does not run any more, delete the file.`,
  );
}

function isStale(holder: LockHolder, processes: ProcessTable): boolean {
  return holder.hostName === processes.hostName && !processes.isProcessAlive(holder.processId);
}

function lockText(holder: LockHolder): string {
  return `${JSON.stringify(holder)}\n`;
}

/** `null` for a lock that its writer did not live to complete. */
function parseLock(text: string): LockHolder | null {
  try {
    const { processId, hostName, since } = JSON.parse(text) as Partial<LockHolder>;
    if (typeof processId !== 'number' || typeof hostName !== 'string' || typeof since !== 'number')
      return null;
    return { processId, hostName, since };
  } catch {
    return null;
  }
}

async function tryCreate(fileSystem: FileSystem, path: string, text: string): Promise<boolean> {
  try {
    await fileSystem.createFile(path, new TextEncoder().encode(text));
    return true;
  } catch (error) {
    if (isStorageError(error, 'alreadyExists')) return false;
    throw error;
  }
}

async function readText(fileSystem: FileSystem, path: string): Promise<string | null> {
  try {
    return new TextDecoder('utf-8').decode(await fileSystem.readFile(path));
  } catch (error) {
    if (isStorageError(error, 'notFound')) return null;
    throw error;
  }
}

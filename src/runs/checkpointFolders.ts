/** The folder `checkpoints` of a run: what it is called and how it comes to be whole. */
import { joinPath, type FileSystem } from '#runs/fileSystem';
import { isStorageError } from '#runs/storageError';

/** `weights`: to keep, load or share. `resume`: the newest complete state of the run; only that is kept. */
export type CheckpointPurpose = 'weights' | 'resume';

/** The files of a checkpoint by name. */
export interface CheckpointContent {
  /** Updates completed. */
  readonly update: number;
  readonly purpose: CheckpointPurpose;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const folderPattern = /^(update|resume)-(\d{6})$/;
/** Unfinished folders; a crash may leave one behind, the next save removes it. */
const unfinishedPrefix = 'unfinished-';

/** The name of a checkpoint's folder within `checkpoints`: `update-000008`, `resume-000008`. */
export function checkpointFolderName(purpose: CheckpointPurpose, update: number): string {
  return `${purpose === 'weights' ? 'update' : 'resume'}-${String(update).padStart(6, '0')}`;
}

/**
 * Stores a checkpoint: all files into an unfinished folder, which is then renamed, so that a folder
 * with the final name is complete. Older `resume` checkpoints go when a newer one is there.
 *
 * @returns The folder relative to the run's: `checkpoints/update-000008`.
 * @throws StorageError `diskFull`, …; earlier checkpoints are then untouched.
 */
export async function saveCheckpoint(
  fileSystem: FileSystem,
  runFolder: string,
  { update, purpose, files }: CheckpointContent,
): Promise<string> {
  const parent = joinPath(runFolder, 'checkpoints');
  const name = checkpointFolderName(purpose, update);
  const unfinished = joinPath(parent, unfinishedPrefix + name);
  await fileSystem.remove(unfinished);
  await fileSystem.makeFolder(unfinished);
  for (const [file, bytes] of files) await fileSystem.writeFile(joinPath(unfinished, file), bytes);
  await fileSystem.remove(joinPath(parent, name));
  await fileSystem.rename(unfinished, joinPath(parent, name));
  if (purpose === 'resume') await removeOlderStates(fileSystem, runFolder, update);
  return `checkpoints/${name}`;
}

/** A complete checkpoint of a run. */
export interface StoredCheckpoint {
  readonly update: number;
  readonly purpose: CheckpointPurpose;
  /** The whole path. */
  readonly folder: string;
}

/** All complete checkpoints, by update; empty when the run has none. */
export async function listCheckpoints(
  fileSystem: FileSystem,
  runFolder: string,
): Promise<readonly StoredCheckpoint[]> {
  const parent = joinPath(runFolder, 'checkpoints');
  const entries = await fileSystem.list(parent).catch((error: unknown) => {
    if (isStorageError(error, 'notFound')) return [];
    throw error;
  });
  return entries
    .flatMap(({ name, kind }) => {
      const match = kind === 'folder' ? folderPattern.exec(name) : null;
      if (match === null) return [];
      const purpose: CheckpointPurpose = match[1] === 'update' ? 'weights' : 'resume';
      return [{ update: Number(match[2]), purpose, folder: joinPath(parent, name) }];
    })
    .sort((left, right) => left.update - right.update);
}

/** The newest state a run can be resumed from; `null` when it has stored none. */
export async function newestState(
  fileSystem: FileSystem,
  runFolder: string,
): Promise<StoredCheckpoint | null> {
  const states = (await listCheckpoints(fileSystem, runFolder)).filter(({ purpose }) => purpose === 'resume');
  return states.at(-1) ?? null;
}

async function removeOlderStates(fileSystem: FileSystem, runFolder: string, newest: number): Promise<void> {
  for (const { purpose, update, folder } of await listCheckpoints(fileSystem, runFolder)) {
    if (purpose === 'resume' && update < newest) await fileSystem.remove(folder);
  }
}

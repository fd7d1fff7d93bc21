import { isAbsolute, join, resolve } from 'node:path';
import { readCheckpoint } from '#engine/checkpoint';
import type { Checkpoint, CheckpointFiles } from '#engine/checkpoint';
import { EngineError } from '#engine/engineError';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { joinPath } from '#runs/fileSystem';
import { isStorageError } from '#runs/storageError';

const builtinPrefix = 'builtin:';

/** Where checkpoints are looked for. */
export interface CheckpointPlaces {
  /** The folder of the policies that come with the program. */
  readonly builtinFolder: string;
  /** What relative paths of the configuration are relative to. */
  readonly baseFolder: string;
}

/** The folder that `policy.checkpoint` names. */
export function checkpointFolder(name: string, places: CheckpointPlaces): string {
  if (name.startsWith(builtinPrefix)) return join(places.builtinFolder, name.slice(builtinPrefix.length));
  return isAbsolute(name) ? name : resolve(places.baseFolder, name);
}

/** The files of a checkpoint folder on disk. */
export function checkpointFiles(folder: string): CheckpointFiles {
  return {
    location: folder,
    read: async (name) => await readOrNull(joinPath(folder, name)),
    write: async (name, bytes) => await nodeFileSystem.writeFile(joinPath(folder, name), bytes),
  };
}

/**
 * Reads the checkpoint a run starts from.
 *
 * @throws EngineError `missingCheckpoint` or `wrongCheckpoint`.
 */
export async function openCheckpoint(name: string, places: CheckpointPlaces): Promise<Checkpoint> {
  const folder = checkpointFolder(name, places);
  if ((await nodeFileSystem.status(folder))?.kind !== 'folder') {
    const hint = name.startsWith(builtinPrefix)
      ? `The policy that comes with the program is builtin:directory-hunt.`
      : `policy.checkpoint is a folder with config.json, model.safetensors and tokenizer.json.`;
    throw new EngineError(
      'missingCheckpoint',
      `${folder}: expected a checkpoint folder, found none. ${hint}`,
    );
  }
  return await readCheckpoint(checkpointFiles(folder));
}

/** The bytes of a file, or `null` when there is none. */
export async function readOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await nodeFileSystem.readFile(path);
  } catch (error) {
    if (isStorageError(error, 'notFound')) return null;
    throw error;
  }
}

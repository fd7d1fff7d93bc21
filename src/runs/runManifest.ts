/** `run.json`: what a run is, written once when it is created. */
import { joinPath, type FileSystem } from '#runs/fileSystem';
import { readRecordedConfig, type RunConfig } from '#runs/runConfig';
import { isStorageError, StorageError } from '#runs/storageError';

/** The version of the run format that this program writes, and the latest that it reads. */
export const runFormatVersion = 1;

/** The state of another run that a run began from. */
export interface ParentRun {
  readonly runId: string;
  /** Updates completed in the state that was taken over. */
  readonly update: number;
}

export interface RunManifest {
  readonly formatVersion: number;
  /** The name of the run folder when it was created. */
  readonly id: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly seed: number;
  /** Of the program and its libraries, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly parent: ParentRun | null;
  /** With every default filled in. */
  readonly config: RunConfig;
}

/**
 * The name of a run folder, `<name>-<time>-seed<seed>`, with the time in UTC: `quick-20261123-101500-seed0`.
 *
 * @param createdAt Milliseconds since 1970.
 */
export function runFolderName(run: { name: string; createdAt: number; seed: number }): string {
  const [date, time] = new Date(run.createdAt).toISOString().split('T');
  const moment = `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
  return `${run.name}-${moment}-seed${run.seed}`;
}

/** The text of `run.json`. */
export function formatManifest(manifest: RunManifest): string {
  return `${JSON.stringify({ format: 'arpo-run', ...manifest }, null, 2)}\n`;
}

/**
 * Reads `run.json` of a run folder.
 *
 * @throws StorageError `notARun`, `newerFormat` or `corrupt`.
 */
export async function readManifest(fileSystem: FileSystem, folder: string): Promise<RunManifest> {
  const path = joinPath(folder, 'run.json');
  let bytes: Uint8Array;
  try {
    bytes = await fileSystem.readFile(path);
  } catch (error) {
    if (!isStorageError(error, 'notFound')) throw error;
    throw new StorageError(
      'notARun',
      `${folder}: expected a run folder, but it has no run.json. Choose a folder made by a training run.`,
      { cause: error },
    );
  }
  return parseManifest(new TextDecoder('utf-8').decode(bytes), path);
}

function parseManifest(text: string, path: string): RunManifest {
  const value = parseObject(text, path);
  if (value['format'] !== 'arpo-run') {
    throw new StorageError(
      'notARun',
      `${path}: expected "format": "arpo-run". It belongs to another program.`,
    );
  }
  const version = value['formatVersion'];
  if (typeof version === 'number' && version > runFormatVersion) {
    throw new StorageError(
      'newerFormat',
      `${path}: expected run format ${runFormatVersion} or earlier, got ${version}. Update this program to read the run.`,
    );
  }
  const { config, problems } = readRecordedConfig(value['config']);
  const isSound =
    typeof version === 'number' &&
    typeof value['id'] === 'string' &&
    typeof value['name'] === 'string' &&
    typeof value['createdAt'] === 'string' &&
    typeof value['seed'] === 'number';
  if (!isSound || config === null) {
    const reasons = config === null ? `: ${problems.join('; ')}` : '';
    throw corruptManifest(path, `expected the members of a run manifest${reasons}`);
  }
  // What is not checked member by member is only shown to people.
  const { format: _format, ...manifest } = value;
  return { ...(manifest as unknown as RunManifest), config };
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corruptManifest(path, `expected JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw corruptManifest(path, 'expected a JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function corruptManifest(path: string, message: string): StorageError {
  return new StorageError('corrupt', `${path}: ${message}. Restore the file from a copy of the run.`);
}

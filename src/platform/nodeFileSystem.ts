/** The disk of this machine as the `FileSystem` port. */
import { constants } from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AppendHandle, ByteRange, FileStatus, FileSystem, FolderEntry } from '#runs/fileSystem';
import { StorageError, type StorageErrorCode } from '#runs/storageError';

/** Paths are those of `node:path`; `/` works as a separator on every system. */
export const nodeFileSystem: FileSystem = {
  readFile: (path, range) => translated(path, () => readBytes(path, range)),
  writeFile: (path, bytes) => translated(path, () => replaceFile(path, bytes)),
  createFile: (path, bytes) => translated(path, () => createFile(path, bytes)),
  openAppend: (path) => translated(path, () => openAppend(path)),
  list: (path) => translated(path, () => listFolder(path)),
  status: (path) => translated(path, () => statusOf(path)),
  makeFolder: (path) => translated(path, () => makeFolder(path)),
  rename: (from, to) => translated(from, () => renameSynced(from, to)),
  remove: (path) => translated(path, () => rm(path, { recursive: true, force: true })),
};

/** Distinguishes the temporary files of this process. */
let temporaryFiles = 0;

async function readBytes(path: string, range: ByteRange | undefined): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const offset = range?.offset ?? 0;
    const bytes = new Uint8Array(Math.max(0, Math.min(range?.length ?? size, size - offset)));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await renameSynced(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The bytes are complete before the name exists, so nobody sees a part of them. */
async function createFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await link(temporary, path);
  } catch (error) {
    // Some file systems (FAT, network shares) have no links; then the name comes first.
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorName(error))) throw error;
    await writeAll(path, 'wx', bytes);
  } finally {
    await unlink(temporary);
  }
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  temporaryFiles += 1;
  const temporary = `${path}.${process.pid}-${temporaryFiles}.tmp`;
  try {
    await writeAll(temporary, 'w', bytes);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

async function writeAll(path: string, flags: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, flags);
  try {
    await writeAt(handle, bytes, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function openAppend(path: string): Promise<AppendHandle> {
  // Not the flag 'a': after a cut the position must follow.
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  let length: number;
  try {
    ({ size: length } = await handle.stat());
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    get length() {
      return length;
    },
    write: (bytes) =>
      translated(path, async () => {
        await writeAt(handle, bytes, length);
        length += bytes.length;
      }),
    sync: () => translated(path, () => handle.datasync()),
    truncate: (to) =>
      translated(path, async () => {
        await handle.truncate(to);
        length = to;
      }),
    close: () => translated(path, () => handle.close()),
  };
}

async function listFolder(path: string): Promise<readonly FolderEntry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .map((entry): FolderEntry => ({ name: entry.name, kind: entry.isDirectory() ? 'folder' : 'file' }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

async function statusOf(path: string): Promise<FileStatus | null> {
  try {
    const status = await stat(path);
    return status.isDirectory() ? { kind: 'folder', length: 0 } : { kind: 'file', length: status.size };
  } catch (error) {
    if (errorName(error) === 'ENOENT') return null;
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  await makeParent(dirname(path));
  await mkdir(path);
}

/** A file in the way must not be taken for a folder that is there already. */
async function makeParent(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    if (!['EEXIST', 'ENOTDIR'].includes(errorName(error))) throw error;
    const message = `${path}: expected a folder, or nothing yet, but a file is there or on the way. Choose another place.`;
    throw new StorageError('ioFailed', message, { cause: error });
  }
}

async function renameSynced(from: string, to: string): Promise<void> {
  await rename(from, to);
  // Windows has no handles on folders; its file systems keep renames in order by themselves.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(to), 'r');
  try {
    if ((await lstat(dirname(to))).isDirectory()) await folder.sync();
  } finally {
    await folder.close();
  }
}

async function translated<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storageError(path, error);
  }
}

const codes: Readonly<Record<string, StorageErrorCode>> = {
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
  EEXIST: 'alreadyExists',
  ENOTEMPTY: 'alreadyExists',
  ENOSPC: 'diskFull',
  EDQUOT: 'diskFull',
  EACCES: 'noPermission',
  EPERM: 'noPermission',
  EROFS: 'noPermission',
};

/** What happened to `path` and what to do about it. */
function storageError(path: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codes[errorName(error)] ?? 'ioFailed';
  return new StorageError(code, `${path}: ${explanation(code, error)}`, { cause: error });
}

function explanation(code: StorageErrorCode, error: unknown): string {
  const known = explanations[code];
  if (known !== undefined) return known;
  const reason = error instanceof Error ? error.message : String(error);
  return `the disk reported "${reason}". Check the disk and try again.`;
}

const explanations: Readonly<Partial<Record<StorageErrorCode, string>>> = {
  notFound: 'expected a file or folder, got nothing there. Check the path.',
  alreadyExists: 'expected nothing there yet, got an existing file or folder. Choose another name.',
  diskFull:
    'no space is left on the disk (or within the quota). Free some space, then go on from what was stored.',
  noPermission: 'not allowed by the system. Check the permissions, and whether the disk is read-only.',
};

function errorName(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * The port through which runs reach a disk. Paths are opaque strings that may be extended with
 * `joinPath`. Every method rejects with a `StorageError` and with nothing else.
 */

/** Part of a file, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface FileStatus {
  readonly kind: 'file' | 'folder';
  /** Bytes; 0 for folders. */
  readonly length: number;
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
}

/** A file open for appending. One writer at a time. */
export interface AppendHandle {
  /** Bytes of the file now. */
  readonly length: number;
  /** Resolves when all bytes are handed to the operating system. A failure may leave a part of them. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written survives a loss of power. */
  sync(): Promise<void>;
  /** Cuts the file to `length` bytes, which must not exceed its present length. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /**
   * The bytes of a file, or of a part of it; shorter than asked for when the file ends earlier.
   *
   * @throws StorageError `notFound`.
   */
  readFile(path: string, range?: ByteRange): Promise<Uint8Array>;
  /** Replaces a file in one step: readers see the old bytes or all of the new ones. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file that must not exist yet. @throws StorageError `alreadyExists`. */
  createFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens a file for appending, and creates it when there is none. */
  openAppend(path: string): Promise<AppendHandle>;
  /** The entries of a folder, sorted by name. @throws StorageError `notFound`. */
  list(path: string): Promise<readonly FolderEntry[]>;
  /** `null` when there is nothing at `path`. */
  status(path: string): Promise<FileStatus | null>;
  /** Makes a folder and its parents. @throws StorageError `alreadyExists` when `path` itself is there. */
  makeFolder(path: string): Promise<void>;
  /** Moves a file or folder; a file at `to` is replaced. @throws StorageError `notFound`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all it holds. Nothing there is not an error. */
  remove(path: string): Promise<void>;
}

/** The path of `name` inside `folder`; `name` may have several parts joined by `/`. */
export function joinPath(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

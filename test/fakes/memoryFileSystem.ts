/**
 * A disk in memory that can run full or be killed at any byte. Every byte written costs one unit of
 * the budget, and so does every other change (rename, truncate, remove, make folder).
 */
import type { AppendHandle, ByteRange, FileStatus, FileSystem, FolderEntry } from '#runs/fileSystem';
import { StorageError } from '#runs/storageError';

/** What happens when the budget is used up: an error to the program, or the end of the program. */
type Ending = 'diskFull' | 'kill';

/** Thrown to the code under test after a kill; whatever it does then has no effect. */
export class Killed extends Error {}

/** One change and when it began; `apply` carries out as many of its units as are given. */
interface Change {
  readonly start: number;
  readonly units: number;
  apply(disk: MemoryFileSystem, units: number): void;
}

export class MemoryFileSystem implements FileSystem {
  readonly files: Map<string, Uint8Array>;
  readonly folders: Set<string>;
  /** Units used so far. */
  used = 0;
  #budget = Infinity;
  #ending: Ending = 'diskFull';
  readonly #journal: Change[] = [];

  constructor(source?: MemoryFileSystem) {
    this.files = new Map([...(source?.files ?? [])].map(([path, bytes]) => [path, bytes.slice()]));
    this.folders = new Set(source?.folders);
  }

  /** Lets the next `units` pass, then ends in the given way. */
  limit(units: number, ending: Ending): void {
    this.#budget = this.used + units;
    this.#ending = ending;
  }

  /** What is on the disk, with no limit any more. */
  survivors(): MemoryFileSystem {
    return new MemoryFileSystem(this);
  }

  /**
   * What kills would have left behind of what happened here to a disk that began as `source`.
   *
   * @yields The disk after a kill at `from`, `from + 1`, … units.
   */
  *killPoints(source: MemoryFileSystem, from: number): Generator<{ units: number; disk: MemoryFileSystem }> {
    const before = source.survivors();
    let next = 0;
    for (let units = from; units <= this.used; units += 1) {
      for (let change = this.#journal[next]; change !== undefined; change = this.#journal[next]) {
        if (change.start + change.units > units) break;
        change.apply(before, change.units);
        next += 1;
      }
      const disk = before.survivors();
      const change = this.#journal[next];
      if (change !== undefined && change.start < units) change.apply(disk, units - change.start);
      yield { units, disk };
    }
  }

  /** Uses up to `units`; @returns how many may still be carried out. */
  #spend(units: number): number {
    const allowed = Math.max(0, Math.min(units, this.#budget - this.used));
    this.used += allowed;
    return allowed;
  }

  #fail(path: string): never {
    if (this.#ending === 'kill') throw new Killed('killed');
    throw new StorageError('diskFull', `${path}: no space is left on the disk.`);
  }

  #change(path: string, change: (disk: MemoryFileSystem) => void): void {
    this.#journal.push({ start: this.used, units: 1, apply: change });
    if (this.#spend(1) < 1) this.#fail(path);
    change(this);
  }

  #append(path: string, bytes: Uint8Array): void {
    const own = bytes.slice();
    this.#journal.push({
      start: this.used,
      units: own.length,
      apply: (disk, units) => disk.files.set(path, joined(disk.files.get(path), own.subarray(0, units))),
    });
    const count = this.#spend(own.length);
    this.files.set(path, joined(this.files.get(path), own.subarray(0, count)));
    if (count < own.length) this.#fail(path);
  }

  #file(path: string): Uint8Array {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new StorageError('notFound', `${path}: nothing there.`);
    return bytes;
  }

  #requireParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (!this.folders.has(parent)) throw new StorageError('notFound', `${parent}: nothing there.`);
  }

  async readFile(path: string, range?: ByteRange): Promise<Uint8Array> {
    const bytes = this.#file(path);
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length);
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    this.#requireParent(path);
    const temporary = `${path}.tmp`;
    this.#change(path, ({ files }) => files.set(temporary, new Uint8Array(0)));
    this.#append(temporary, bytes);
    await this.rename(temporary, path);
  }

  async createFile(path: string, bytes: Uint8Array): Promise<void> {
    this.#requireParent(path);
    if (this.files.has(path)) throw new StorageError('alreadyExists', `${path}: is there.`);
    await this.writeFile(path, bytes);
  }

  async openAppend(path: string): Promise<AppendHandle> {
    this.#requireParent(path);
    if (!this.files.has(path)) this.#change(path, ({ files }) => files.set(path, new Uint8Array(0)));
    const length = (): number => this.#file(path).length;
    return {
      get length() {
        return length();
      },
      write: async (bytes) => this.#append(path, bytes),
      sync: async () => undefined,
      truncate: async (to) =>
        this.#change(path, (disk) => disk.files.set(path, disk.#file(path).slice(0, to))),
      close: async () => undefined,
    };
  }

  async list(path: string): Promise<readonly FolderEntry[]> {
    if (!this.folders.has(path)) throw new StorageError('notFound', `${path}: nothing there.`);
    const names = (paths: Iterable<string>): string[] =>
      [...paths]
        .filter((one) => one.slice(0, one.lastIndexOf('/')) === path)
        .map((one) => one.slice(path.length + 1));
    const entries: FolderEntry[] = [
      ...names(this.folders).map((name): FolderEntry => ({ name, kind: 'folder' })),
      ...names(this.files.keys()).map((name): FolderEntry => ({ name, kind: 'file' })),
    ];
    return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  async status(path: string): Promise<FileStatus | null> {
    if (this.folders.has(path)) return { kind: 'folder', length: 0 };
    const bytes = this.files.get(path);
    return bytes === undefined ? null : { kind: 'file', length: bytes.length };
  }

  async makeFolder(path: string): Promise<void> {
    if (this.folders.has(path) || this.files.has(path)) {
      throw new StorageError('alreadyExists', `${path}: is there.`);
    }
    this.#change(path, ({ folders }) => {
      const parts = path.split('/');
      parts.forEach((_, index) => folders.add(parts.slice(0, index + 1).join('/')));
    });
  }

  async rename(from: string, to: string): Promise<void> {
    if (!this.files.has(from) && !this.folders.has(from)) {
      throw new StorageError('notFound', `${from}: nothing there.`);
    }
    const moved = (path: string): boolean => path === from || path.startsWith(`${from}/`);
    this.#change(to, ({ files, folders }) => {
      for (const [path, bytes] of [...files].filter(([one]) => moved(one))) {
        files.delete(path);
        files.set(to + path.slice(from.length), bytes);
      }
      for (const path of [...folders].filter(moved)) {
        folders.delete(path);
        folders.add(to + path.slice(from.length));
      }
    });
  }

  async remove(path: string): Promise<void> {
    this.#change(path, ({ files, folders }) => {
      for (const file of files.keys()) {
        if (file === path || file.startsWith(`${path}/`)) files.delete(file);
      }
      for (const folder of folders) {
        if (folder === path || folder.startsWith(`${path}/`)) folders.delete(folder);
      }
    });
  }
}

function joined(start: Uint8Array | undefined, end: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((start?.length ?? 0) + end.length);
  bytes.set(start ?? []);
  bytes.set(end, start?.length ?? 0);
  return bytes;
}

/**
 * Writes one run: the only code that changes a run folder. Every batch of events goes to the columns
 * first, then to the log, then to the index, so that a line never refers to numbers that are not
 * there. After a failure the writer is closed for good; what was acknowledged stays readable.
 */
import { columnFiles, columnNames, emptyColumns, requireLittleEndian, type ColumnName } from '#runs/columns';
import { encodeEvents, type EncodedBatch, type LogPosition } from '#runs/eventEncoder';
import { fileLength, runFiles } from '#runs/eventFiles';
import { joinPath, type AppendHandle, type FileSystem } from '#runs/fileSystem';
import type { RunConfig } from '#runs/runConfig';
import type { NewRunEvent } from '#runs/runEvent';
import { decodeIndexRecords, encodeIndexRecords, indexRecordBytes, type IndexRecord } from '#runs/runIndex';
import { acquireRunLock, type ProcessTable, type RunLock } from '#runs/runLock';
import {
  formatManifest,
  readManifest,
  runFolderName,
  runFormatVersion,
  type ParentRun,
  type RunManifest,
} from '#runs/runManifest';
import { checkRun, corruptEvents } from '#runs/runRecovery';
import { isStorageError, StorageError } from '#runs/storageError';

/** What a writer needs of the world. */
export interface RunPorts {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What a run is created from. */
export interface NewRun {
  /** The folder that run folders are made in. */
  readonly runsFolder: string;
  readonly config: RunConfig;
  /** Of the program and its libraries, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly parent: ParentRun | null;
}

/** What reopening a run took away: bytes that were written but never acknowledged. */
export interface Recovery {
  readonly eventBytesCut: number;
  /** Whole lines among them, whose numbers had not reached the disk. */
  readonly linesCut: number;
  readonly columnBytesCut: number;
  /** Why there was something to cut; `null` when every line was sound. */
  readonly reason: string | null;
}

/** Events after which everything is made to survive a loss of power: a few per update. */
const milestones: ReadonlySet<string> = new Set<NewRunEvent['kind']>([
  'runStarted',
  'policyUpdated',
  'checkpointSaved',
  'runPaused',
  'runStopped',
  'runFinished',
  'runFailed',
]);

/** The writer of one run. Its calls may overlap; they are carried out in order. */
export class RunStore {
  readonly folder: string;
  readonly manifest: RunManifest;
  readonly #ports: RunPorts;
  readonly #lock: RunLock;
  readonly #handles = new Map<string, AppendHandle>();
  #position: LogPosition;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: StorageError | null = null;
  #isClosed = false;

  private constructor(
    ports: RunPorts,
    run: { folder: string; manifest: RunManifest; lock: RunLock; position: LogPosition },
  ) {
    this.#ports = ports;
    this.folder = run.folder;
    this.manifest = run.manifest;
    this.#lock = run.lock;
    this.#position = run.position;
  }

  /**
   * Makes the folder of a new run, `<name>-<time>-seed<seed>` and a number when that is taken.
   *
   * @throws StorageError `diskFull`, `noPermission`, …
   */
  static async create(ports: RunPorts, run: NewRun): Promise<RunStore> {
    requireLittleEndian();
    const { config, versions, parent } = run;
    const createdAt = ports.now();
    const id = await makeRunFolder(ports.fileSystem, run, createdAt);
    const folder = joinPath(run.runsFolder, id);
    const manifest: RunManifest = {
      formatVersion: runFormatVersion,
      id,
      name: config.name,
      createdAt: new Date(createdAt).toISOString(),
      seed: config.seed,
      versions,
      parent,
      config,
    };
    const lock = await acquireRunLock(ports, folder);
    try {
      await ports.fileSystem.makeFolder(joinPath(folder, runFiles.columns));
      const text = new TextEncoder().encode(formatManifest(manifest));
      await ports.fileSystem.writeFile(joinPath(folder, 'run.json'), text);
    } catch (error) {
      await lock.release();
      throw error;
    }
    const position = { sequence: 0, eventBytes: 0, columnLengths: emptyColumns, isSynced: false };
    return new RunStore(ports, { folder, manifest, lock, position });
  }

  /**
   * Opens a run to append to it. Checks all of it, cuts a torn tail and mends the index.
   *
   * @throws StorageError `locked`, `notARun`, `newerFormat`, or `corrupt` with the position of damage
   *   that is not a torn tail; then nothing is changed.
   */
  static async openForResume(
    ports: RunPorts,
    folder: string,
  ): Promise<{ store: RunStore; recovery: Recovery }> {
    requireLittleEndian();
    const { fileSystem } = ports;
    const manifest = await readManifest(fileSystem, folder);
    const lock = await acquireRunLock(ports, folder);
    let store: RunStore | null = null;
    try {
      const { position, index, damage, soundLinesAfter, isCorrupt } = await checkRun(fileSystem, folder);
      if (damage !== null && isCorrupt) throw corruptEvents(folder, damage);
      store = new RunStore(ports, { folder, manifest, lock, position });
      const cut = await store.#cutTail(index);
      return { store, recovery: { ...cut, linesCut: soundLinesAfter, reason: damage?.message ?? null } };
    } catch (error) {
      await (store?.close() ?? lock.release());
      throw error;
    }
  }

  /** Lines written so far. */
  get lines(): number {
    return this.#position.sequence;
  }

  /**
   * Appends events. Resolves when all of them are handed to the operating system: from then on they
   * survive the death of this process, and after `sync` that of the machine.
   *
   * @throws RangeError for NaN, infinities and arrays of the wrong length; nothing is written then.
   * @throws StorageError when writing failed; every later call is refused with `closed`.
   */
  append(events: readonly NewRunEvent[]): Promise<void> {
    return this.#enqueue(async () => {
      const batch = encodeEvents(this.#position, events, this.#ports.now());
      await this.#guarded(() => this.#write(batch));
      this.#position = batch.position;
      if (events.some(({ kind }) => milestones.has(kind))) await this.#guarded(() => this.#sync());
    });
  }

  /** Resolves when everything appended before survives a loss of power. */
  sync(): Promise<void> {
    return this.#enqueue(() => this.#guarded(() => this.#sync()));
  }

  /** Ends writing, after what was appended before, and frees the run for others. May be called again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue;
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    try {
      for (const handle of handles) await handle.close();
    } finally {
      await this.#lock.release();
    }
  }

  /** Runs `action` after all earlier ones, whether those failed or not. */
  #enqueue(action: () => Promise<void>): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError(this.folder, null));
    const result = this.#queue.then(() => {
      if (this.#failure !== null) throw closedError(this.folder, this.#failure);
      return action();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const isKnown = error instanceof StorageError;
      this.#failure = isKnown ? error : new StorageError('ioFailed', String(error), { cause: error });
      throw this.#failure;
    }
  }

  async #sync(): Promise<void> {
    // The log last: what it refers to must be there before it is.
    const names = [...this.#handles.keys()].filter((name) => name !== runFiles.events);
    for (const name of [...names, runFiles.events]) await this.#handles.get(name)?.sync();
    this.#position = { ...this.#position, isSynced: true };
  }

  async #write(batch: EncodedBatch): Promise<void> {
    for (const [name, bytes] of batch.columns) await (await this.#column(name)).write(bytes);
    if (batch.events.length === 0) return;
    await (await this.#handle(runFiles.events)).write(batch.events);
    await (await this.#handle(runFiles.index)).write(encodeIndexRecords(batch.index));
  }

  #column(name: ColumnName): Promise<AppendHandle> {
    return this.#handle(columnFiles[name].file);
  }

  async #handle(file: string): Promise<AppendHandle> {
    const open = this.#handles.get(file);
    if (open !== undefined) return open;
    const handle = await this.#ports.fileSystem.openAppend(joinPath(this.folder, file));
    this.#handles.set(file, handle);
    return handle;
  }

  /** Cuts all files to the position of the store and completes the index. */
  async #cutTail(index: readonly IndexRecord[]): Promise<Pick<Recovery, 'eventBytesCut' | 'columnBytesCut'>> {
    const { eventBytes, columnLengths } = this.#position;
    const eventBytesCut = await this.#cut(runFiles.events, eventBytes);
    let columnBytesCut = 0;
    for (const name of columnNames) {
      const { file, elementBytes } = columnFiles[name];
      columnBytesCut += await this.#cut(file, columnLengths[name] * elementBytes);
    }
    await this.#mendIndex(index);
    return { eventBytesCut, columnBytesCut };
  }

  /** @returns The bytes that were cut off. */
  async #cut(file: string, length: number): Promise<number> {
    const path = joinPath(this.folder, file);
    const excess = (await fileLength(this.#ports.fileSystem, path)) - length;
    if (excess <= 0) return 0;
    await (await this.#handle(file)).truncate(length);
    return excess;
  }

  async #mendIndex(index: readonly IndexRecord[]): Promise<void> {
    const { fileSystem } = this.#ports;
    const path = joinPath(this.folder, runFiles.index);
    const isThere = (await fileSystem.status(path)) !== null;
    const bytes = isThere ? await fileSystem.readFile(path) : new Uint8Array(0);
    const sound = decodeIndexRecords(bytes, this.#position.eventBytes);
    const firstWrong = index.findIndex((record, position) => !isSameRecord(record, sound[position]));
    const kept = firstWrong < 0 ? index.length : firstWrong;
    await this.#cut(runFiles.index, kept * indexRecordBytes);
    if (kept < index.length) {
      await (await this.#handle(runFiles.index)).write(encodeIndexRecords(index.slice(kept)));
    }
  }
}

function isSameRecord(left: IndexRecord, right: IndexRecord | undefined): boolean {
  if (right === undefined) return false;
  return (
    left.offset === right.offset &&
    left.length === right.length &&
    left.sequence === right.sequence &&
    left.kind === right.kind &&
    left.update === right.update &&
    left.group === right.group
  );
}

async function makeRunFolder(fileSystem: FileSystem, run: NewRun, createdAt: number): Promise<string> {
  const { name, seed } = run.config;
  const base = runFolderName({ name, createdAt, seed });
  for (let attempt = 1; ; attempt += 1) {
    const id = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      await fileSystem.makeFolder(joinPath(run.runsFolder, id));
      return id;
    } catch (error) {
      if (!isStorageError(error, 'alreadyExists')) throw error;
    }
  }
}

function closedError(folder: string, cause: StorageError | null): StorageError {
  if (cause === null)
    return new StorageError('closed', `${folder}: the run was closed; open it again to write.`);
  return new StorageError(
    'closed',
    `${folder}: writing stopped after an earlier failure (${cause.message}). What was stored before can be read; resume the run to go on.`,
    { cause },
  );
}

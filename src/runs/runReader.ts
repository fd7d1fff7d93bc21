/**
 * Reads runs without changing them: one group or one kind of event at a time, never the whole run.
 * A run may be read while it is written; what has not been written completely is not seen yet.
 */
import { columnNames, requireLittleEndian } from '#runs/columns';
import { fileLength, readColumnLengths, readRanges, runFiles } from '#runs/eventFiles';
import { decodeLine } from '#runs/eventLine';
import { scanEvents, type Damage, type PlacedLine } from '#runs/eventScanner';
import { joinPath, type FileSystem } from '#runs/fileSystem';
import { replayGroup, type RecordedGroup } from '#runs/recordedGroup';
import type { RunEvent, RunEventKind } from '#runs/runEvent';
import { decodeIndexRecords, type IndexRecord } from '#runs/runIndex';
import { readManifest, type RunManifest } from '#runs/runManifest';
import { RunModel } from '#runs/runModel';
import { corruptEvents, indexRecordOf } from '#runs/runRecovery';
import { StorageError } from '#runs/storageError';

/** A recorded event and when it was recorded. */
export interface TimedEvent {
  readonly event: RunEvent;
  readonly sequence: number;
  /** Milliseconds since 1970 by the writer's clock. */
  readonly time: number;
}

/** Which events to read; a member that is left out allows all. */
export interface EventFilter {
  readonly kinds?: readonly RunEventKind[];
  readonly update?: number;
  readonly group?: number;
}

/** Kinds that make up most of a run and that no summary needs. */
const bulkKinds: ReadonlySet<string> = new Set<RunEventKind>([
  'trajectoriesStarted',
  'nodesAdded',
  'branchesDecided',
]);

/** The reader of one run. */
export class RunReader {
  readonly folder: string;
  readonly manifest: RunManifest;
  readonly #fileSystem: FileSystem;
  readonly #records: IndexRecord[] = [];
  /** Update → its records that no `resumed` superseded. */
  readonly #byUpdate = new Map<number, IndexRecord[]>();
  #damages: readonly Damage[] = [];
  #pendingBytes = 0;

  private constructor(fileSystem: FileSystem, folder: string, manifest: RunManifest) {
    this.#fileSystem = fileSystem;
    this.folder = folder;
    this.manifest = manifest;
  }

  /** @throws StorageError `notARun`, `newerFormat` or `corrupt` (manifest only). */
  static async open(fileSystem: FileSystem, folder: string): Promise<RunReader> {
    requireLittleEndian();
    const manifest = await readManifest(fileSystem, folder);
    const reader = new RunReader(fileSystem, folder, manifest);
    await reader.#readIndex();
    await reader.refresh();
    return reader;
  }

  /** Lines that can be read. */
  get lines(): number {
    return this.#records.length;
  }

  /** Damage between readable lines: the lines that stood there are left out. */
  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** Bytes at the end of the log that are no complete line: being written, or torn by the writer's death. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Takes in what was written since the last call.
   *
   * @returns How many lines came in.
   */
  async refresh(): Promise<number> {
    const path = joinPath(this.folder, runFiles.events);
    const last = this.#records.at(-1);
    const offset = last === undefined ? 0 : last.offset + last.length;
    const length = await fileLength(this.#fileSystem, path);
    this.#pendingBytes = length - offset;
    if (length <= offset) return 0;
    const start = { offset, sequence: last === undefined ? 0 : last.sequence + 1 };
    const lines: PlacedLine[] = [];
    let torn: Damage[] = [];
    let damages: readonly Damage[] = [];
    for await (const part of scanEvents(this.#fileSystem, path, start)) {
      if (part.line === null) torn.push(part.damage);
      else {
        lines.push(part.line);
        damages = [...damages, ...torn];
        torn = [];
      }
    }
    const backed = await this.#backedLines(lines);
    for (const line of backed) this.#add(indexRecordOf(line));
    const newest = backed.at(-1);
    if (newest === undefined) return 0;
    this.#damages = [...this.#damages, ...damages.filter((damage) => damage.offset < newest.offset)];
    this.#pendingBytes = length - newest.offset - newest.length;
    return backed.length;
  }

  /** Updates that have events, in ascending order; 0 stands for what preceded the first. */
  updates(): readonly number[] {
    return [...this.#byUpdate.keys()].sort((left, right) => left - right);
  }

  /** Groups of one update, in ascending order. */
  groups(update: number): readonly number[] {
    const started = this.#liveRecords({ update, kinds: ['groupStarted'] });
    return started
      .flatMap(({ group }) => (group === null ? [] : [group]))
      .sort((left, right) => left - right);
  }

  /**
   * Which lines make up a group now: the sequence number of its first one, which is another after the
   * group was done again, and how many there are. `null` when there is no such group.
   */
  groupLines(update: number, group: number): { readonly first: number; readonly count: number } | null {
    const records = this.#liveRecords({ update, group });
    const first = records.find(({ kind }) => kind === 'groupStarted');
    return first === undefined ? null : { first: first.sequence, count: records.length };
  }

  /**
   * The events that pass the filter, in order. Superseded ones are left out, and so are damaged
   * lines, which `damages` then tells of.
   */
  async events(filter: EventFilter): Promise<readonly TimedEvent[]> {
    const found: TimedEvent[] = [];
    for await (const { event, sequence, time } of this.#readSoundLines(this.#liveRecords(filter))) {
      if (event !== null) found.push({ event, sequence, time });
    }
    return found;
  }

  /**
   * One group with its tree and all arrays.
   *
   * @throws StorageError `notFound`, or `corrupt` with the position of the damage.
   */
  async group(update: number, group: number): Promise<RecordedGroup> {
    const records = this.#liveRecords({ update, group });
    if (!records.some(({ kind }) => kind === 'groupStarted')) {
      const known = this.groups(update);
      const expected = known.length === 0 ? 'an update with groups' : `one of the groups ${known.join(', ')}`;
      throw new StorageError(
        'notFound',
        `${this.folder}: expected ${expected}, got group ${group} of update ${update}.`,
      );
    }
    const lines: PlacedLine[] = [];
    for await (const line of this.#readLines(records)) {
      if ('message' in line) throw corruptEvents(this.folder, line);
      lines.push(line);
    }
    return replayGroup(this.#fileSystem, this.folder, lines);
  }

  /** The state of the run: status, metrics, groups. Reads everything but the trees; as `events`. */
  async model(): Promise<RunModel> {
    const model = new RunModel();
    const records = this.#records.filter(({ kind }) => !bulkKinds.has(kind));
    for await (const { event, time } of this.#readSoundLines(records)) {
      if (event !== null) model.apply(event, time);
    }
    return model;
  }

  async #readIndex(): Promise<void> {
    const path = joinPath(this.folder, runFiles.index);
    if ((await this.#fileSystem.status(path)) === null) return;
    const eventBytes = await fileLength(this.#fileSystem, joinPath(this.folder, runFiles.events));
    const records = decodeIndexRecords(await this.#fileSystem.readFile(path), eventBytes);
    const backed = await this.#backedRecords(records);
    for (const record of backed) this.#add(record);
  }

  /** Drops records at the end whose lines are not there, or refer to numbers that are not. */
  async #backedRecords(records: readonly IndexRecord[]): Promise<readonly IndexRecord[]> {
    const newest = records.slice(-tailLines);
    const path = joinPath(this.folder, runFiles.events);
    const parts = await readRanges(this.#fileSystem, path, newest);
    const lines = newest.map((record, index) => placeLine(record, parts[index]));
    const firstUnsound = lines.indexOf(null);
    const sound = lines
      .slice(0, firstUnsound < 0 ? lines.length : firstUnsound)
      .filter((line) => line !== null);
    const backed = await this.#backedLines(sound);
    return records.slice(0, records.length - newest.length + backed.length);
  }

  /** The lines before the first that refers to numbers that have not reached the disk. */
  async #backedLines(lines: readonly PlacedLine[]): Promise<readonly PlacedLine[]> {
    const lengths = await readColumnLengths(this.#fileSystem, this.folder);
    const isBacked = ({ columns }: PlacedLine): boolean =>
      columnNames.every((name) => {
        const chunk = columns[name];
        return chunk === undefined || chunk.offset + chunk.length <= lengths[name];
      });
    const firstUnbacked = lines.findIndex((line) => !isBacked(line));
    return firstUnbacked < 0 ? lines : lines.slice(0, firstUnbacked);
  }

  #add(record: IndexRecord): void {
    this.#records.push(record);
    const { update } = record;
    if (update === null) return;
    if (record.kind === 'resumed') {
      for (const later of [...this.#byUpdate.keys()].filter((key) => key > update))
        this.#byUpdate.delete(later);
      return;
    }
    const records = this.#byUpdate.get(update);
    if (records === undefined) this.#byUpdate.set(update, [record]);
    else records.push(record);
  }

  #liveRecords({ kinds, update, group }: EventFilter): readonly IndexRecord[] {
    const isWanted = (record: IndexRecord): boolean =>
      (group === undefined || record.group === group) &&
      (kinds === undefined || kinds.some((kind) => kind === record.kind));
    if (update !== undefined) return (this.#byUpdate.get(update) ?? []).filter(isWanted);
    const live = new Set([...this.#byUpdate.values()].flat());
    const isLive = (record: IndexRecord): boolean =>
      record.update === null || record.kind === 'resumed' || live.has(record);
    return this.#records.filter((record) => isWanted(record) && isLive(record));
  }

  async *#readSoundLines(records: readonly IndexRecord[]): AsyncGenerator<PlacedLine> {
    for await (const line of this.#readLines(records)) {
      if (!('message' in line)) yield line;
      else if (!this.#damages.some(({ offset }) => offset === line.offset))
        this.#damages = [...this.#damages, line];
    }
  }

  // A limited number of lines at once, so that a long run is never in memory as a whole.
  async *#readLines(records: readonly IndexRecord[]): AsyncGenerator<PlacedLine | Damage> {
    const path = joinPath(this.folder, runFiles.events);
    for (let start = 0; start < records.length; start += linesAtOnce) {
      const batch = records.slice(start, start + linesAtOnce);
      const parts = await readRanges(this.#fileSystem, path, batch);
      for (const [index, record] of batch.entries()) {
        const { offset, length, sequence } = record;
        const message = `expected line ${sequence} with its checksum, got other bytes`;
        yield placeLine(record, parts[index]) ?? { offset, length, message };
      }
    }
  }
}

const linesAtOnce = 512;

/** Lines at the end of the log that are looked at when a run is opened. */
const tailLines = 64;

/** The line that a record speaks of, or `null` when other bytes are there. */
function placeLine(record: IndexRecord, bytes: Uint8Array): PlacedLine | null {
  const { offset, length, sequence } = record;
  if (bytes.length < length) return null;
  const line = decodeLine(bytes.subarray(0, length - 1));
  return line === null || line.sequence !== sequence ? null : { ...line, offset, length };
}

/** The run folders in a folder, by name; other folders are passed over. */
export async function listRuns(fileSystem: FileSystem, runsFolder: string): Promise<readonly string[]> {
  const entries = await fileSystem.list(runsFolder);
  const folders = entries
    .filter(({ kind }) => kind === 'folder')
    .map(({ name }) => joinPath(runsFolder, name));
  const statuses = await Promise.all(
    folders.map((folder) => fileSystem.status(joinPath(folder, 'run.json'))),
  );
  return folders.filter((_, index) => statuses[index] !== null);
}

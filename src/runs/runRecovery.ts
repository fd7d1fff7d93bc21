/**
 * What of a run can be trusted after its writer died: everything up to the first line that is
 * damaged, or whose numbers are not in the columns. What follows is a torn tail, to be cut, unless
 * it was known to be on the disk, in which case the run is corrupt.
 */
import { crc32Text } from '#runs/checksum';
import { columnFiles, columnNames, emptyColumns, type ColumnLengths, type ColumnName } from '#runs/columns';
import { fileLength, runFiles } from '#runs/eventFiles';
import type { LogPosition } from '#runs/eventEncoder';
import type { LineColumns } from '#runs/eventLine';
import { scanEvents, type Damage, type PlacedLine, type ScannedPart } from '#runs/eventScanner';
import { joinPath, type FileSystem } from '#runs/fileSystem';
import { updateOf } from '#runs/runEvent';
import type { IndexRecord } from '#runs/runIndex';
import { StorageError } from '#runs/storageError';

/** What a run holds, checked against every checksum. */
export interface CheckedRun {
  /** Where the next line goes. */
  readonly position: LogPosition;
  readonly index: readonly IndexRecord[];
  /** The first thing that is wrong; `null` when nothing is. */
  readonly damage: Damage | null;
  /** Whole lines after the first one that is damaged. */
  readonly soundLinesAfter: number;
  /** Whether the damage is in what was known to be on the disk. */
  readonly isCorrupt: boolean;
}

/** Reads a whole run and checks it. Changes nothing. */
export async function checkRun(fileSystem: FileSystem, folder: string): Promise<CheckedRun> {
  const columns = new ColumnChecker(fileSystem, folder);
  const index: IndexRecord[] = [];
  let eventBytes = 0;
  let damage: Damage | null = null;
  let soundLinesAfter = 0;
  let isCorrupt = false;
  const path = joinPath(folder, runFiles.events);
  // A writer that died before its first event left no log.
  const isThere = (await fileSystem.status(path)) !== null;
  const parts = isThere ? scanEvents(fileSystem, path, { offset: 0, sequence: 0 }) : [];
  for await (const part of parts) {
    if (damage === null) damage = await problemOf(part, columns);
    else if (part.line !== null) soundLinesAfter += 1;
    if (part.line === null) continue;
    if (damage === null) {
      index.push(indexRecordOf(part.line));
      eventBytes = part.line.offset + part.line.length;
    }
    // A later line that vouches for the damaged one tells that it is no torn tail.
    isCorrupt ||= damage !== null && part.line.isSynced && part.line.offset > damage.offset;
  }
  const position = { sequence: index.length, eventBytes, columnLengths: columns.lengths, isSynced: false };
  return { position, index, damage, soundLinesAfter, isCorrupt };
}

/** The record of a line in the index. */
export function indexRecordOf(line: PlacedLine): IndexRecord {
  const { event, offset, length, sequence } = line;
  return {
    offset,
    length,
    sequence,
    kind: event === null ? 'unknown' : event.kind,
    update: event === null ? null : updateOf(event),
    group: event !== null && 'group' in event ? event.group : null,
  };
}

/** The error for damage that no torn tail explains. */
export function corruptEvents(folder: string, damage: Damage): StorageError {
  return new StorageError(
    'corrupt',
    `${joinPath(folder, runFiles.events)}, byte ${damage.offset}: ${damage.message}. ` +
      'Restore the file from a copy of the run, or cut it at that byte to go on from there.',
  );
}

async function problemOf(part: ScannedPart, columns: ColumnChecker): Promise<Damage | null> {
  return part.line === null ? part.damage : columns.check(part.line);
}

/** Follows the columns in step with the log. Chunks stand one after the other, so they are read in long pieces. */
class ColumnChecker {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  readonly #pieces = new Map<ColumnName, { offset: number; bytes: Uint8Array }>();
  #lengths: ColumnLengths = emptyColumns;

  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
  }

  /** Elements of every column that checked lines refer to. */
  get lengths(): ColumnLengths {
    return this.#lengths;
  }

  /** What is wrong with the columns of a line; when nothing is, they are counted in. */
  async check({ columns, offset, length }: PlacedLine): Promise<Damage | null> {
    const message = await this.#problemOf(columns);
    if (message !== null) return { offset, length, message };
    for (const name of columnNames) {
      const chunk = columns[name];
      if (chunk !== undefined) this.#lengths = { ...this.#lengths, [name]: chunk.offset + chunk.length };
    }
    return null;
  }

  async #problemOf(columns: LineColumns): Promise<string | null> {
    for (const name of columnNames) {
      const chunk = columns[name];
      if (chunk === undefined) continue;
      const { file, elementBytes } = columnFiles[name];
      if (chunk.offset !== this.#lengths[name]) {
        return `expected elements of ${file} from ${this.#lengths[name]}, got ${chunk.offset}`;
      }
      const bytes = await this.#bytes(name, chunk.offset * elementBytes, chunk.length * elementBytes);
      if (bytes.length < chunk.length * elementBytes) {
        const elements = Math.floor(bytes.length / elementBytes);
        return `expected ${chunk.length} elements of ${file} from ${chunk.offset}, got ${elements}`;
      }
      if (crc32Text(bytes) !== chunk.crc32) {
        return `expected ${chunk.length} elements of ${file} from ${chunk.offset} with checksum ${chunk.crc32}, got others`;
      }
    }
    return null;
  }

  async #bytes(name: ColumnName, offset: number, length: number): Promise<Uint8Array> {
    const path = joinPath(this.#folder, columnFiles[name].file);
    let piece = this.#pieces.get(name);
    if (piece === undefined || offset + length > piece.offset + piece.bytes.length) {
      const isThere = (await fileLength(this.#fileSystem, path)) > 0;
      const range = { offset, length: Math.max(length, 1 << 20) };
      piece = { offset, bytes: isThere ? await this.#fileSystem.readFile(path, range) : new Uint8Array(0) };
      this.#pieces.set(name, piece);
    }
    return piece.bytes.subarray(offset - piece.offset, offset - piece.offset + length);
  }
}

/**
 * One line of `events.jsonl`: a JSON object that ends in its own checksum,
 * `{"sequence":3,"time":…,"kind":…,…,"crc32":"89abcdef"}` and a newline. The checksum is that of all
 * bytes before `,"crc32"`.
 */
import { crc32Text } from '#runs/checksum';
import type { ColumnChunk, ColumnName } from '#runs/columns';
import { eventKinds, type RunEvent } from '#runs/runEvent';

const newline = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** `,"crc32":"89abcdef"}`. */
const trailerBytes = 20;

/** What a column gained with a line, by column. */
export type LineColumns = Readonly<Partial<Record<ColumnName, ColumnChunk>>>;

/** A line as it was read. */
export interface EventLine {
  /** Dense from 0, in the order of the log. */
  readonly sequence: number;
  /** Milliseconds since 1970 by the writer's clock. */
  readonly time: number;
  readonly columns: LineColumns;
  /** Whether every line before this one was known to be on the disk when it was written. */
  readonly isSynced: boolean;
  /** `null` when the kind belongs to a later minor version; such lines are to be skipped. */
  readonly event: RunEvent | null;
}

/**
 * A line with its checksum and newline.
 *
 * @param head The members of the line, `sequence`, `time` and `kind` first.
 */
export function encodeLine(head: object): Uint8Array {
  const body = encoder.encode(JSON.stringify(head).slice(0, -1));
  const line = new Uint8Array(body.length + trailerBytes + 1);
  line.set(body);
  line.set(encoder.encode(`,"crc32":"${crc32Text(body)}"}`), body.length);
  line[line.length - 1] = newline;
  return line;
}

/** Whether `bytes` (without the newline) is a line whose checksum agrees. */
export function isSoundLine(bytes: Uint8Array): boolean {
  const end = bytes.length - trailerBytes;
  if (end < 2) return false;
  const trailer = decoder.decode(bytes.subarray(end));
  return trailer === `,"crc32":"${crc32Text(bytes.subarray(0, end))}"}`;
}

/** The content of a line (without the newline), or `null` when its checksum does not agree. */
export function decodeLine(bytes: Uint8Array): EventLine | null {
  if (!isSoundLine(bytes)) return null;
  // The checksum vouches that the writer of this format made the line, hence the shape.
  const value = JSON.parse(decoder.decode(bytes)) as {
    sequence: number;
    time: number;
    synced?: boolean;
    columns?: LineColumns;
    crc32: string;
    kind: RunEvent['kind'];
  };
  const { sequence, time, synced: isSynced = false, columns = {}, crc32: _checksum, ...event } = value;
  const isKnown = eventKinds.includes(value.kind);
  return { sequence, time, isSynced, columns, event: isKnown ? (event as RunEvent) : null };
}

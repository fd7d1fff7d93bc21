/**
 * `index.bin`: where every line of the event log is and what it is about, in records of fixed size,
 * so that one group is found without reading the rest. It can always be made again from the log.
 */
import { crc32 } from '#runs/checksum';
import { eventKinds, type RunEventKind } from '#runs/runEvent';

/** Bytes of a record; see docs/run-format.md. */
export const indexRecordBytes = 32;

export interface IndexRecord {
  /** Bytes from the start of the event log. */
  readonly offset: number;
  /** Bytes of the line, newline included. */
  readonly length: number;
  /** `unknown` for kinds of a later minor version. */
  readonly kind: RunEventKind | 'unknown';
  /** As `updateOf` the event; `null` for events of the run as a whole. */
  readonly update: number | null;
  readonly group: number | null;
  readonly sequence: number;
}

/** `[records · 32]` bytes. */
export function encodeIndexRecords(records: readonly IndexRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.length * indexRecordBytes);
  const view = new DataView(bytes.buffer);
  records.forEach((record, position) => {
    const start = position * indexRecordBytes;
    view.setBigUint64(start, BigInt(record.offset), true);
    view.setUint32(start + 8, record.length, true);
    view.setUint32(start + 12, record.sequence, true);
    view.setInt32(start + 16, record.update ?? -1, true);
    view.setInt32(start + 20, record.group ?? -1, true);
    view.setUint32(start + 24, record.kind === 'unknown' ? 0 : eventKinds.indexOf(record.kind) + 1, true);
    view.setUint32(start + 28, crc32(bytes.subarray(start, start + 28)), true);
  });
  return bytes;
}

/**
 * The records of an index up to the first that is torn, damaged or does not follow the one before.
 * The log decides what is true; an index may only ever be behind it.
 *
 * @param eventBytes Bytes of the event log; records beyond it are dropped.
 */
export function decodeIndexRecords(bytes: Uint8Array, eventBytes: number): IndexRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: IndexRecord[] = [];
  let end = 0;
  for (let start = 0; start + indexRecordBytes <= bytes.length; start += indexRecordBytes) {
    if (view.getUint32(start + 28, true) !== crc32(bytes.subarray(start, start + 28))) break;
    const record = decodeRecord(view, start);
    if (record.offset !== end || record.sequence !== records.length) break;
    end = record.offset + record.length;
    if (end > eventBytes) break;
    records.push(record);
  }
  return records;
}

function decodeRecord(view: DataView, start: number): IndexRecord {
  const update = view.getInt32(start + 16, true);
  const group = view.getInt32(start + 20, true);
  return {
    offset: Number(view.getBigUint64(start, true)),
    length: view.getUint32(start + 8, true),
    sequence: view.getUint32(start + 12, true),
    update: update < 0 ? null : update,
    group: group < 0 ? null : group,
    kind: eventKinds[view.getUint32(start + 24, true) - 1] ?? 'unknown',
  };
}

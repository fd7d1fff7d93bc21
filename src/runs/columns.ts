/**
 * The binary columns of a run: one file per kind of number, only ever appended to. All numbers are
 * little-endian, which is the order of every platform this program runs on.
 */
import { StorageError } from '#runs/storageError';

/** Every column, its file within the run folder and the bytes of one element. */
export const columnFiles = {
  /** Token ids. Aligned with `mask`, `logProbs` and `entropies`: one element per token. */
  tokens: { file: 'columns/tokens.i32', elementBytes: 4 },
  /** 1 = written by the policy, 0 = prompt or tool result. */
  mask: { file: 'columns/mask.u8', elementBytes: 1 },
  /** Nats; 0 where `mask` is 0. */
  logProbs: { file: 'columns/logProbs.f32', elementBytes: 4 },
  /** Nats; 0 where `mask` is 0. */
  entropies: { file: 'columns/entropies.f32', elementBytes: 4 },
  /** `[T, count]` per node that has alternatives. */
  alternativeIds: { file: 'columns/alternativeIds.i32', elementBytes: 4 },
  /** `[T, count]`, nats; −Infinity for a token that the sampling distribution excludes. */
  alternativeLogProbs: { file: 'columns/alternativeLogProbs.f32', elementBytes: 4 },
  /** `[T]` per node that has them: where each token's text ends, UTF-16 units into the node's text. */
  tokenEnds: { file: 'columns/tokenEnds.i32', elementBytes: 4 },
} as const;

export type ColumnName = keyof typeof columnFiles;

/** All column names, in the order in which they are written. */
export const columnNames: readonly ColumnName[] = [
  'tokens',
  'mask',
  'logProbs',
  'entropies',
  'alternativeIds',
  'alternativeLogProbs',
  'tokenEnds',
];

/** Elements per column. */
export type ColumnLengths = Readonly<Record<ColumnName, number>>;

export const emptyColumns: ColumnLengths = {
  tokens: 0,
  mask: 0,
  logProbs: 0,
  entropies: 0,
  alternativeIds: 0,
  alternativeLogProbs: 0,
  tokenEnds: 0,
};

/** What one event line added to a column. `offset` and `length` count elements. */
export interface ColumnChunk {
  readonly offset: number;
  readonly length: number;
  /** Of the chunk's bytes, eight hexadecimal digits. */
  readonly crc32: string;
}

export type ColumnArray = Int32Array | Float32Array | Uint8Array;

/** @throws StorageError on a big-endian platform, where the columns would come out reversed. */
export function requireLittleEndian(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return;
  throw new StorageError(
    'ioFailed',
    'runs: expected a little-endian processor, got a big-endian one; runs cannot be read or written here.',
  );
}

/** The bytes of the arrays, one after the other. */
export function concatenateBytes(arrays: readonly ColumnArray[]): Uint8Array {
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.byteLength, 0));
  let offset = 0;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset += array.byteLength;
  }
  return bytes;
}

/** A copy of elements `[start, start + length)` of a column's bytes, as int32. */
export function int32Elements(bytes: Uint8Array, start: number, length: number): Int32Array {
  return new Int32Array(bytes.slice(start * 4, (start + length) * 4).buffer);
}

/** A copy of elements `[start, start + length)` of a column's bytes, as float32. */
export function float32Elements(bytes: Uint8Array, start: number, length: number): Float32Array {
  return new Float32Array(bytes.slice(start * 4, (start + length) * 4).buffer);
}

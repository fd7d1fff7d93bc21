/**
 * The safetensors format (huggingface/safetensors, README "Format"): an 8-byte little-endian header
 * length, a JSON header `{name: {dtype, shape, data_offsets}}`, then the tensors without gaps.
 */
import { z } from 'zod';
import { EngineError } from '#engine/engineError';
import type { NamedTensor, NamedTensors } from '#engine/policy';

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);
type Header = z.infer<typeof headerSchema>;

/** The format's own limit on the header, against nonsense in the first eight bytes. */
const LARGEST_HEADER = 100_000_000;

/**
 * Writes float32 tensors as one safetensors file, in alphabetical order of their names.
 *
 * @param metadata Text values; `format: "pt"` is added, without which `transformers` refuses a file.
 * @throws RangeError when a shape does not fit its data.
 */
export function encodeSafetensors(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = [...tensors].toSorted(([first], [second]) => (first < second ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } };
  let size = 0;
  for (const [name, { shape, data }] of entries) {
    if (elementCount(shape) !== data.length) {
      throw new RangeError(
        `Tensor ${name}: shape [${shape.join(', ')}] does not hold ${data.length} numbers.`,
      );
    }
    header[name] = { dtype: 'F32', shape, data_offsets: [size, size + data.byteLength] };
    size += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + size).fill(0x20, 8 + json.length, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let offset = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads all tensors of a safetensors file; F16 and BF16 are widened to float32.
 *
 * @param fileName Named in errors.
 * @throws EngineError `wrongCheckpoint` when the file is cut off, is no safetensors file, or holds
 *   another element type.
 */
export function decodeSafetensors(bytes: Uint8Array, fileName: string): NamedTensors {
  const { header, dataStart } = readHeader(bytes, fileName);
  const data = bytes.subarray(dataStart);
  checkOffsets(header, data.length, fileName);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, entry] of Object.entries(header)) {
    tensors.set(name, { shape: entry.shape, data: readTensor(data, entry, `${fileName}: tensor ${name}`) });
  }
  return tensors;
}

/** The text metadata of a safetensors file (`__metadata__`), empty when it has none. */
export function readSafetensorsMetadata(
  bytes: Uint8Array,
  fileName: string,
): Readonly<Record<string, string>> {
  return readHeader(bytes, fileName).metadata;
}

interface HeaderContent {
  readonly header: Header;
  readonly metadata: Readonly<Record<string, string>>;
  /** First byte after the header. */
  readonly dataStart: number;
}

function readHeader(bytes: Uint8Array, fileName: string): HeaderContent {
  if (bytes.length < 8) throw wrong(fileName, `expected at least 8 bytes, but there are ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    throw wrong(fileName, `not a safetensors file: it would begin with a header of ${length} bytes`);
  }
  const dataStart = 8 + length;
  if (dataStart > bytes.length) {
    throw wrong(
      fileName,
      `cut off: the header ends at byte ${dataStart}, but the file has ${bytes.length} bytes`,
    );
  }
  const parsed = z.looseObject({}).safeParse(parseJson(bytes.subarray(8, dataStart), fileName));
  if (!parsed.success) throw wrong(fileName, 'the header is not a JSON object');
  const { __metadata__: metadata, ...rest } = parsed.data;
  const header = headerSchema.safeParse(rest);
  if (!header.success) throw wrong(fileName, `wrong header: ${z.prettifyError(header.error)}`);
  const texts = z.record(z.string(), z.string()).safeParse(metadata ?? {});
  if (!texts.success) throw wrong(fileName, `wrong __metadata__: ${z.prettifyError(texts.error)}`);
  return { header: header.data, metadata: texts.data, dataStart };
}

function parseJson(bytes: Uint8Array, fileName: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw wrong(fileName, 'not a safetensors file: its header is not JSON', error);
  }
}

function checkOffsets(header: Header, dataLength: number, fileName: string): void {
  let end = 0;
  const entries = Object.entries(header).toSorted(
    ([, first], [, second]) => first.data_offsets[0] - second.data_offsets[0],
  );
  for (const [name, { data_offsets: offsets }] of entries) {
    if (offsets[0] !== end || offsets[1] < offsets[0]) {
      throw wrong(fileName, `tensor ${name} lies at [${offsets.join(', ')}], expected it to begin at ${end}`);
    }
    end = offsets[1];
  }
  if (end !== dataLength) {
    const what = end > dataLength ? 'cut off' : 'too long';
    throw wrong(fileName, `${what}: expected ${end} bytes of tensors, but there are ${dataLength}`);
  }
}

function readTensor(bytes: Uint8Array, entry: Header[string], where: string): Float32Array {
  const { dtype, shape, data_offsets: offsets } = entry;
  const elementBytes = dtype === 'F32' ? 4 : dtype === 'F16' || dtype === 'BF16' ? 2 : 0;
  if (elementBytes === 0) {
    throw wrong(where, `element type ${dtype} cannot be read; convert the checkpoint to F32, F16 or BF16`);
  }
  const count = elementCount(shape);
  if (offsets[1] - offsets[0] !== count * elementBytes) {
    throw wrong(
      where,
      `shape [${shape.join(', ')}] of ${dtype} does not fit ${offsets[1] - offsets[0]} bytes`,
    );
  }
  // Copied to an aligned buffer: the header's length decides where the bytes lie in the file.
  const copy = new Uint8Array(count * elementBytes);
  copy.set(bytes.subarray(...offsets));
  if (elementBytes === 4) return new Float32Array(copy.buffer);
  const halves = new Uint16Array(copy.buffer);
  return Float32Array.from(halves, dtype === 'BF16' ? widenBrainFloat : widenHalf);
}

const wideningBits = new Uint32Array(1);
const wideningValue = new Float32Array(wideningBits.buffer);

/** bfloat16 is the upper half of a float32. */
function widenBrainFloat(bits: number): number {
  wideningBits[0] = bits << 16;
  return wideningValue[0];
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function widenHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function wrong(where: string, what: string, cause?: unknown): EngineError {
  return new EngineError('wrongCheckpoint', `${where}: ${what}.`, { cause });
}

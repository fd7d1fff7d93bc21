import { describe, expect, test } from 'vitest';
import { EngineError } from '#engine/engineError';
import type { NamedTensor } from '#engine/policy';
import { decodeSafetensors, encodeSafetensors, readSafetensorsMetadata } from '#engine/safetensors';

const tensors = new Map<string, NamedTensor>([
  ['b', { shape: [2, 3], data: new Float32Array([1, -2, 3.5, 0, Infinity, 1e-45]) }],
  ['a', { shape: [], data: new Float32Array([7]) }],
  ['c', { shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file made by hand from a header and the bytes behind it. */
function fileOf(header: unknown, data: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  bytes[0] = json.length & 0xff;
  bytes[1] = json.length >> 8;
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

describe('round trip', () => {
  test('gives names, shapes and numbers back, in alphabetical order', () => {
    const bytes = encodeSafetensors(tensors, { updates: '3' });
    const read = decodeSafetensors(bytes, 'model.safetensors');
    expect([...read.keys()]).toEqual(['a', 'b', 'c']);
    for (const [name, tensor] of tensors) expect(read.get(name)).toEqual(tensor);
    expect(readSafetensorsMetadata(bytes, 'model.safetensors')).toEqual({ format: 'pt', updates: '3' });
  });

  test('reads from the middle of a larger buffer', () => {
    const bytes = encodeSafetensors(tensors);
    const shifted = Buffer.concat([new Uint8Array(3), bytes]).subarray(3);
    expect(decodeSafetensors(shifted, 'f').get('b')).toEqual(tensors.get('b'));
  });

  test('writes a header that ends at a multiple of eight bytes', () => {
    const bytes = encodeSafetensors(tensors);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(bytes.length).toBe(8 + length + 28);
  });

  test('refuses to write a shape that does not fit', () => {
    const wrong = new Map([['x', { shape: [2, 2], data: new Float32Array(3) }]]);
    expect(() => encodeSafetensors(wrong)).toThrow('Tensor x: shape [2, 2] does not hold 3 numbers');
  });
});

describe('element types', () => {
  function read(dtype: string, bytes: readonly number[]): Float32Array | undefined {
    const header = { x: { dtype, shape: [bytes.length / 2], data_offsets: [0, bytes.length] } };
    return decodeSafetensors(fileOf(header, new Uint8Array(bytes)), 'f').get('x')?.data;
  }

  test('widens F16', () => {
    // 1, −2, 65504 (largest), 2^−24 (smallest), −0, ∞, 1/3 rounded
    const bytes = [0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0x00, 0x80, 0x00, 0x7c, 0x55, 0x35];
    expect(read('F16', bytes)).toEqual(new Float32Array([1, -2, 65504, 2 ** -24, -0, Infinity, 0.33325195]));
    expect(read('F16', [0x01, 0x7e])).toEqual(new Float32Array([Number.NaN]));
  });

  test('widens BF16', () => {
    expect(read('BF16', [0x80, 0x3f, 0x49, 0xc0, 0x80, 0x7f])).toEqual(
      new Float32Array([1, -3.140625, Infinity]),
    );
  });

  test('refuses others by name', () => {
    expect(() => read('I64', [0, 0, 0, 0, 0, 0, 0, 0])).toThrow('element type I64');
  });
});

describe('broken files', () => {
  const good = encodeSafetensors(tensors);
  const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };

  test.each([
    ['empty', new Uint8Array(0), /at least 8 bytes/u],
    ['cut off in the header', good.subarray(0, 20), /cut off: the header ends/u],
    [
      'cut off in the data',
      good.subarray(0, good.length - 1),
      /cut off: expected 28 bytes of tensors, but there are 27/u,
    ],
    ['longer than announced', fileOf({ x: entry }, new Uint8Array(5)), /too long: expected 4 bytes/u],
    [
      'of another format',
      new TextEncoder().encode('PK\u0003\u0004 a zip archive'),
      /not a safetensors file/u,
    ],
    ['with a header that is no JSON', fileOf('{"x"', new Uint8Array(0)), /header is not JSON/u],
    ['with a header that is no object', fileOf('[1]', new Uint8Array(0)), /not a JSON object/u],
    ['with an incomplete entry', fileOf({ x: { dtype: 'F32' } }, new Uint8Array(0)), /wrong header/u],
    [
      'with a gap',
      fileOf({ x: { ...entry, data_offsets: [4, 8] } }, new Uint8Array(8)),
      /expected it to begin at 0/u,
    ],
    [
      'with a wrong shape',
      fileOf({ x: { ...entry, shape: [2] } }, new Uint8Array(4)),
      /tensor x: shape \[2\] of F32/u,
    ],
  ])('are refused when %s', (_, bytes, message) => {
    const act = (): unknown => decodeSafetensors(bytes, 'model.safetensors');
    expect(act).toThrow(EngineError);
    expect(act).toThrow(message);
    expect(act).toThrow(/^model\.safetensors/u);
  });
});

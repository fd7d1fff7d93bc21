import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { crc32, crc32Text } from '#runs/checksum';

test('agrees with the check value of the standard', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32Text(new Uint8Array(0))).toBe('00000000');
});

test.skipIf(zlibCrc32 === undefined)('agrees with zlib', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 37) & 0xff);
  expect(crc32(bytes)).toBe(zlibCrc32(bytes));
});

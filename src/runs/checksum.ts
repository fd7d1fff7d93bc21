/** CRC-32 (ISO-HDLC: zlib, PNG, gzip), reflected polynomial 0xEDB88320. */
const table = makeTable();

function makeTable(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    entries[index] = value >>> 0;
  }
  return entries;
}

/** The CRC-32 of `bytes`, unsigned: `crc32(utf8('123456789'))` is 0xCBF43926. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (let index = 0; index < bytes.length; index += 1) {
    value = (value >>> 8) ^ table[(value ^ bytes[index]) & 0xff];
  }
  return ~value >>> 0;
}

/** A CRC-32 as it stands in files: eight lower-case hexadecimal digits. */
export function crc32Text(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

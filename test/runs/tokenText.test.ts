import { expect, test } from 'vitest';
import { tokenTextEnds } from '#runs/tokenText';

test('words joined by spaces end where the text up to them ends', () => {
  const words = ['find', 'age', 'of', 'Tom'];
  const decode = (tokens: Int32Array): string => [...tokens].map((token) => words[token]).join(' ');
  // "find age of Tom"
  expect([...tokenTextEnds(Int32Array.of(0, 1, 2, 3), decode)]).toEqual([4, 8, 11, 15]);
});

test('a character made of several tokens belongs to the last of them', () => {
  // Byte-level tokens of "aüb": the two bytes of ü show as one replacement character until complete.
  const decode = (tokens: Int32Array): string => new TextDecoder().decode(Uint8Array.from(tokens));
  expect([...tokenTextEnds(Int32Array.of(0x61, 0xc3, 0xbc, 0x62), decode)]).toEqual([1, 2, 2, 3]);
  const emoji = Int32Array.of(0xf0, 0x9f, 0x99, 0x82);
  expect(tokenTextEnds(emoji, decode)[3]).toBe('🙂'.length);
});

test('texts longer than the window come out the same', () => {
  const decode = (tokens: Int32Array): string => [...tokens].map((token) => 'x'.repeat(token)).join(' ');
  const tokens = Int32Array.from({ length: 100 }, (_, index) => 1 + (index % 3));
  const expected = [...tokens].map((_, index) => decode(tokens.subarray(0, index + 1)).length);
  expect([...tokenTextEnds(tokens, decode)]).toEqual(expected);
});

test('no tokens have no ends', () => {
  expect(tokenTextEnds(new Int32Array(0), () => '')).toEqual(new Int32Array(0));
});

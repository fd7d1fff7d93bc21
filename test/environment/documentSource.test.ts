import { expect, test } from 'vitest';
import { DataFileError } from '#environment/dataFile';
import { readDocuments } from '#environment/documentSource';
import { memoryReader } from '../fakes/documentReader';

test('reads the texts of a folder in the order of their names', async () => {
  const reader = memoryReader({ 'd/b.md': '# B\n', 'd/a.txt': 'A', 'd/picture.png': 'x' });
  expect(await readDocuments(reader, 'd')).toEqual([
    { id: 'a.txt', title: 'a', text: 'A' },
    { id: 'b.md', title: 'b', text: '# B' },
  ]);
});

test('reads JSON lines; id and title may be missing, blank lines and a byte-order mark are skipped', async () => {
  const text = '\uFEFF{"text": "one"}\r\n\n{"id": 7, "title": "T", "text": "two"}\n';
  expect(await readDocuments(memoryReader({ 'd.jsonl': text }), 'd.jsonl')).toEqual([
    { id: '1', text: 'one' },
    { id: '7', title: 'T', text: 'two' },
  ]);
});

test.each([
  [
    'not JSON',
    '{"text": "a"}\n{"text": ',
    'd.jsonl, line 2: expected one JSON object per line, but it is not JSON',
  ],
  ['an array', '["a"]', 'd.jsonl, line 1: expected one JSON object per line, got ["a"].'],
  [
    'no text',
    '{"title": "a"}',
    'd.jsonl, line 1: expected "text" to be a text that is not empty, got nothing.',
  ],
  [
    'a blank text',
    '{"text": " "}',
    'd.jsonl, line 1: expected "text" to be a text that is not empty, got " ".',
  ],
  [
    'a list as title',
    '{"text": "a", "title": [1]}',
    'd.jsonl, line 1: expected "title" to be a text, got [1].',
  ],
  [
    'an id twice',
    '{"id":"x","text":"a"}\n{"id":"x","text":"b"}',
    'd.jsonl, line 2: the id "x" is already taken by line 1.',
  ],
  ['nothing', '\n', 'd.jsonl: expected at least one document, but there is none.'],
])('%s is reported with its place', async (_name, text, message) => {
  const reading = readDocuments(memoryReader({ 'd.jsonl': text }), 'd.jsonl');
  await expect(reading).rejects.toBeInstanceOf(DataFileError);
  await expect(reading).rejects.toThrow(message);
});

test('a missing path, an empty text and a file that cannot be read are reported', async () => {
  await expect(readDocuments(memoryReader({}), 'd')).rejects.toThrow(
    'd: expected a folder of .txt or .md files',
  );
  await expect(readDocuments(memoryReader({ 'd/a.txt': '\n' }), 'd')).rejects.toThrow(
    'd/a.txt: expected a text',
  );
  await expect(readDocuments(memoryReader({ 'd/a.png': 'x' }), 'd')).rejects.toThrow('at least one document');
  const broken = { ...memoryReader({ d: '' }), readText: () => Promise.reject(new Error('no permission')) };
  await expect(readDocuments(broken, 'd')).rejects.toThrow('d: cannot be read (no permission).');
});

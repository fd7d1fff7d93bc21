import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const documents = [
  'CONTRIBUTING.md',
  ...readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

describe.each(documents)('%s', (document) => {
  const text = read(document);

  test('names only files and folders that exist', () => {
    const named = text.matchAll(
      /`((?:src|webview|test|scripts|docs|schemas|examples|bench|media)\/[\w./-]+)`/g,
    );
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) =>
      join(dirname(document), path),
    );
    const paths = [...[...named].map(([, path]) => path), ...links];
    expect(paths.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  });

  test('names only scripts that npm can run', () => {
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
      read('package.json'),
    );
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  // Rows of reference tables may be longer there.
  test.skipIf(/run-format|results/.test(document))('has lines of at most 140 characters', () => {
    expect(text.split('\n').filter((line) => line.length > 140)).toEqual([]);
  });
});

test('the layer table of docs/architecture.md is the one that scripts/checkLayers.mjs checks', () => {
  const table = read('scripts/checkLayers.mjs').split('const allowed = {')[1].split('};')[0];
  const checked = [...table.matchAll(/^ {2}(\w+): \[(.*)\],$/gm)].map(([, layer, names]) => [
    layer,
    [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name).toSorted(),
  ]);
  const known = new Set(checked.map(([layer]) => layer));
  const described: [string, string[]][] = [];
  for (const [, layer, cell] of read('docs/architecture.md').matchAll(/^\| (\w+) \| [^|]+ \| ([^|]+) \|/gm)) {
    if (!known.has(layer)) continue; // another table
    const above = described.map(([name]) => name);
    const names = cell === 'all above' ? above : cell.split(', ').filter((name) => name !== '–');
    described.push([layer, names.toSorted()]);
  }
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(checked));
});

test('docs/architecture.md has at most 200 lines, every decision at most 40', () => {
  const lengthOf = (document: string): number => read(document).trimEnd().split('\n').length;
  expect(lengthOf('docs/architecture.md')).toBeLessThanOrEqual(200);
  const long = documents.filter((file) => file.includes('decisions') && lengthOf(file) > 40);
  expect(long).toEqual([]);
});

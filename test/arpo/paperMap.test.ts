import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configNames, schemaAt } from '#runs/configSchema';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${folder}/${path}`, 'utf8');
const page = read('docs/paper-map.md');
const layers = 'arpo|engine|environment|training|worker';

function matchesOf(pattern: RegExp): RegExpMatchArray[] {
  const matches = [...page.matchAll(pattern)];
  expect(matches.length).toBeGreaterThan(20);
  return matches;
}

test('every function of docs/paper-map.md exists', () => {
  const missing = matchesOf(new RegExp(`\`((?:${layers})/[\\w/]+)\\.(\\w+)\``, 'g'))
    .filter(([, , name]) => name !== 'property') // of a test file
    .filter(([, module, name]) => {
      const file = `src/${module}.ts`;
      return !existsSync(`${folder}/${file}`) || !new RegExp(`\\b${name}\\b`).test(read(file));
    })
    .map(([reference]) => reference);
  expect(missing).toEqual([]);
});

test('every test of docs/paper-map.md exists', () => {
  const missing = matchesOf(new RegExp(`\`((?:${layers})/[\\w/.]+)\`\\s“([^”]+)”`, 'g'))
    .filter(([, module, title]) => {
      const file = `test/${module}.test.ts`;
      return !existsSync(`${folder}/${file}`) || !hasTitle(read(file), title);
    })
    .map(([reference]) => reference);
  expect(missing).toEqual([]);
});

test('words in “quotes” are those of a test title', () => {
  const files = readdirSync(`${folder}/test`, { recursive: true, encoding: 'utf8' });
  const tests = files.filter((file) => file.endsWith('.test.ts')).map((file) => read(`test/${file}`));
  const missing = matchesOf(/“([^”]+)”/g)
    .map(([, title]) => title)
    .filter((title) => !tests.some((text) => hasTitle(text, title)));
  expect(missing).toEqual([]);
});

test('every vector of docs/paper-map.md exists, and every vector is on the page', () => {
  const { vectors }: { readonly vectors: readonly { readonly id: string }[] } = JSON.parse(
    read('test/fixtures/arpo-vectors.json'),
  );
  const ids = vectors.map(({ id }) => id);
  const named = matchesOf(/\b(?:V |–)(\d+)\.(\d+)(?:–(\d+)\.(\d+))?/g).flatMap(([, section, first, , last]) =>
    Array.from(
      { length: Number(last ?? first) - Number(first) + 1 },
      (_, index) => `${section}.${Number(first) + index}`,
    ),
  );
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids.filter((id) => !named.includes(id))).toEqual([]);
});

test('every setting of docs/paper-map.md exists and accepts its value', () => {
  const settings = matchesOf(/`([a-z][A-Za-z]+): ([\w.-]+)`|\b([a-z]\w+\.[\w.]+)=([\w.-]+)/g);
  const wrong = settings
    .filter(([, end, choice, path = end, value = choice]) => !isSetting(path, value))
    .map(([reference]) => reference);
  expect(wrong).toEqual([]);
});

test('no line of docs/paper-map.md has more than 140 characters', () => {
  expect(page.split('\n').filter((line) => line.length > 140)).toEqual([]);
});

/** Whether a string literal of a test file, which a title is, has these words. */
function hasTitle(text: string, words: string): boolean {
  return text.split('\n').some((line) => line.includes(words) && /['"`]/.test(line));
}

/** Whether a setting whose path ends so accepts the value. */
function isSetting(end: string, value: string): boolean {
  return configNames
    .filter((name) => name === end || name.endsWith(`.${end}`))
    .some((name) => {
      const choices = schemaAt(name.split('.'))?.['enum'];
      return !Array.isArray(choices) || choices.includes(value);
    });
}

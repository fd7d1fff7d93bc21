import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configNames } from '#runs/configSchema';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${folder}/docs/configuration.md`, 'utf8');

test('docs/configuration.md is up to date (node scripts/makeConfigurationDocs.mjs writes it)', () => {
  const script = `${folder}/scripts/makeConfigurationDocs.mjs`;
  const printed = execFileSync(process.execPath, [script, '--print'], { cwd: folder, encoding: 'utf8' });
  expect(page).toBe(printed);
});

test('docs/configuration.md names every setting, in lines of at most 140 characters', () => {
  const missing = configNames.filter((name) => !page.includes(`\`${name}\``));
  // The page says `With "name": …` instead.
  expect(missing).toEqual(['task.name']);
  expect(page.split('\n').filter((line) => line.length > 140)).toEqual([]);
});

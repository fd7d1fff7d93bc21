/**
 * Every vector of the ARPO reference against the production functions. The `reward` vectors belong to
 * the environment layer and are tested there.
 */
import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type VectorCheck, vectorChecks } from './vectorChecks';

const fixture = z
  .object({
    format: z.literal('arpo-vectors'),
    version: z.literal(1),
    vectors: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        kind: z.string(),
        mode: z.string(),
        inputs: z.unknown(),
        expected: z.unknown(),
        tolerance: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../fixtures/arpo-vectors.json', import.meta.url), 'utf8')));

/** Compares numbers within the vector's tolerance, everything else exactly. */
function expectMatch(actual: unknown, expected: unknown, place: { path: string; tolerance: number }): void {
  const { path, tolerance } = place;
  if (typeof expected === 'number') {
    expect(typeof actual, path).toBe('number');
    expect(
      Math.abs(Number(actual) - expected),
      `${path}: ${String(actual)} for ${expected}`,
    ).toBeLessThanOrEqual(tolerance);
  } else if (Array.isArray(expected)) {
    expect(Array.isArray(actual) ? actual.length : null, path).toBe(expected.length);
    if (!Array.isArray(actual)) return;
    expected.forEach((value, index) =>
      expectMatch(actual[index], value, { path: `${path}[${index}]`, tolerance }),
    );
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual ?? {}).sort(), path).toEqual(Object.keys(expected).sort());
    const found = new Map<string, unknown>(Object.entries(actual ?? {}));
    for (const [key, value] of Object.entries(expected)) {
      expectMatch(found.get(key), value, { path: `${path}.${key}`, tolerance });
    }
  } else {
    expect(actual, path).toBe(expected);
  }
}

const environmentKind = 'reward';
const checks: ReadonlyMap<string, VectorCheck> = vectorChecks;

test('all 131 vectors are accounted for: 29 of the environment, the others here, no kind unknown', () => {
  const kinds = fixture.vectors.map(({ kind }) => kind);
  const here = kinds.filter((kind) => checks.has(kind));
  expect(kinds.filter((kind) => kind !== environmentKind && !checks.has(kind))).toEqual([]);
  expect(kinds.filter((kind) => kind === environmentKind)).toHaveLength(29);
  expect(here.length + 29).toBe(131);
  expect(new Set(fixture.vectors.map(({ id }) => id)).size).toBe(131);
});

describe('vectors', () => {
  for (const vector of fixture.vectors) {
    const check = checks.get(vector.kind);
    if (check === undefined) continue;
    test(`${vector.id} ${vector.name} (${vector.mode})`, () => {
      expectMatch(check(vector.inputs, vector.expected), vector.expected, {
        path: vector.id,
        tolerance: vector.tolerance,
      });
    });
  }
});

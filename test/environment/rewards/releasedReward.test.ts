import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { normalizeAnswer, releasedReward } from '#environment/rewards/releasedReward';

interface RewardVector {
  readonly id: string;
  readonly name: string;
  readonly inputs: { readonly response: string; readonly gold: string | string[] };
  readonly expected: { readonly score: number; readonly formatOk: boolean };
  readonly tolerance: number;
}

const file: { readonly vectors: readonly (RewardVector & { readonly kind: string })[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/arpo-vectors.json', import.meta.url), 'utf8'),
);
const vectors = file.vectors.filter(({ kind }) => kind === 'reward');

test('there are 29 vectors', () => {
  expect(vectors).toHaveLength(29);
});

test.each(vectors.map((vector) => [vector.id, vector.name, vector] as const))(
  '%s %s',
  (_id, _name, vector) => {
    const reward = releasedReward(vector.inputs.response, vector.inputs.gold);
    expect(Math.abs(reward.total - vector.expected.score)).toBeLessThanOrEqual(vector.tolerance);
    expect(reward.total !== -1).toBe(vector.expected.formatOk);
    const sum = Object.values(reward.parts).reduce((total, part) => total + part, 0);
    expect(sum).toBeCloseTo(reward.total, 12);
  },
);

describe('reasons begin as in the released code', () => {
  const both = '<search>q</search><result>x</result><python>1</python><result>1</result>';
  const boxed = (answer: string, between = ''): string =>
    `<think>a</think>${between}<answer>${answer}</answer>`;
  test.each([
    ['bad format:', '<answer>\\boxed{Paris}</answer>'],
    ['find box error:', boxed('\\boxed{{Paris}')],
    ['correct answer and calling search and python at the same time', boxed('\\boxed{Paris}', both)],
    ['correct answer, get f1 score:', boxed('\\boxed{Paris}')],
    ['wrong answer but good format:', boxed('\\boxed{London}')],
  ])('%s', (prefix, response) => {
    expect(releasedReward(response, 'Paris').reason.startsWith(prefix)).toBe(true);
  });
});

test.each([
  [
    'search/result tags in the wrong order',
    '<think>a</think><search>q<result>x</result></search><answer>\\boxed{P}</answer>',
  ],
  ['answer tags reversed', '<think>a</think></answer>\\boxed{P}<answer>'],
  ['think tags not paired', '<think>a<answer>\\boxed{P}</answer>'],
])('%s: −1', (_name, response) => {
  expect(releasedReward(response, 'P').total).toBe(-1);
});

test('only a full score counts as correct', () => {
  const of = (answer: string): boolean =>
    releasedReward(`<think>a</think><answer>\\boxed{${answer}}</answer>`, 'New York').isCorrect;
  expect([of('New York'), of('the new york!'), of('New York City'), of('Boston')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('normalization removes articles also beside letters that are not ASCII', () => {
  expect(normalizeAnswer('The  Élan, a "Theé"')).toBe('élan theé');
});

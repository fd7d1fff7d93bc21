import { describe, expect, test } from 'vitest';
import {
  drGrpoAdvantages,
  estimateAdvantages,
  groupAdvantages,
  isZeroVariance,
  rlooAdvantages,
  treeGrpoAdvantages,
} from '#arpo/advantage';
import fc from 'fast-check';

const rewardLists = fc.array(fc.double({ min: -1, max: 1.1, noNaN: true }), { minLength: 2, maxLength: 16 });
const released = { epsilon: 1e-6, groupOfOne: 'released' } as const;

describe('groupAdvantages', () => {
  test('a group of one is an error, or by the released rule its reward', () => {
    expect(() => groupAdvantages([0.5])).toThrow(/expected \[G ≥ 2\], got \[1\]/);
    expect(() => groupAdvantages([])).toThrow(/got \[0\]/);
    expect(groupAdvantages([0.5], released)[0]).toBeCloseTo(0.5 / (1 + 1e-6), 15);
  });
  test('equal rewards give no signal, also when their mean is rounded', () => {
    for (const advantage of groupAdvantages([0.1, 0.1, 0.1])) expect(Math.abs(advantage)).toBeLessThan(1e-9);
  });
  test('every estimator’s advantages add up to 0 and keep the order of the rewards', () => {
    fc.assert(
      fc.property(
        rewardLists,
        fc.constantFrom('grpo' as const, 'drGrpo' as const, 'rloo' as const),
        (rewards, name) => {
          const advantages = estimateAdvantages(rewards, name);
          expect(Math.abs(advantages.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-8);
          for (const [index, reward] of rewards.entries()) {
            for (const [other, rival] of rewards.entries()) {
              if (reward > rival) expect(advantages[index]).toBeGreaterThanOrEqual(advantages[other]);
            }
          }
        },
      ),
      { seed: 5 },
    );
  });
});

test('rloo: the mean of the others, computed one by one', () => {
  const rewards = [1, 0.25, 0.5];
  const expected = [1 - 0.375, 0.25 - 0.75, 0.5 - 0.625];
  rlooAdvantages(rewards).forEach((advantage, index) => expect(advantage).toBeCloseTo(expected[index], 12));
});

test('dr.grpo and rloo follow the released rule for one as well', () => {
  expect(drGrpoAdvantages([0.5], released)).toEqual([0.5]);
  expect(rlooAdvantages([0.5], released)).toEqual([0.5]);
  expect(() => rlooAdvantages([0.5])).toThrow(/G ≥ 2/);
});

test('zero variance: 0.1 + 0.2 equals 0.3 here', () => {
  expect(isZeroVariance([0.1 + 0.2, 0.3])).toBe(true);
  expect(isZeroVariance([0, 0.001])).toBe(false);
});

test('tree-grpo refuses a tree list of another length', () => {
  expect(() => treeGrpoAdvantages([1, 0], [0])).toThrow(/trees: expected \[2\], got \[1\]/);
});

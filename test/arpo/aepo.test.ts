import { expect, test } from 'vitest';
import { entropyAwareAdvantages, splitBudget } from '#arpo/aepo';

test('the split stays within 1 and the total', () => {
  const split = (rootEntropy: number) =>
    splitBudget({ total: 8, rootEntropy, toolEntropy: 0, beta: 0.5 }).code;
  expect([split(-100), split(0), split(100)]).toEqual([1, 5, 8]);
});
test('equal entropies leave the advantages alone', () => {
  expect(entropyAwareAdvantages([0.5, -1], [0.3, 0.3], 0.2)).toEqual({
    zScores: [0, 0],
    advantages: [0.5, -1],
  });
});
test('each token has its own advantage; entropies 0 and 2 are ∓1/√2 deviations', () => {
  const { advantages } = entropyAwareAdvantages([1, -1], [0, 2], 0.2);
  expect(advantages[0]).toBeCloseTo(1 - 0.2 * Math.SQRT1_2, 12);
  expect(advantages[1]).toBeCloseTo(-1 - 0.2 * Math.SQRT1_2, 12);
});
test('lists of different or no length are an error', () => {
  expect(() => entropyAwareAdvantages([1], [1], 0.2)).toThrow(/at least 2, got \[1\] for \[1\]/);
  expect(() => entropyAwareAdvantages([1], [1, 2], 0.2)).toThrow(/got \[2\] for \[1\]/);
});

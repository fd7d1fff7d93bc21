import { describe, expect, test } from 'vitest';
import {
  entropyOfLogits,
  entropyOfProbabilities,
  renormalizedEntropy,
  residualBucketEntropy,
  truncatedEntropy,
} from '#arpo/entropy';
import fc from 'fast-check';

describe('entropyOfProbabilities', () => {
  test('a fair coin has ln 2', () => {
    expect(entropyOfProbabilities([0.5, 0.5])).toBeCloseTo(Math.LN2, 12);
  });
  test('an impossible outcome adds nothing', () => {
    expect(entropyOfProbabilities([0.5, 0, 0.5])).toBeCloseTo(Math.LN2, 12);
  });
  test('a partial distribution is an error, since its entropy would be too low', () => {
    expect(() => entropyOfProbabilities([0.6, 0.2])).toThrow(/expected a sum of 1, got 0.8/);
  });
  test('names the place of a value that is no probability', () => {
    expect(() => entropyOfProbabilities([0.5, -0.5, 1])).toThrow(/probabilities\[1\].*got -0.5/);
  });
});

describe('entropyOfLogits', () => {
  test('equal logits have ln V', () => {
    expect(entropyOfLogits([3, 3, 3])).toBeCloseTo(Math.log(3), 12);
  });
  test('does not overflow and has 0 for a certain token', () => {
    expect(entropyOfLogits(Float32Array.of(1e4, 0, -1e4))).toBe(0);
  });
  test('masked tokens do not count', () => {
    expect(entropyOfLogits([0, -Infinity, 0])).toBeCloseTo(Math.LN2, 12);
  });
  test('a row without tokens, NaN and +∞ are errors', () => {
    expect(() => entropyOfLogits([-Infinity, -Infinity])).toThrow(/not masked/);
    expect(() => entropyOfLogits([0, Number.NaN])).toThrow(/logits\[1\].*NaN/);
    expect(() => entropyOfLogits([Infinity, 0])).toThrow(/logits\[0\].*Infinity/);
  });
  test('agrees with −Σ p ln p of the softmax, and is not moved by a shift', () => {
    const logits = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(logits, fc.double({ min: -50, max: 50, noNaN: true }), (values, shift) => {
        const weights = values.map(Math.exp);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const entropy = entropyOfProbabilities(weights.map((weight) => weight / total));
        expect(entropyOfLogits(values)).toBeCloseTo(entropy, 9);
        expect(entropyOfLogits(values.map((value) => value + shift))).toBeCloseTo(entropy, 9);
      }),
      { seed: 1 },
    );
  });
});

describe('estimators from returned log-probs', () => {
  const logProbs = [0.5, 0.25].map(Math.log); // mass 0.75, 0.25 missing

  test('truncated: 0.5·ln 2 + 0.25·ln 4 = ln 2, and −∞ adds nothing', () => {
    expect(truncatedEntropy(logProbs)).toBeCloseTo(Math.LN2, 12);
    expect(truncatedEntropy([...logProbs, -Infinity])).toBeCloseTo(Math.LN2, 12);
  });
  test('renormalised: entropy of (2/3, 1/3)', () => {
    const expected = Math.log(3) - (2 / 3) * Math.LN2;
    expect(renormalizedEntropy(logProbs)).toBeCloseTo(expected, 12);
  });
  test('residual bucket: adds 0.25·ln 4', () => {
    expect(residualBucketEntropy(logProbs)).toBeCloseTo(1.5 * Math.LN2, 12);
  });
  test('a mass that rounding put above 1 has no bucket', () => {
    expect(residualBucketEntropy([1e-9])).toBeCloseTo(0, 8);
    expect(Number.isNaN(residualBucketEntropy([1e-9]))).toBe(false);
  });
  test('truncated ≤ residual bucket ≤ exact, for any top k', () => {
    const distribution = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(distribution, fc.integer({ min: 1, max: 20 }), (weights, k) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const sorted = weights.map((weight) => weight / total).sort((left, right) => right - left);
        const top = sorted.slice(0, k).map(Math.log);
        const bucket = residualBucketEntropy(top);
        expect(truncatedEntropy(top)).toBeLessThanOrEqual(bucket + 1e-12);
        expect(bucket).toBeLessThanOrEqual(entropyOfProbabilities(sorted) + 1e-12);
      }),
      { seed: 2 },
    );
  });
});

import { describe, expect, test } from 'vitest';
import { gradientCoefficient, gspoRatio, k3Divergence, k3Gradient } from '#arpo/objective';
import { policyObjective, tokenLoss } from '#arpo/objective';
import type { ObjectiveOptions, ObjectiveSequence } from '#arpo/objective';
import fc from 'fast-check';

const options: ObjectiveOptions = {
  clipLow: 0.2,
  clipHigh: 0.28,
  dualClip: 3,
  klCoefficient: 0.1,
  gradientRule: 'ppo',
};

describe('gradientCoefficient', () => {
  test('is the negative derivative of the loss by the log-prob (ppo), away from the corners', () => {
    const step = 1e-6;
    fc.assert(
      fc.property(
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
        (advantage, logRatio) => {
          const ratio = Math.exp(logRatio);
          fc.pre([0.8, 1.28, 3].every((corner) => Math.abs(ratio - corner) > 1e-3));
          const loss = (shift: number): number =>
            tokenLoss({ advantage, ratio: Math.exp(logRatio + shift) }, options);
          const slope = (loss(step) - loss(-step)) / (2 * step);
          expect(gradientCoefficient({ advantage, ratio }, options)).toBeCloseTo(-slope, 5);
        },
      ),
      { seed: 8, numRuns: 400 },
    );
  });
  test('aepo differs from ppo only where the upper clip binds', () => {
    const aepo = { ...options, gradientRule: 'aepo' } as const;
    for (const advantage of [-1, 0, 1]) {
      for (const ratio of [0.5, 1, 1.27, 1.29, 2, 3.5]) {
        const expected =
          advantage > 0 && ratio > 1.28
            ? 1.28 * advantage
            : gradientCoefficient({ advantage, ratio }, options);
        expect(gradientCoefficient({ advantage, ratio }, aepo)).toBeCloseTo(expected, 12);
      }
    }
  });
  test('each clip has its own side: 0.75 is below 1 − 0.2, 1.25 is not above 1 + 0.28', () => {
    expect(gradientCoefficient({ advantage: -1, ratio: 0.75 }, options)).toBe(0);
    expect(gradientCoefficient({ advantage: 1, ratio: 1.25 }, options)).toBe(1.25);
    expect(tokenLoss({ advantage: -1, ratio: 0.75 }, options)).toBeCloseTo(0.8, 12);
    expect(tokenLoss({ advantage: 1, ratio: 1.25 }, options)).toBe(-1.25);
  });
  test('the dual clip stops the gradient of negative advantages', () => {
    expect(gradientCoefficient({ advantage: -1, ratio: 3.5 }, options)).toBe(0);
    expect(gradientCoefficient({ advantage: -1, ratio: 3.5 }, { ...options, dualClip: null })).toBe(-3.5);
    expect(tokenLoss({ advantage: -2, ratio: 9 }, options)).toBe(6);
    expect(tokenLoss({ advantage: -2, ratio: 9 }, { ...options, dualClip: null })).toBe(18);
  });
});

describe('k3', () => {
  test('is clamped at 10, where its gradient is 0', () => {
    expect(k3Divergence(-5, 0)).toBe(10); // e⁵ − 6 = 142.4
    expect(k3Gradient(-5, 0)).toBe(0);
    expect(k3Gradient(-1, -1.2)).toBeCloseTo(1 - Math.exp(-0.2), 12);
  });
  test('keeps its digits near 0: d²/2', () => {
    expect(k3Divergence(0, 1e-6) / 5e-13).toBeCloseTo(1, 3);
  });
});

test('gspo needs tokens', () => {
  expect(() => gspoRatio([], { clipLow: 0.1, clipHigh: 0.1 })).toThrow(/at least one token/);
});

/** Two sequences that meet every branch: clipped above, below, dual, KL, and tokens without weight. */
const batch: readonly ObjectiveSequence[] = [
  {
    logProbs: [Number.NaN, -1, -0.5, -2],
    oldLogProbs: [0, -1, -1, -1],
    advantages: [0, 1, 1, -1],
    weights: [0, 0.25, 0.25, 0.25],
    referenceLogProbs: [0, -1.2, -0.5, -1],
  },
  {
    logProbs: [-0.2, -0.1],
    oldLogProbs: [-2.2, -0.3],
    advantages: [-1, 0.5],
    weights: [0.5, 0.25],
    referenceLogProbs: [-0.2, -0.1],
  },
];

describe('policyObjective', () => {
  test('adds up the tokens by hand', () => {
    // ratios 1, e^0.5 = 1.649 (upper clip), e^-1 = 0.368 (lower clip) | e^2 = 7.389 (dual), e^0.2 = 1.221
    const clipped = 0.25 * (-1 - 1.28 + 0.8) + 0.5 * 3 + 0.25 * (-0.5 * Math.exp(0.2));
    const kl = 0.1 * 0.25 * (k3Divergence(-1, -1.2) + k3Divergence(-2, -1));
    expect(policyObjective(batch, options).loss).toBeCloseTo(clipped + kl, 12);
  });
  test('statistics are over the weighted tokens', () => {
    const { statistics } = policyObjective(batch, options);
    expect(statistics).toMatchObject({
      tokens: 5,
      clipFractionUpper: 0.2,
      clipFractionLower: 0.2,
      dualClipFraction: 0.2,
    });
    expect(statistics.maxRatio).toBeCloseTo(Math.exp(2), 12);
    expect(statistics.approximateKl).toBeCloseTo(-(0 + 0.5 - 1 + 2 + 0.2) / 5, 12);
    expect(statistics.approximateKl3).toBeGreaterThan(0);
  });
  test('gradients equal finite differences of the loss, and are 0 without weight', () => {
    const { gradients } = policyObjective(batch, options);
    expect(gradients[0][0]).toBe(0);
    const step = 1e-6;
    batch.forEach((sequence, index) => {
      for (let token = 0; token < sequence.weights.length; token += 1) {
        if (sequence.weights[token] === 0) continue;
        const lossAt = (shift: number): number => {
          const logProbs = Array.from(sequence.logProbs);
          logProbs[token] += shift;
          const moved = batch.map((other, place) => (place === index ? { ...sequence, logProbs } : other));
          return policyObjective(moved, options).loss;
        };
        const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
        expect(gradients[index][token]).toBeCloseTo(slope, 6);
      }
    });
  });
  test('without tokens the loss is 0 and the ratios are 1', () => {
    expect(policyObjective([], options)).toMatchObject({
      loss: 0,
      gradients: [],
      statistics: { tokens: 0, meanRatio: 1, maxRatio: 1, approximateKl: 0 },
    });
  });
  test('arrays of different lengths and a missing reference are named', () => {
    expect(() => policyObjective([{ ...batch[0], advantages: [1] }], options)).toThrow(
      /sequences\[0\]\.advantages: expected \[4\], got \[1\]/,
    );
    const bare = { ...batch[0], referenceLogProbs: null };
    expect(() => policyObjective([bare], options)).toThrow(
      /referenceLogProbs: expected \[4\] for klCoefficient 0.1/,
    );
    expect(policyObjective([bare], { ...options, klCoefficient: 0 }).statistics.tokens).toBe(3);
  });
});

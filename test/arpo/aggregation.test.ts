import { expect, test } from 'vitest';
import { aggregateLosses, sequenceWeights, tokenWeights } from '#arpo/aggregation';

const modes = ['tokenMean', 'seqMeanTokenMean', 'seqMeanTokenSum', 'seqMeanTokenSumNorm'] as const;

test('weights follow the mask, and Σ weight · loss is the aggregate', () => {
  const masks = [Uint8Array.of(0, 1, 0, 1), Uint8Array.of(1, 1, 1, 1)];
  const losses = [
    [1, 3],
    [2, 2, 2, 6],
  ];
  for (const mode of modes) {
    const aggregation = { mode, constantLength: 8 };
    const weights = tokenWeights(masks, aggregation);
    expect(weights[0][0]).toBe(0);
    expect(weights[0][2]).toBe(0);
    const sum = weights[0][1] * 1 + weights[0][3] * 3 + weights[1][0] * 6 + weights[1][3] * 6;
    expect(sum, mode).toBeCloseTo(aggregateLosses(losses, aggregation), 6);
  }
});
test('a sequence without trained tokens has no weight but counts as a sequence', () => {
  expect(sequenceWeights([0, 4], { mode: 'seqMeanTokenMean', constantLength: 1 })).toEqual([0, 0.125]);
  expect(sequenceWeights([0, 4], { mode: 'seqMeanTokenSum', constantLength: 1 })).toEqual([0, 0.5]);
  expect(sequenceWeights([0, 4], { mode: 'tokenMean', constantLength: 1 })).toEqual([0, 0.25]);
  expect(sequenceWeights([0], { mode: 'tokenMean', constantLength: 1 })).toEqual([0]);
});
test('the constant length has to be one', () => {
  expect(() => sequenceWeights([1], { mode: 'seqMeanTokenSumNorm', constantLength: 0 })).toThrow(
    /at least 1, got 0/,
  );
});

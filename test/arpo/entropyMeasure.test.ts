import { describe, expect, test } from 'vitest';
import { compareEntropies, measureEntropy, normalizeEntropies, readEntropy } from '#arpo/entropyMeasure';
import type { EntropyMeasure, MeasurableSegment } from '#arpo/entropyMeasure';

const measure: EntropyMeasure = {
  estimator: 'exact',
  topK: 2,
  window: 2,
  normalizer: 'sum',
  difference: 'scalar',
};

/** Three tokens; the second sampled token (9) is none of its three alternatives. */
const segment: MeasurableSegment = {
  tokens: [1, 9, 1],
  logProbs: [Math.log(0.5), Math.log(0.05), Math.log(0.5)],
  entropies: [0.4, 1.2, 5],
  alternatives: {
    count: 3,
    ids: [1, 2, 3, 4, 5, 6, 1, 2, 3],
    logProbs: [0.5, 0.25, 0.125, 0.4, 0.2, 0.1, 0.5, 0.25, 0.125].map(Math.log),
  },
};
const term = (probability: number): number => -probability * Math.log(probability);

describe('readEntropy', () => {
  test('exact: the recorded entropies of the first k tokens', () => {
    expect(readEntropy(segment, measure, 10)).toEqual({ value: 1.6, perToken: [0.4, 1.2] });
  });
  test('a segment shorter than k is read whole, an empty one is 0', () => {
    expect(measureEntropy(segment, { ...measure, window: 20 }, 10)).toBeCloseTo(6.6, 12);
    const empty = { tokens: [], logProbs: [], entropies: [], alternatives: null };
    expect(readEntropy(empty, { ...measure, normalizer: 'meanOverLnV' }, 10)).toEqual({
      value: 0,
      perToken: [],
    });
  });
  test('topK: only k columns, plus the sampled token when it is none of them', () => {
    const { perToken } = readEntropy(segment, { ...measure, estimator: 'topK' }, 10);
    expect(perToken[0]).toBeCloseTo(term(0.5) + term(0.25), 12);
    expect(perToken[1]).toBeCloseTo(term(0.4) + term(0.2) + term(0.05), 12);
  });
  test('topK: a sampled token that is among the recorded but not among the k counts once', () => {
    const { perToken } = readEntropy(
      { ...segment, tokens: [3, 9, 1] },
      { ...measure, estimator: 'topK' },
      10,
    );
    expect(perToken[0]).toBeCloseTo(term(0.5) + term(0.25) + term(0.5), 12); // its own log-prob is 0.5 here
  });
  test('the other estimators read the same log-probs', () => {
    const [renormalized] = readEntropy(segment, { ...measure, estimator: 'renormalized' }, 10).perToken;
    expect(renormalized).toBeCloseTo(term(2 / 3) + term(1 / 3), 12);
    const [bucket] = readEntropy(segment, { ...measure, estimator: 'residualBucket' }, 10).perToken;
    expect(bucket).toBeCloseTo(term(0.5) + 2 * term(0.25), 12);
  });
  test('too few alternatives are an error that says what to do', () => {
    const bare = { ...segment, alternatives: null };
    expect(() => readEntropy(bare, { ...measure, estimator: 'topK' }, 10)).toThrow(
      /at least 2 per token.*got 0/,
    );
    expect(() => readEntropy(segment, { ...measure, estimator: 'topK', topK: 4 }, 10)).toThrow(
      /at least 4.*got 3/,
    );
  });
});

test('normalizers: Σ = 3 over two tokens, V = e²', () => {
  const vocabulary = Math.exp(2);
  const by = (normalizer: EntropyMeasure['normalizer']) => normalizeEntropies([1, 2], normalizer, vocabulary);
  expect(by('sum')).toBe(3);
  expect(by('mean')).toBe(1.5);
  expect(by('sumOverV')).toBeCloseTo(3 / vocabulary, 12);
  expect(by('sumOverLnV')).toBeCloseTo(1.5, 12);
  expect(by('meanOverLnV')).toBeCloseTo(0.75, 12);
  expect(() => normalizeEntropies([1], 'sum', 1)).toThrow(/vocabularySize: expected at least 2, got 1/);
});

describe('compareEntropies', () => {
  const long = { value: 6, perToken: [1, 2, 3] };
  const short = { value: 5, perToken: [2, 3] };

  test('scalar: a short segment has a smaller sum merely for being short', () => {
    expect(compareEntropies(long, short, { difference: 'scalar', normalizer: 'sum' }, 10)).toEqual({
      initialEntropy: 6,
      currentEntropy: 5,
      deltaEntropy: -1,
      comparedTokens: 2,
    });
  });
  test('vector: only the positions that both have count', () => {
    expect(compareEntropies(long, short, { difference: 'vector', normalizer: 'sum' }, 10)).toEqual({
      initialEntropy: 3,
      currentEntropy: 5,
      deltaEntropy: 2,
      comparedTokens: 2,
    });
  });
  test('vector against an empty segment: no change', () => {
    const empty = { value: 0, perToken: [] };
    expect(compareEntropies(long, empty, { difference: 'vector', normalizer: 'sum' }, 10).deltaEntropy).toBe(
      0,
    );
  });
  test('both differences agree when both segments fill the window', () => {
    const other = { value: 9, perToken: [4, 2, 3] };
    for (const difference of ['scalar', 'vector'] as const) {
      expect(compareEntropies(long, other, { difference, normalizer: 'sum' }, 10).deltaEntropy).toBe(3);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { createRandom, type Random } from '#base/random';
import { EngineError } from '#engine/engineError';
import type { Sampling } from '#engine/policy';
import { ProbabilityHeap } from '#engine/probabilityHeap';
import { TokenSampler } from '#engine/sampling';

const plain: Sampling = { temperature: 1, topP: 1, topK: 0, isGreedy: false, alternatives: 0 };
/** Logits whose softmax at temperature 1 is .5, .25, .15, .1 in another order of ids. */
const probabilities = [0.15, 0.5, 0.1, 0.25];
const logits = Float32Array.from(probabilities, (probability) => Math.log(probability) + 3);

function constant(value: number): Random & { draws: number } {
  const random = {
    draws: 0,
    next(): number {
      random.draws += 1;
      return value;
    },
  };
  return random;
}

function drawCounts(sampling: Sampling, draws: number): number[] {
  const sampler = new TokenSampler(4, sampling);
  const random = createRandom(7);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < draws; draw += 1) {
    sampler.sample(logits, 0, random);
    counts[sampler.token] += 1;
  }
  return counts;
}

/** Pearson's statistic against expected probabilities; those of 0 must not occur. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const [index, probability] of expected.entries()) {
    if (probability === 0) expect(counts[index]).toBe(0);
    else statistic += (counts[index] - total * probability) ** 2 / (total * probability);
  }
  return statistic;
}

describe('the sampling distribution', () => {
  // 16.27 is the 99.9 % quantile of χ² with 3 degrees of freedom, 13.82 with 2, 10.83 with 1.
  test('is the softmax at temperature 1', () => {
    expect(chiSquare(drawCounts(plain, 20_000), probabilities)).toBeLessThan(16.27);
  });

  test('is sharpened by a temperature of one half: squares, renormalized', () => {
    const squares = probabilities.map((probability) => probability ** 2);
    const sum = 0.0225 + 0.25 + 0.01 + 0.0625;
    const counts = drawCounts({ ...plain, temperature: 0.5 }, 20_000);
    expect(
      chiSquare(
        counts,
        squares.map((square) => square / sum),
      ),
    ).toBeLessThan(16.27);
  });

  test('keeps the two most probable tokens with topK 2', () => {
    const counts = drawCounts({ ...plain, topK: 2 }, 20_000);
    expect(chiSquare(counts, [0, 2 / 3, 0, 1 / 3])).toBeLessThan(10.83);
  });

  test('keeps the smallest set that reaches topP', () => {
    const counts = drawCounts({ ...plain, topP: 0.8 }, 20_000);
    expect(chiSquare(counts, [0.15 / 0.9, 0.5 / 0.9, 0, 0.25 / 0.9])).toBeLessThan(13.82);
  });

  test('takes topP of what topK left', () => {
    // Of .5 and .25, renormalized to 2/3 and 1/3, the first alone reaches .6 but not .7.
    expect(drawCounts({ ...plain, topK: 2, topP: 0.6 }, 100)).toEqual([0, 100, 0, 0]);
    const counts = drawCounts({ ...plain, topK: 2, topP: 0.7 }, 20_000);
    expect(chiSquare(counts, [0, 2 / 3, 0, 1 / 3])).toBeLessThan(10.83);
  });
});

describe('log-prob and entropy', () => {
  function sampled(sampling: Sampling, draw: number): TokenSampler {
    const sampler = new TokenSampler(4, sampling);
    sampler.sample(logits, 0, constant(draw));
    return sampler;
  }

  test('walks the tokens in the order of ids', () => {
    expect(
      [0, 0.14, 0.16, 0.64, 0.66, 0.74, 0.76, 0.999_999].map((draw) => sampled(plain, draw).token),
    ).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('are those of the full distribution', () => {
    const sampler = sampled(plain, 0.2);
    expect(sampler.logProb).toBeCloseTo(Math.log(0.5), 6);
    // −(.15 ln .15 + .5 ln .5 + .1 ln .1 + .25 ln .25)
    expect(sampler.entropy).toBeCloseTo(1.207_978, 5);
  });

  test('are those of the truncated, renormalized distribution', () => {
    const sampler = sampled({ ...plain, topK: 2 }, 0.9);
    expect(sampler.token).toBe(3);
    expect(sampler.logProb).toBeCloseTo(Math.log(1 / 3), 6);
    // ln 3 − (2/3) ln 2
    expect(sampler.entropy).toBeCloseTo(0.636_514, 5);
  });

  test('are exact for uniform and for one-hot rows', () => {
    const sampler = new TokenSampler(4, plain);
    sampler.sample(new Float32Array([5, 5, 5, 5]), 0, constant(0.5));
    expect(sampler.entropy).toBeCloseTo(Math.log(4), 12);
    sampler.sample(new Float32Array([-Infinity, 2, -Infinity, -Infinity]), 0, constant(0));
    expect([sampler.token, sampler.logProb, sampler.entropy]).toEqual([1, 0, 0]);
  });

  test('stay finite for huge logits and tiny temperatures', () => {
    const sampler = new TokenSampler(3, { ...plain, temperature: 1e-6 });
    sampler.sample(new Float32Array([3e38, -3e38, 3e38]), 0, constant(0.75));
    expect(sampler.token).toBe(2);
    expect(sampler.logProb).toBeCloseTo(-Math.LN2, 12);
    expect(sampler.entropy).toBeCloseTo(Math.LN2, 12);
  });

  test('reads its row at the offset', () => {
    const sampler = new TokenSampler(2, { ...plain, isGreedy: true });
    sampler.sample(new Float32Array([9, 0, 0, 1]), 2, constant(0));
    expect(sampler.token).toBe(1);
    // ln(e / (1 + e))
    expect(sampler.logProb).toBeCloseTo(-0.313_262, 5);
  });
});

describe('greedy sampling', () => {
  test('takes the most probable token of lowest id, without a draw, at temperature 1', () => {
    const sampler = new TokenSampler(3, { ...plain, isGreedy: true, temperature: 9, topK: 1 });
    const random = constant(0.999);
    sampler.sample(new Float32Array([0, 1, 1]), 0, random);
    expect([sampler.token, random.draws]).toEqual([1, 0]);
    expect(sampler.logProb).toBeCloseTo(Math.log(Math.E / (1 + 2 * Math.E)), 6);
  });

  test('is the only kind that draws nothing', () => {
    const random = constant(0.5);
    new TokenSampler(4, { ...plain, topK: 3, topP: 0.9 }).sample(logits, 0, random);
    expect(random.draws).toBe(1);
  });
});

describe('alternatives', () => {
  test('are the most probable tokens with their log-probs', () => {
    const sampler = new TokenSampler(4, { ...plain, topK: 3, alternatives: 4 });
    sampler.sample(logits, 0, constant(0.5));
    const target = { ids: new Int32Array(5), logProbs: new Float32Array(5), offset: 1 };
    sampler.writeAlternatives(target);
    expect([...target.ids]).toEqual([0, 1, 3, 0, 2]);
    expect(target.logProbs[1]).toBeCloseTo(Math.log(0.5 / 0.9), 6);
    expect(target.logProbs[2]).toBeCloseTo(Math.log(0.25 / 0.9), 6);
    expect(target.logProbs[4]).toBe(-Infinity);
  });

  test('come out of the heap in order, equal ones by id', () => {
    const heap = new ProbabilityHeap(6);
    heap.fill(new Float64Array([0.1, 0.3, 0.3, 0, 0.3, 0.2]));
    expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([
      1, 2, 4, 5, 0, 3, -1,
    ]);
  });

  test('come out of a large heap as a sort would give them', () => {
    const random = createRandom(3);
    const values = Float64Array.from({ length: 1000 }, () => Math.floor(random.next() * 300));
    const heap = new ProbabilityHeap(1000);
    heap.fill(values);
    const popped = Array.from({ length: 1000 }, () => heap.pop());
    expect(popped).toEqual([...values.keys()].toSorted((a, b) => values[b] - values[a] || a - b));
  });
});

describe('bad input', () => {
  test.each([
    ['NaN', [0, Number.NaN, 1], /token 1 is NaN/u],
    ['+∞', [0, 1, Infinity], /token 2 is Infinity/u],
    ['only −∞', [-Infinity, -Infinity, -Infinity], /All logits/u],
    ['NaN in front', [Number.NaN, 0, 1], /token 0 is NaN/u],
  ])('refuses %s', (_, row, message) => {
    const sampler = new TokenSampler(3, plain);
    const act = (): void => sampler.sample(new Float32Array(row), 0, constant(0.5));
    expect(act).toThrow(EngineError);
    expect(act).toThrow(message);
  });

  test.each([
    [{ temperature: 0 }],
    [{ temperature: Number.NaN }],
    [{ topP: 0 }],
    [{ topP: 1.01 }],
    [{ topK: -1 }],
    [{ topK: 1.5 }],
    [{ alternatives: 5 }],
  ])('refuses the setting %o', (change) => {
    expect(() => new TokenSampler(4, { ...plain, ...change })).toThrow(RangeError);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type { GenerateRequest, Sampler, Sampling } from '#engine/policy';
import { TokenSampler } from '#engine/sampling';
import { smallPolicy } from './smallPolicy';

const plain: Sampling = { temperature: 0.8, topP: 1, topK: 0, isGreedy: false, alternatives: 0 };
const never = new AbortController().signal;
const prompt = Int32Array.of(5, 6, 7);

let policy: LlamaPolicy;
let sampler: Sampler;

beforeAll(async () => {
  policy = smallPolicy();
  sampler = await policy.createSampler();
});
afterAll(() => policy.dispose());

/** A request that counts the numbers it draws. */
function request(changes: Partial<GenerateRequest> = {}): GenerateRequest & { readonly draws: () => number } {
  const source = createRandom(3);
  let draws = 0;
  const next = (): number => {
    draws += 1;
    return source.next();
  };
  return {
    sequence: sampler.open(prompt),
    maxTokens: 6,
    random: { next },
    isComplete: () => false,
    draws: () => draws,
    ...changes,
  };
}

describe('forced tokens', () => {
  test('stand at the start of the segment and are scored as a forward pass scores them', async () => {
    const own = request({ forcedTokens: Int32Array.of(9, 2, 4) });
    const [segment] = await sampler.generate([own], plain, never);
    expect([...segment.tokens.subarray(0, 3)]).toEqual([9, 2, 4]);
    const whole = Int32Array.from([...prompt, ...segment.tokens]);
    const { logProbs, entropies } = await policy.scoreTokens([whole], 0.8, never);
    for (const index of segment.tokens.keys()) {
      expect(segment.logProbs[index]).toBeCloseTo(logProbs[0][prompt.length + index], 4);
      expect(segment.entropies[index]).toBeCloseTo(entropies[0][prompt.length + index], 4);
    }
    // Only what comes behind them is drawn.
    expect(own.draws()).toBe(segment.tokens.length - 3);
    expect(sampler.lengthOf(own.sequence)).toBe(whole.length);
  });

  test('are scored before top-k and top-p, so that any of them has a finite log-prob', async () => {
    const cut: Sampling = { ...plain, topK: 1, topP: 0.5 };
    for (let token = 2; token < 11; token += 1) {
      const own = request({ maxTokens: 1, forcedTokens: Int32Array.of(token) });
      const [segment] = await sampler.generate([own], cut, never);
      const { logProbs } = await policy.scoreTokens([Int32Array.from([...prompt, token])], 0.8, never);
      expect(segment.logProbs[0]).toBeCloseTo(logProbs[0][3], 4);
    }
  });

  test('end the segment as sampled ones do', async () => {
    const ended = request({ forcedTokens: Int32Array.of(9, 1, 4) });
    expect(await sampler.generate([ended], plain, never)).toMatchObject([
      { tokens: Int32Array.of(9, 1), end: 'endToken' },
    ]);
    const complete = request({
      forcedTokens: Int32Array.of(9, 8, 4),
      isComplete: (tokens) => tokens.at(-1) === 8,
    });
    expect(await sampler.generate([complete], plain, never)).toMatchObject([
      { tokens: Int32Array.of(9, 8), end: 'complete' },
    ]);
    const cut = request({ maxTokens: 2, forcedTokens: Int32Array.of(9, 8, 4) });
    expect(await sampler.generate([cut], plain, never)).toMatchObject([
      { tokens: Int32Array.of(9, 8), end: 'length' },
    ]);
  });

  test('outside of the vocabulary are refused, and nothing has happened', async () => {
    for (const token of [-1, 11]) {
      const own = request({ forcedTokens: Int32Array.of(5, token) });
      await expect(sampler.generate([own], plain, never)).rejects.toMatchObject({
        code: 'unknownToken',
        message: `Token id ${token} does not exist: ids go from 0 to 10.`,
      });
      expect(sampler.lengthOf(own.sequence)).toBe(3);
    }
  });
});

test('scoring a token gives it the log-prob of the full softmax', () => {
  const own = new TokenSampler(3, { ...plain, temperature: 2, topK: 1 });
  // Weights at temperature 2: e^0, e^1, e^2.
  own.score(Float32Array.of(0, 2, 4), 0, 0);
  const total = 1 + Math.E + Math.E ** 2;
  expect(own.token).toBe(0);
  expect(own.logProb).toBeCloseTo(-Math.log(total), 6);
  const shares = [1, Math.E, Math.E ** 2].map((weight) => weight / total);
  expect(own.entropy).toBeCloseTo(-shares.reduce((sum, share) => sum + share * Math.log(share), 0), 6);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { createRandom, type Random } from '#base/random';
import { EngineError } from '#engine/engineError';
import { openEngine } from '#engine/engines';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import type { GeneratedSegment, GenerateRequest, Sampler, Sampling, SequenceId } from '#engine/policy';
import { smallPolicy } from './smallPolicy';

const plain: Sampling = { temperature: 1, topP: 1, topK: 0, isGreedy: false, alternatives: 0 };
const never = new AbortController().signal;

function tokens(...ids: number[]): Int32Array {
  return Int32Array.from(ids);
}

function request(
  sequence: SequenceId,
  maxTokens: number,
  random: Random = createRandom(sequence),
): GenerateRequest {
  return { sequence, maxTokens, random, isComplete: () => false };
}

/** Everything a sequence holds, put together by the test itself. */
class Track {
  readonly id: SequenceId;
  readonly tokens: number[];
  /** Log-probs and entropies by position of what was sampled. */
  readonly logProbs = new Map<number, number>();
  readonly entropies = new Map<number, number>();

  constructor(id: SequenceId, held: Iterable<number>) {
    this.id = id;
    this.tokens = [...held];
  }

  add(segment: GeneratedSegment): void {
    for (const [index, token] of segment.tokens.entries()) {
      this.logProbs.set(this.tokens.length, segment.logProbs[index]);
      this.entropies.set(this.tokens.length, segment.entropies[index]);
      this.tokens.push(token);
    }
  }
}

/** Compares what was sampled with a full forward pass over the whole sequence. */
async function expectAsScored(policy: LlamaPolicy, tracks: readonly Track[], temperature = 1): Promise<void> {
  const sequences = tracks.map((track) => Int32Array.from(track.tokens));
  const report = await policy.scoreTokens(sequences, temperature, never);
  let compared = 0;
  for (const [index, track] of tracks.entries()) {
    for (const [position, logProb] of track.logProbs) {
      expect(logProb).toBeCloseTo(report.logProbs[index][position], 4);
      expect(track.entropies.get(position)).toBeCloseTo(report.entropies[index][position], 4);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(0);
}

/** Twelve turns of everything that rollouts do, in random order, and then the comparison. */
async function playAtRandom(own: LlamaPolicy, player: Sampler): Promise<void> {
  const random = createRandom(4);
  const draw = (size: number): number => Math.floor(random.next() * size);
  let tracks = [tokens(5, 6, 7), tokens(8), tokens(9, 10)].map(
    (prompt) => new Track(player.open(prompt), prompt),
  );
  const all = [...tracks];
  for (let turn = 0; turn < 12; turn += 1) {
    const chosen = tracks.filter(() => draw(3) > 0);
    const segments = await player.generate(
      chosen.map(({ id }) => request(id, 1 + draw(4))),
      plain,
      never,
    );
    chosen.forEach((track, index) => track.add(segments[index]));
    for (const track of tracks.filter(({ tokens: held }) => draw(2) === 0 && held.length < 40)) {
      const result = Int32Array.from({ length: 1 + draw(8) }, () => 2 + draw(9));
      player.append(track.id, result);
      track.tokens.push(...result);
    }
    const source = tracks[draw(tracks.length)];
    const length = 1 + draw(source.tokens.length);
    const copy = new Track(player.fork(source.id, length), source.tokens.slice(0, length));
    tracks.push(copy);
    all.push(copy);
    if (turn % 3 === 2) {
      const gone = tracks[draw(tracks.length)];
      player.release(gone.id);
      tracks = tracks.filter((track) => track !== gone);
    }
  }
  // Past the first bucket of the cache, or the test would not see it grow.
  expect(tracks.some((track) => track.tokens.length > 33)).toBe(true);
  await expectAsScored(own, all);
}

let policy: LlamaPolicy;
let sampler: Sampler;

beforeEach(async () => {
  policy = smallPolicy();
  sampler = await policy.createSampler();
});

describe('log-probs and entropies equal a full forward pass', () => {
  test('for ragged prompts that end at different times, at another temperature', async () => {
    const prompts = [tokens(2), tokens(3, 4, 5, 6, 7, 8, 9), tokens(4, 4), tokens(10, 9, 8, 2, 3)];
    const tracks = prompts.map((prompt) => new Track(sampler.open(prompt), prompt));
    const sampling = { ...plain, temperature: 0.7 };
    const segments = await sampler.generate(
      tracks.map(({ id }, index) => request(id, 3 + 4 * index)),
      sampling,
      never,
    );
    tracks.forEach((track, index) => track.add(segments[index]));
    await expectAsScored(policy, tracks, 0.7);
    for (const track of tracks) expect(sampler.lengthOf(track.id)).toBe(track.tokens.length);
  });

  test('for prompts longer than a chunk and past the first bucket of the cache', async () => {
    const random = createRandom(9);
    const lengths = [40, 33, 5, 1, 36];
    const tracks = lengths.map((length) => {
      const prompt = Int32Array.from({ length }, () => 2 + Math.floor(random.next() * 9));
      return new Track(sampler.open(prompt), prompt);
    });
    const segments = await sampler.generate(
      tracks.map(({ id }) => request(id, 8)),
      plain,
      never,
    );
    tracks.forEach((track, index) => track.add(segments[index]));
    await expectAsScored(policy, tracks);
  });

  test.each(['reference', 'onnx'] as const)(
    'through tool results, forks at any point, releases and changing company (%s)',
    async (engine) => {
      const executor = await openEngine(engine, { threads: 1 });
      const own = smallPolicy({ executor });
      await playAtRandom(own, await own.createSampler());
      await own.dispose();
      await executor.dispose();
    },
  );

  test('after the weights have changed', async () => {
    const track = new Track(sampler.open(tokens(2, 3)), [2, 3]);
    track.add((await sampler.generate([request(track.id, 5)], plain, never))[0]);
    policy.importWeights(smallPolicy({ seed: 77 }).exportWeights());
    const fork = new Track(sampler.fork(track.id, 4), track.tokens.slice(0, 4));
    const later = new Track(track.id, track.tokens);
    const segments = await sampler.generate([request(track.id, 5), request(fork.id, 5)], plain, never);
    later.add(segments[0]);
    fork.add(segments[1]);
    await expectAsScored(policy, [later, fork]);
  });
});

describe('nothing is computed twice', () => {
  test('copies of one prompt are fed once', async () => {
    const root = sampler.open(tokens(2, 3, 4, 5, 6));
    const copies = [root, ...Array.from({ length: 15 }, () => sampler.fork(root, 5))];
    const segments = await sampler.generate(
      copies.map((id) => request(id, 3)),
      plain,
      never,
    );
    expect(sampler.counters).toEqual({ sampledTokens: countTokens(segments), fedTokens: 5, decodeSteps: 2 });
    // Equal distributions, but individual streams of random numbers.
    expect(new Set(segments.map(({ entropies }) => entropies[0])).size).toBe(1);
    expect(new Set(segments.map((segment) => segment.tokens.join())).size).toBeGreaterThan(5);
  });

  test('the same prompt opened twice is fed once, and later only its last token', async () => {
    const first = sampler.open(tokens(2, 3, 4, 5, 6));
    const second = sampler.open(tokens(2, 3, 4, 5, 6));
    await sampler.generate([request(first, 1), request(second, 1)], plain, never);
    expect(sampler.counters.fedTokens).toBe(5);
    const third = sampler.open(tokens(2, 3, 4, 5, 6));
    await sampler.generate([request(third, 1)], plain, never);
    expect(sampler.counters.fedTokens).toBe(6);
  });

  test('a fork feeds what its parent has not cached, and at least one token', async () => {
    const parent = sampler.open(tokens(2, 3, 4, 5));
    await sampler.generate([request(parent, 6, constant(0.5))], plain, never);
    const length = sampler.lengthOf(parent);
    const before = sampler.counters.fedTokens;
    const inside = sampler.fork(parent, 7);
    await sampler.generate([request(inside, 1)], plain, never);
    expect(sampler.counters.fedTokens - before).toBe(1);
    sampler.append(parent, tokens(7, 8, 9));
    const atResult = sampler.fork(parent, length + 3);
    await sampler.generate([request(parent, 1), request(atResult, 1)], plain, never);
    // The last sampled token and the result of three, once for both.
    expect(sampler.counters.fedTokens - before).toBe(1 + 4);
  });
});

describe('the same again', () => {
  async function run(): Promise<string> {
    const own = await policy.createSampler();
    const prompts = [tokens(2), tokens(3, 4, 5, 6, 7, 8, 9), tokens(2)];
    const ids = prompts.map((prompt) => own.open(prompt));
    const first = await own.generate(
      ids.map((id, index) => request(id, 4, createRandom(index))),
      plain,
      never,
    );
    own.append(ids[1], tokens(5, 5));
    const fork = own.fork(ids[1], 6);
    const all = [...ids, fork];
    const second = await own.generate(
      all.map((id, index) => request(id, 5, createRandom(9, index))),
      plain,
      never,
    );
    return JSON.stringify(
      [...first, ...second].map((segment) => [
        [...segment.tokens],
        [...segment.logProbs],
        [...segment.entropies],
      ]),
    );
  }

  test('gives identical tokens and numbers', async () => {
    expect(await run()).toBe(await run());
  });

  test('a row does not depend on its company', async () => {
    const alone = await policy.createSampler();
    const crowd = await policy.createSampler();
    const id = alone.open(tokens(6, 7, 8));
    const others = [tokens(2), tokens(3, 4, 5, 6, 7, 8)].map((prompt) => request(crowd.open(prompt), 2));
    const same = crowd.open(tokens(6, 7, 8));
    const [expected] = await alone.generate([request(id, 10, createRandom(1))], plain, never);
    const segments = await crowd.generate([...others, request(same, 10, createRandom(1))], plain, never);
    expect(segments[2].tokens).toEqual(expected.tokens);
    for (const [index, logProb] of expected.logProbs.entries()) {
      expect(segments[2].logProbs[index]).toBeCloseTo(logProb, 5);
    }
  });
});

describe('segments', () => {
  test('end by the predicate, which sees all tokens of the segment', async () => {
    const seen: number[][] = [];
    const id = sampler.open(tokens(4));
    const isComplete = (segment: Int32Array): boolean => seen.push([...segment]) === 3;
    const [segment] = await sampler.generate(
      [{ ...request(id, 20, constant(0.5)), isComplete }],
      plain,
      never,
    );
    expect(segment.end).toBe('complete');
    expect(seen).toEqual([1, 2, 3].map((length) => [...segment.tokens].slice(0, length)));
  });

  test('end by the end token, which is included, even if the predicate is fulfilled too', async () => {
    // Token 1 occupies the second part of [0, 1): search for a draw that hits it.
    for (let draw = 0; draw < 1; draw += 0.01) {
      const id = sampler.open(tokens(4));
      const [segment] = await sampler.generate(
        [{ ...request(id, 1, constant(draw)), isComplete: () => true }],
        plain,
        never,
      );
      sampler.release(id);
      if (segment.tokens[0] !== 1) {
        expect(segment.end).toBe('complete');
        continue;
      }
      expect(segment.end).toBe('endToken');
      return;
    }
    throw new Error('the end token was never drawn');
  });

  test('end at maxTokens and at the end of the context', async () => {
    const short = sampler.open(tokens(4));
    const long = sampler.open(new Int32Array(45).fill(3));
    const noEnd = { ...plain, isGreedy: true };
    const [first, second] = await sampler.generate([request(short, 2), request(long, 100)], noEnd, never);
    expect([first.end, first.tokens.length]).toEqual(['length', 2]);
    expect([second.end, second.tokens.length]).toEqual(['length', 3]);
    const [full] = await sampler.generate([request(long, 5)], noEnd, never);
    expect([full.end, full.tokens.length, full.alternatives]).toEqual(['length', 0, null]);
    sampler.append(long, tokens(2, 2));
    expect((await sampler.generate([request(long, 5)], noEnd, never))[0].tokens).toHaveLength(0);
  });

  test('record alternatives', async () => {
    const id = sampler.open(tokens(4, 5));
    const [segment] = await sampler.generate([request(id, 20)], { ...plain, alternatives: 11 }, never);
    const { alternatives } = segment;
    if (alternatives === null) throw new Error('no alternatives');
    expect(alternatives.ids).toHaveLength(11 * segment.tokens.length);
    for (let at = 0; at < segment.tokens.length; at += 1) {
      const ids = [...alternatives.ids.subarray(at * 11, at * 11 + 11)];
      const logProbs = alternatives.logProbs.subarray(at * 11, at * 11 + 11);
      expect(ids.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(logProbs[ids.indexOf(segment.tokens[at])]).toBe(segment.logProbs[at]);
      const entropy = logProbs.reduce((sum, logProb) => sum - Math.exp(logProb) * logProb, 0);
      expect(entropy).toBeCloseTo(segment.entropies[at], 5);
    }
  });
});

describe('failures', () => {
  test('an aborted generation leaves the sequences as they were', async () => {
    const abort = new AbortController();
    const id = sampler.open(tokens(4));
    const isComplete = (segment: Int32Array): boolean => {
      if (segment.length === 3) abort.abort(new Error('stopped'));
      return false;
    };
    const run = sampler.generate([{ ...request(id, 20, constant(0.5)), isComplete }], plain, abort.signal);
    await expect(run).rejects.toThrow('stopped');
    expect(sampler.lengthOf(id)).toBe(1);
    const track = new Track(id, [4]);
    track.add((await sampler.generate([request(id, 5)], plain, never))[0]);
    await expectAsScored(policy, [track]);
  });

  test('broken weights are reported, and mended ones work again', async () => {
    const good = policy.exportWeights();
    const broken = new Map(good);
    const norm = broken.get('model.norm.weight');
    broken.set('model.norm.weight', { shape: [8], data: new Float32Array(8).fill(Number.NaN) });
    policy.importWeights(broken);
    const track = new Track(sampler.open(tokens(4, 5)), [4, 5]);
    const failed: unknown = await sampler
      .generate([request(track.id, 3)], plain, never)
      .catch((error: unknown) => error);
    expect(failed instanceof EngineError && failed.code).toBe('notFinite');
    expect(norm).toBeDefined();
    policy.importWeights(good);
    track.add((await sampler.generate([request(track.id, 3)], plain, never))[0]);
    await expectAsScored(policy, [track]);
  });

  test('wrong calls are named', async () => {
    const id = sampler.open(tokens(4));
    expect(() => sampler.open(tokens())).toThrow('at least one token');
    expect(() => sampler.open(tokens(11))).toThrow('Token id 11');
    expect(() => sampler.append(id, tokens(-1))).toThrow('Token id -1');
    expect(() => sampler.open(new Int32Array(48))).toThrow('leaves no room');
    expect(() => sampler.fork(id, 2)).toThrow('Cannot share 2 tokens of a sequence that has 1');
    expect(() => sampler.fork(id, 0)).toThrow(RangeError);
    await expect(sampler.generate([request(id, 1), request(id, 1)], plain, never)).rejects.toThrow('twice');
    await expect(sampler.generate([request(id, 0)], plain, never)).rejects.toThrow('maxTokens');
    sampler.release(id);
    expect(() => sampler.lengthOf(id)).toThrow('not open');
    expect(await sampler.generate([], plain, never)).toEqual([]);
  });
});

test('ONNX Runtime and the interpreter sample the same tokens', async () => {
  const onnx = smallPolicy({ executor: await createOnnxExecutor({ intraOpThreads: 1 }) });
  const results = await Promise.all(
    [policy, onnx].map(async (one) => {
      const own = await one.createSampler();
      const ids = [tokens(2, 3), tokens(4), tokens(5, 6, 7, 8, 9, 10, 2, 3)].map((prompt) =>
        own.open(prompt),
      );
      return own.generate(
        ids.map((id, index) => request(id, 20, createRandom(index))),
        plain,
        never,
      );
    }),
  );
  for (const [index, expected] of results[0].entries()) {
    expect(results[1][index].tokens).toEqual(expected.tokens);
    for (const [at, logProb] of expected.logProbs.entries()) {
      expect(results[1][index].logProbs[at]).toBeCloseTo(logProb, 4);
    }
  }
  await onnx.dispose();
});

function countTokens(segments: readonly GeneratedSegment[]): number {
  return segments.reduce((count, segment) => count + segment.tokens.length, 0);
}

function constant(value: number): Random {
  return { next: () => value };
}

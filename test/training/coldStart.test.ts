import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCheckpoint } from '#engine/checkpoint';
import type { Executor } from '#engine/executor';
import { createPolicy, type LlamaPolicy } from '#engine/llamaPolicy';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import type { PolicyTrainer } from '#engine/policy';
import { createEnvironment } from '#environment/createEnvironment';
import type { Environment } from '#environment/environment';
import {
  coldStartLearningRate,
  collectDemonstrations,
  tokenizeDemonstration,
  trainColdStart,
  type ColdStartRecipe,
} from '#training/coldStart';
import { runColdStartGate } from '#training/coldStartGate';
import { directoryHuntGate, directoryHuntRecipe } from '#training/directoryHuntColdStart';
import { arithmeticPython } from '../fakes/arithmeticPython';
import { memoryReader } from '../fakes/documentReader';
import { letterPolicy, never } from './letters';

const shippedFolder = join(import.meta.dirname, '..', '..', 'media', 'policies', 'directory-hunt');

let executor: Executor;
let shipped: LlamaPolicy;
let levelB: Environment;

beforeAll(async () => {
  executor = await createOnnxExecutor({ intraOpThreads: 1 });
  const read = async (name: string): Promise<Uint8Array | null> =>
    await readFile(join(shippedFolder, name)).catch(() => null);
  const checkpoint = await readCheckpoint({ location: shippedFolder, read, write: async () => undefined });
  shipped = createPolicy({ ...checkpoint, executor });
  const ports = { python: arithmeticPython(), reader: memoryReader({}) };
  levelB = await createEnvironment({ name: 'directory-hunt', level: 'B' }, ports);
});
afterAll(async () => {
  await shipped.dispose();
  await executor.dispose();
});

const recipe: ColdStartRecipe = {
  ...directoryHuntRecipe,
  demonstrations: 6,
  steps: 11,
  batch: 4,
  learningRate: 8,
  warmUpSteps: 2,
  finalShare: 0.25,
};

describe('demonstrations', () => {
  test('become tokens of which only the policy’s own are learnt, the end token last', () => {
    const { tokenizer } = shipped;
    const solution = levelB.demonstrations?.solve(levelB.task('coldStart', 3));
    if (solution === undefined) throw new Error('expected demonstrations');
    const { tokens, mask } = tokenizeDemonstration(solution, tokenizer);
    const text = [solution.task.prompt, ...solution.turns.map((turn) => turn.text)].join(' ');
    expect(tokenizer.decode(tokens)).toBe(`${text} <eos>`);
    const learnt = tokenizer.decode(tokens.filter((_, index) => mask[index] === 1));
    const own = solution.turns.filter(({ author }) => author === 'policy').map((turn) => turn.text);
    expect(learnt).toBe(`${own.join(' ')} <eos>`);
  });

  test('are as many as asked for, from each environment its share, the same for the same seed', () => {
    const collect = (seed: number): string[] =>
      collectDemonstrations(
        [
          { environment: levelB, share: 0.25 },
          { environment: levelB, share: 0.75 },
        ],
        40,
        { tokenizer: shipped.tokenizer, seed },
      ).map(({ tokens }) => tokens.join());
    const first = collect(2);
    expect(first).toHaveLength(40);
    expect(collect(2)).toEqual(first);
    expect(collect(3)).not.toEqual(first);
    // The two shares draw their own mistakes.
    expect(first.slice(0, 10)).not.toEqual(first.slice(10, 20));
  });

  test('are required', () => {
    const { demonstrations: _demonstrations, ...without } = levelB;
    const environment: Environment = {
      ...without,
      name: 'questions',
      limits: levelB.limits,
      taskCount: () => 0,
      task: (split, index) => levelB.task(split, index),
      tools: () => [],
      score: (task, response) => levelB.score(task, response),
    };
    const { tokenizer } = shipped;
    expect(() => collectDemonstrations([{ environment, share: 1 }], 1, { tokenizer, seed: 0 })).toThrow(
      'questions: expected demonstrations, it has none',
    );
  });
});

describe('the learning rate', () => {
  test('rises, then falls along a cosine to its final share', () => {
    const rates = Array.from({ length: 11 }, (_, index) => coldStartLearningRate(recipe, index + 1));
    expect(rates.slice(0, 2)).toEqual([4, 8]);
    // Step 2 + 4.5 would be half way; steps 5 and 8 lie symmetrically around the mean of 8 and 2.
    expect(rates[4] + rates[7]).toBeCloseTo(10, 10);
    expect(rates[10]).toBeCloseTo(2, 10);
    expect(rates.slice(1).sort((left, right) => right - left)).toEqual(rates.slice(1));
  });
});

describe('training', () => {
  test('passes over all demonstrations before any comes twice, with weights that add up to 1', async () => {
    const seen: string[] = [];
    const rates: number[] = [];
    const sums: number[] = [];
    const trainer: PolicyTrainer = {
      updates: 0,
      accumulate: async () => ({ loss: 0, logProbs: [], entropies: [] }),
      accumulateLikelihood: async (sequences) => {
        seen.push(...sequences.map(({ tokens }) => tokens.join()));
        sums.push(sequences.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0));
        return { loss: seen.length, logProbs: [], entropies: [] };
      },
      step: async ({ learningRate }) => {
        rates.push(learningRate);
        return { gradientNorm: 1 };
      },
      exportState: () => ({ updates: 0, firstMoments: new Map(), secondMoments: new Map() }),
      importState: () => undefined,
    };
    const { tokenizer } = shipped;
    const demonstrations = collectDemonstrations([{ environment: levelB, share: 1 }], 6, {
      tokenizer,
      seed: 1,
    });
    const losses: number[] = [];
    const onStep = (_step: number, loss: number): void => void losses.push(loss);
    await trainColdStart(
      trainer,
      demonstrations,
      { recipe: { ...recipe, steps: 3 }, seed: 1, onStep },
      never,
    );
    expect(new Set(seen.slice(0, 6)).size).toBe(6);
    expect(new Set(seen.slice(6, 12)).size).toBe(6);
    expect(seen.slice(0, 6)).not.toEqual(seen.slice(6, 12));
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
    expect(losses).toEqual([4, 8, 12]);
    expect(rates).toEqual([1, 2, 3].map((step) => coldStartLearningRate({ ...recipe, steps: 3 }, step)));
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    const again = trainColdStart(trainer, demonstrations, { recipe, seed: 1, onStep }, abort.signal);
    await expect(again).rejects.toThrow('enough');
  });
});

describe('the gate', () => {
  test('passes the shipped policy', async () => {
    const sampler = await shipped.createSampler();
    const results = await runColdStartGate(
      { sampler, tokenizer: shipped.tokenizer },
      levelB,
      directoryHuntGate,
      never,
    );
    expect(results.map(({ name }) => name)).toEqual(['relation', 'attribute', 'operator', 'number', 'name']);
    for (const { tokens, accuracy, minimum, isPassed } of results) {
      expect(tokens).toBeGreaterThan(100);
      expect(accuracy).toBeGreaterThanOrEqual(minimum);
      expect(isPassed).toBe(true);
    }
  });

  test('refuses a policy that has learnt everything but one word', async () => {
    const weights = new Map(shipped.exportWeights());
    const embedding = weights.get('model.embed_tokens.weight');
    if (embedding === undefined) throw new Error('expected an embedding');
    const [, width] = embedding.shape;
    const data = embedding.data.slice();
    // The policy can no longer write or tell this name.
    const [token] = shipped.tokenizer.encode('Ann');
    data.fill(0, token * width, (token + 1) * width);
    weights.set('model.embed_tokens.weight', { shape: embedding.shape, data });
    const damaged = shipped.exportWeights();
    shipped.importWeights(weights);
    const sampler = await shipped.createSampler();
    const classes = [
      { name: 'the lost name', minimum: 0.94, words: ['Ann'] },
      { name: 'operator', minimum: 0.5, words: ['+', '-'] },
      { name: 'unused', minimum: 1, words: ['<pad>'] },
    ];
    const results = await runColdStartGate({ sampler, tokenizer: shipped.tokenizer }, levelB, classes, never);
    shipped.importWeights(damaged);
    expect(results[0]).toMatchObject({ accuracy: 0, isPassed: false });
    expect(results[1].isPassed).toBe(true);
    expect(results[2]).toMatchObject({ accuracy: null, tokens: 0, isPassed: true });
  });

  test('refuses an untrained policy', async () => {
    const policy = letterPolicy({ executor });
    const sampler = await policy.createSampler();
    const environment: Environment = {
      name: 'letters',
      limits: { toolCalls: 1, totalTokens: 20 },
      taskCount: () => Infinity,
      task: (_split, index) => ({ id: String(index), prompt: 'ask a', gold: 'b' }),
      tools: () => [],
      score: () => ({ total: 0, parts: {}, reason: '', isCorrect: false, answer: null }),
      demonstrations: {
        solve: (task) => ({
          task,
          turns: [{ author: 'policy', text: 'b c a b c a' }],
          toolCalls: 0,
          answer: 'b',
          isCorrect: true,
        }),
        attempt: () => null,
      },
    };
    const classes = [{ name: 'letters', minimum: 0.97, words: ['a', 'b', 'c'] }];
    const [result] = await runColdStartGate(
      { sampler, tokenizer: policy.tokenizer },
      environment,
      classes,
      never,
    );
    expect(result).toMatchObject({ tokens: 1200, isPassed: false });
    await policy.dispose();
  });
});

import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { readCheckpoint, writeCheckpoint } from '#engine/checkpoint';
import { listEngines, openEngine } from '#engine/engines';
import { createPolicy } from '#engine/llamaPolicy';
import { initializeWeights } from '#engine/model/llamaWeights';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { memoryFiles } from './memoryFiles';
import { smallConfig, smallPolicy, smallTokenizer } from './smallPolicy';

const never = new AbortController().signal;

describe('a policy', () => {
  test('counts its parameters', () => {
    // Embedding 11·8; per layer 2 norms of 8, queries and output 8·8, keys and values 4·8, and 3 of 8·12; last norm 8.
    expect(smallPolicy().parameterCount).toBe(88 + 2 * (16 + 128 + 64 + 288) + 8);
  });

  test('comes back from a checkpoint with the same numbers', async () => {
    const policy = smallPolicy();
    const trainer = await policy.createTrainer();
    const tokens = [Int32Array.from([2, 3, 4, 5])];
    await trainer.accumulateLikelihood(
      [{ tokens: tokens[0], weights: new Float32Array([0, 1, 1, 1]) }],
      never,
    );
    await trainer.step({
      learningRate: 0.01,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0,
      maxGradientNorm: 1,
    });
    const files = memoryFiles();
    await writeCheckpoint(files, policy.exportCheckpoint(trainer));
    const checkpoint = await readCheckpoint(files);
    const copy = createPolicy({ ...checkpoint, executor: createReferenceExecutor() });
    expect(await copy.scoreTokens(tokens, 1, never)).toEqual(await policy.scoreTokens(tokens, 1, never));
    expect(checkpoint.optimizer).toEqual(trainer.exportState());
    expect(copy.tokenizer.encode('w3 w1')).toEqual(Int32Array.from([3, 1]));
    expect(copy.contextLength).toBe(48);
  });

  test('keeps weights of its own', async () => {
    const weights = initializeWeights(smallConfig, createRandom(3), { std: 0.6 });
    const policy = createPolicy({
      config: smallConfig,
      tokenizer: smallTokenizer,
      weights,
      executor: createReferenceExecutor(),
    });
    const tokens = [Int32Array.from([2, 3, 4])];
    const before = await policy.scoreTokens(tokens, 1, never);
    weights.get('model.norm.weight')?.data.fill(0);
    expect(await policy.scoreTokens(tokens, 1, never)).toEqual(before);
  });

  test('refuses parts that do not belong together', () => {
    const executor = createReferenceExecutor();
    const weights = initializeWeights(smallConfig, createRandom(3), { std: 0.6 });
    const parts = { config: smallConfig, tokenizer: smallTokenizer, weights, executor };
    expect(() => createPolicy({ ...parts, config: { ...smallConfig, vocab_size: 10 } })).toThrow('11 tokens');
    expect(() => createPolicy({ ...parts, config: { ...smallConfig, head_dim: 3 } })).toThrow(
      'head_dim must be even',
    );
    expect(() => createPolicy({ ...parts, weights: new Map() })).toThrow('lacks model.embed_tokens.weight');
    const policy = createPolicy(parts);
    const other = initializeWeights({ ...smallConfig, hidden_size: 4 }, createRandom(1), { std: 1 });
    expect(() => policy.importWeights(other)).toThrow('expected [11, 8]');
  });
});

describe('engines', () => {
  test('are listed with whether they load', async () => {
    expect(await listEngines()).toEqual([
      { name: 'onnx', isAvailable: true, problem: null },
      { name: 'reference', isAvailable: true, problem: null },
    ]);
  });

  test('auto is onnx', async () => {
    expect((await openEngine('auto', { threads: 1 })).name).toBe('onnx');
    await expect(openEngine('onnx', { threads: 0 })).rejects.toThrow('threads');
  });
});

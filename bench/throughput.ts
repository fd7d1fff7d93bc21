/** Training and decoding of a model alone, through the policy's public interface. */
import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import { forwardOperations, trainingOperations } from '#engine/operationCount';
import type { PolicyTrainer, Sampler } from '#engine/policy';
import { secondsOf } from './interleave';
import type { Variant } from './interleave';
import { randomTokens, trainingBatch } from './models';
import type { BenchModel } from './models';

const objective = {
  clipLow: 0.2,
  clipHigh: 0.2,
  dualClip: 3,
  klCoefficient: 0,
  gradientRule: 'ppo',
  temperature: 1,
} as const;
const adam = {
  learningRate: 1e-6,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: 1,
} as const;
const signal = new AbortController().signal;

/** One whole training step: forward, backward and AdamW over `rows` sequences that fill the context. */
export function trainingVariant(model: BenchModel, policy: LlamaPolicy, name: string): Variant {
  const batch = trainingBatch(model);
  const predicted = model.config.max_position_embeddings - 1;
  let trainer: PolicyTrainer | null = null;
  return {
    name,
    run: async () => {
      const opened = (trainer ??= await policy.createTrainer());
      const seconds = await secondsOf(async () => {
        await opened.accumulate(batch, objective, signal);
        await opened.step(adam);
      });
      return {
        seconds,
        tokensPerSecond: (model.rows * predicted) / seconds,
        operationsPerSecond: (model.rows * trainingOperations(model.config, predicted)) / seconds,
      };
    },
  };
}

/** `rows` sequences from one token to a full context, one token per step, with entropies. */
export function decodeVariant(model: BenchModel, policy: LlamaPolicy, name: string): Variant {
  const { max_position_embeddings: context } = model.config;
  let sampler: Sampler | null = null;
  return {
    name,
    run: async () => {
      sampler ??= await policy.createSampler();
      const opened = sampler;
      const sequences = Array.from({ length: model.rows }, (_, row) =>
        opened.open(randomTokens(model, 1, row)),
      );
      const requests = sequences.map((sequence, row) => ({
        sequence,
        maxTokens: context - 1,
        random: createRandom(row),
        // Given tokens, so that no row ends early and every run does the same.
        forcedTokens: randomTokens(model, context - 1, row),
        isComplete: () => false,
      }));
      const sampling = { temperature: 1, topP: 1, topK: 0, isGreedy: false, alternatives: 0 };
      const seconds = await secondsOf(async () => await opened.generate(requests, sampling, signal));
      for (const sequence of sequences) opened.release(sequence);
      return {
        seconds,
        tokensPerSecond: (model.rows * (context - 1)) / seconds,
        operationsPerSecond: (model.rows * forwardOperations(model.config, 0, context - 1)) / seconds,
      };
    },
  };
}

/** Rows and columns of the square matrices behind the measured peak. */
const peakSize = 1024;

/** The most that this engine gets out of the machine: one big float32 matrix product. */
export async function peakVariant(executor: Executor, name: string): Promise<Variant> {
  const builder = new GraphBuilder();
  const shape = [peakSize, peakSize];
  const product = builder.matmul(builder.input('a', 'float32', shape), builder.input('b', 'float32', shape));
  const executable = await executor.compile(builder.finish('peak', { product }));
  const random = createRandom(3);
  const data = Float32Array.from({ length: peakSize ** 2 }, () => random.next() - 0.5);
  const inputs = { a: { type: 'float32', shape, data }, b: { type: 'float32', shape, data } } as const;
  return {
    name,
    run: async () => {
      let seconds = Infinity;
      // The peak is the best, not the typical run.
      for (let run = 0; run < 5; run += 1) {
        seconds = Math.min(seconds, await secondsOf(async () => await executable.run(inputs)));
      }
      return { seconds, operationsPerSecond: (2 * peakSize ** 3) / seconds };
    },
  };
}

/**
 * A language of fourteen words in which even an untrained policy calls tools all the time: for tests
 * that need real trees, real tool results and real training within milliseconds.
 */
import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import { createPolicy, type LlamaPolicy } from '#engine/llamaPolicy';
import { initializeWeights } from '#engine/model/llamaWeights';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';
import type { Environment } from '#environment/environment';
import { ToolFailure, type Tool } from '#environment/tool';
import { ToolCache } from '#environment/toolCache';
import { ToolRunner } from '#environment/toolRunner';
import { readRunConfig, type RunConfig } from '#runs/runConfig';
import { InlineRollouts, type InlineRolloutOptions } from '#training/inlineRollouts';
import { ManualClock } from '../fakes/toolClock';

export const letterWords: readonly string[] =
  '<pad> <eos> <search> </search> <python> </python> <result> </result> ask a b c d fault'.split(' ');
export const endToken = 1;
export const contextLength = 48;
export const never = new AbortController().signal;

const model = {
  vocab_size: letterWords.length,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
  max_position_embeddings: contextLength,
  tie_word_embeddings: true,
  attention_bias: false,
  qk_norm: false,
};

/** An untrained policy; its weights are large enough that it prefers some letters to others. */
export function letterPolicy(options: { executor?: Executor; seed?: number } = {}): LlamaPolicy {
  return createPolicy({
    config: model,
    tokenizer: createWordTokenizerFiles(letterWords, { endToken: '<eos>', padToken: '<pad>', contextLength }),
    weights: initializeWeights(model, createRandom(options.seed ?? 1), { std: 0.5 }),
    executor: options.executor ?? createReferenceExecutor(),
  });
}

/** Ninety steps of practice: the policy opens what it closes, and calls more often than it ends. */
export async function practisedPolicy(executor: Executor, seed = 1): Promise<LlamaPolicy> {
  const policy = letterPolicy({ executor, seed });
  const trainer = await policy.createTrainer();
  const random = createRandom(seed, 77);
  const pick = (words: readonly string[]): string => words[Math.floor(random.next() * words.length)];
  for (let step = 0; step < 90; step += 1) {
    const batch = Array.from({ length: 12 }, () => {
      const call = (): string => {
        const tag = pick(['search', 'search', 'python']);
        const query = [pick(['a', 'b', 'c', 'd']), pick(['', 'a', 'b'])].join(' ');
        return `<${tag}> ${query} </${tag}> <result> ${pick(['a', 'b', 'fault'])} </result>`;
      };
      const calls = Array.from({ length: 1 + Math.floor(3 * random.next()) }, call);
      const text = `ask ${pick(['a', 'b', 'c'])} a ${calls.join(` ${pick(['a', 'b', 'c'])} `)} ${pick(['b', 'c'])} <eos>`;
      const tokens = policy.tokenizer.encode(text);
      return { tokens, weights: new Float32Array(tokens.length).fill(1 / 200) };
    });
    await trainer.accumulateLikelihood(batch, never);
    const rates = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
    await trainer.step({ ...rates, learningRate: 0.03 });
  }
  return policy;
}

const letters = ['a', 'b', 'c'];

/** The next letter of each; `d` is a failure. */
const search: Tool = {
  name: 'search',
  tag: 'search',
  call: async (query) => {
    const words = query.split(/\s+/);
    if (words.includes('d')) throw new ToolFailure('fault', { isTransient: false, summary: 'd is unknown' });
    return words
      .filter((word) => letters.includes(word))
      .map((word) => letters[(letters.indexOf(word) + 1) % 3])
      .join(' ');
  },
};
const python: Tool = { name: 'python', tag: 'python', call: async () => 'a' };

/** Rewards b, punishes c, and likes calls a little. Training and held-out tasks look alike. */
export function letterEnvironment(changes: Partial<Environment> = {}): Environment {
  return {
    name: 'letters',
    limits: { toolCalls: 2, totalTokens: 44 },
    taskCount: () => Infinity,
    task: (split, index) => ({
      id: `letters/${split}/${index}`,
      prompt: `ask ${letters[index % 3]} ${letters[Math.floor(index / 3) % 3]}`,
      gold: 'b',
    }),
    tools: () => [search, python],
    score: (_task, { text, toolCalls }) => {
      const count = (letter: string): number => text.split(/\s+/).filter((word) => word === letter).length;
      const parts = { letters: (count('b') - count('c')) / 4, calls: toolCalls / 8 };
      const total = parts.letters + parts.calls;
      return { total, parts, reason: 'counted', isCorrect: count('b') > count('c'), answer: null };
    },
    ...changes,
  };
}

/** A small, valid run; `changes` are written as in a configuration file. */
export function letterConfig(changes: Record<string, unknown> = {}): RunConfig {
  const { rollout, ...others } = changes;
  const sections = typeof rollout === 'object' && rollout !== null ? rollout : {};
  const { config, problems } = readRunConfig({
    name: 'letters',
    updates: 4,
    evaluation: { tasks: 6, every: 2 },
    optimizer: { learningRate: 0.01, minibatches: 2 },
    ...others,
    rollout: {
      groupsPerUpdate: 3,
      branching: { globalRollouts: 6, initialRollouts: 2, minimumHistory: 4 },
      ...sections,
    },
  });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return config;
}

/** Everything that sampling in this thread takes; calls take no time. */
export function letterParts(changes: Partial<InlineRolloutOptions> = {}): InlineRolloutOptions {
  const tools = new ToolRunner({
    timeoutMs: 1000,
    maxAttempts: 1,
    retryEmpty: false,
    clock: new ManualClock(),
    cache: new ToolCache(),
  });
  return {
    config: letterConfig(),
    policy: letterPolicy(),
    environment: letterEnvironment(),
    runTool: (task, tool, query, signal) => tools.run({ tool, query, scope: task.id, signal }),
    ...changes,
  };
}

export function letterRollouts(changes: Partial<InlineRolloutOptions> = {}): InlineRollouts {
  return new InlineRollouts(letterParts(changes));
}

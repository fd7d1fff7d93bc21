/** The cold start of the built-in policy: one plain Llama for both levels of the directory hunt. */
import { attributes, directoryHuntVocabulary, names, relations } from '#environment/tasks/directoryWords';
import type { ColdStartRecipe } from '#training/coldStart';
import type { GateClass } from '#training/coldStartGate';

/** Share of the demonstrations by level. The mix learns copying sooner than either level alone. */
export const demonstrationShares = { A: 0.6, B: 0.4 } as const;

/**
 * 130,816 parameters. A small rotary base makes "the token before" easy to attend to, from which
 * copying grows; with the usual 10,000 it takes longer.
 */
export const directoryHuntRecipe: ColdStartRecipe = {
  model: {
    vocab_size: directoryHuntVocabulary.length,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    head_dim: 16,
    rms_norm_eps: 1e-6,
    rope_theta: 100,
    max_position_embeddings: 96,
    tie_word_embeddings: true,
    attention_bias: false,
    qk_norm: false,
  },
  initialDeviation: 0.02,
  demonstrations: 24_000,
  steps: 1500,
  batch: 32,
  microBatchTokens: 4096,
  learningRate: 5e-3,
  warmUpSteps: 30,
  finalShare: 0.05,
  optimizer: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
};

/**
 * What the shipped checkpoint must reach on either level. Names are harder on level A, whose results
 * may hold two of them; below this bound reinforcement learning stalls on `new … old …`.
 */
export const directoryHuntGate: readonly GateClass[] = [
  { name: 'relation', minimum: 0.97, words: relations },
  { name: 'attribute', minimum: 0.97, words: attributes },
  { name: 'operator', minimum: 0.97, words: ['+', '-', '*'] },
  { name: 'number', minimum: 0.97, words: directoryHuntVocabulary.filter((word) => /^\d+$/.test(word)) },
  { name: 'name', minimum: 0.94, words: names },
];

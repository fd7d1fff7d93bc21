import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import { createPolicy, type LlamaPolicy } from '#engine/llamaPolicy';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { initializeWeights } from '#engine/model/llamaWeights';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';

/** A model small enough for the float64 interpreter, with grouped queries and tied embeddings. */
export const smallConfig: LlamaConfig = {
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
  max_position_embeddings: 48,
  tie_word_embeddings: true,
  attention_bias: false,
  qk_norm: false,
};

/** Words w0 to w10; w0 pads, w1 ends. */
export const smallTokenizer = createWordTokenizerFiles(
  Array.from({ length: 11 }, (_, id) => `w${id}`),
  { endToken: 'w1', padToken: 'w0', contextLength: 48 },
);

/** A policy with random weights of a size that makes its distributions neither flat nor sharp. */
export function smallPolicy(
  options: { readonly executor?: Executor; readonly seed?: number; readonly microBatchTokens?: number } = {},
): LlamaPolicy {
  return createPolicy({
    config: smallConfig,
    tokenizer: smallTokenizer,
    weights: initializeWeights(smallConfig, createRandom(options.seed ?? 5), { std: 0.6 }),
    executor: options.executor ?? createReferenceExecutor(),
    ...(options.microBatchTokens === undefined ? {} : { microBatchTokens: options.microBatchTokens }),
  });
}

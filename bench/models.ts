/** The models that are measured, and what they are fed with. */
import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import { createPolicy } from '#engine/llamaPolicy';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { initializeWeights } from '#engine/model/llamaWeights';
import type { TrainingSequence } from '#engine/policy';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';

/** A model and the batch it is measured with. */
export interface BenchModel {
  readonly name: string;
  readonly config: LlamaConfig;
  /** Sequences trained and decoded together; each fills the context. */
  readonly rows: number;
}

interface Size {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly context: number;
}

function plainConfig({ vocabulary, width, layers, heads, context }: Size): LlamaConfig {
  return {
    vocab_size: vocabulary,
    hidden_size: width,
    // SwiGLU has three matrices, so 8/3 of the width costs what 4 times does with two (arXiv:2002.05202).
    intermediate_size: Math.round((8 * width) / 3),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    head_dim: width / heads,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    max_position_embeddings: context,
    tie_word_embeddings: false,
    attention_bias: false,
    qk_norm: false,
  };
}

export const smallModel: BenchModel = {
  name: 'S',
  config: plainConfig({ vocabulary: 128, width: 128, layers: 4, heads: 4, context: 128 }),
  rows: 32,
};

export const mediumModel: BenchModel = {
  name: 'M',
  config: plainConfig({ vocabulary: 4096, width: 384, layers: 6, heads: 6, context: 256 }),
  rows: 8,
};

/** Small enough for the reference interpreter. */
export const tinyModel: BenchModel = {
  name: 'tiny',
  config: plainConfig({ vocabulary: 32, width: 16, layers: 1, heads: 2, context: 16 }),
  rows: 4,
};

/** A policy with random weights; token 1 ends a response. */
export function createBenchPolicy({ config }: BenchModel, executor: Executor): LlamaPolicy {
  const words = Array.from({ length: config.vocab_size }, (_, id) => `w${id}`);
  return createPolicy({
    config,
    tokenizer: createWordTokenizerFiles(words, {
      padToken: 'w0',
      endToken: 'w1',
      contextLength: config.max_position_embeddings,
    }),
    weights: initializeWeights(config, createRandom(1), { std: 0.02 }),
    executor,
  });
}

/** Token ids without the padding and the end token. */
export function randomTokens({ config }: BenchModel, length: number, seed: number): Int32Array {
  const random = createRandom(7, seed);
  return Int32Array.from({ length }, () => 2 + Math.floor(random.next() * (config.vocab_size - 2)));
}

/** A batch for the policy objective, as after a rollout; every token is trained. */
export function trainingBatch(model: BenchModel): TrainingSequence[] {
  const length = model.config.max_position_embeddings;
  return Array.from({ length: model.rows }, (_, row) => ({
    tokens: randomTokens(model, length, row),
    weights: new Float32Array(length).fill(1 / (length * model.rows)),
    advantages: new Float32Array(length).fill(row % 2 === 0 ? 1 : -1),
    oldLogProbs: new Float32Array(length).fill(-Math.log(model.config.vocab_size)),
    referenceLogProbs: null,
  }));
}

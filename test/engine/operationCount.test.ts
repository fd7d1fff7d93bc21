import { expect, test } from 'vitest';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { forwardOperations, matrixWeightCount, trainingOperations } from '#engine/operationCount';

const config: LlamaConfig = {
  vocab_size: 10,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 8,
  tie_word_embeddings: false,
  attention_bias: true,
  qk_norm: true,
};
/** Per layer q 4·4, k and v 4·2, o 4·4, and three of 4·6; then the output projection 4·10. */
const matrices = 2 * (16 + 8 + 8 + 16 + 3 * 24) + 40;

test('weights in matrix products leave out norms, biases and looking up the embedding', () => {
  expect(matrixWeightCount(config)).toBe(matrices);
});

test('a tied embedding counts once: as the output projection', () => {
  expect(matrixWeightCount({ ...config, tie_word_embeddings: true })).toBe(matrices);
});

test('the first token attends to itself', () => {
  // 4 operations per pair, 2 heads of 2, 2 layers.
  expect(forwardOperations(config, 0, 1)).toBe(2 * matrices + 4 * 1 * 2 * 2 * 2);
});

test('later tokens attend to all before them', () => {
  // Positions 1 and 2 make 2 + 3 pairs.
  expect(forwardOperations(config, 1, 3)).toBe(2 * 2 * matrices + 4 * 5 * 2 * 2 * 2);
  const parts = forwardOperations(config, 0, 3) + forwardOperations(config, 3, 7);
  expect(parts).toBe(forwardOperations(config, 0, 7));
});

test('training costs three forward passes', () => {
  expect(trainingOperations(config, 3)).toBe(3 * (3 * 2 * matrices + 4 * 6 * 2 * 2 * 2));
});

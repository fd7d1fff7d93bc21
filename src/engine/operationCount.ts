/**
 * The floating-point operations that a policy cannot do without: its floor. A multiplication and an
 * addition count as two. Counted are matrix products; norms, softmax, activations and the optimizer are
 * small beside them, and looking up an embedding is no arithmetic.
 *
 * Forward, per token: 2 · weights in matrices + 4 · pairs · heads · head_dim · layers, where pairs is the
 * number of tokens it attends to, itself included (scores and the weighted sum of values are 2 each).
 * Backward costs twice as much: a gradient for either factor of every product.
 *
 * @see Kaplan et al., arXiv:2001.08361 §2.1 (6 · parameters · tokens).
 */
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';

/** Weights that are factors of matrix products; a tied embedding is one, as the output projection. */
export function matrixWeightCount(config: LlamaConfig): number {
  let count = 0;
  for (const [name, shape] of weightShapes(config)) {
    const isLookUp = name === 'model.embed_tokens.weight' && !config.tie_word_embeddings;
    if (shape.length === 2 && !isLookUp) count += shape[0] * shape[1];
  }
  return count;
}

/** Operations of the forward pass over tokens at the positions `start` to `end` − 1 of one sequence. */
export function forwardOperations(config: LlamaConfig, start: number, end: number): number {
  const { num_attention_heads: heads, head_dim: width, num_hidden_layers: layers } = config;
  const pairs = (end * (end + 1) - start * (start + 1)) / 2;
  return 2 * matrixWeightCount(config) * (end - start) + 4 * pairs * heads * width * layers;
}

/** Operations of forward and backward pass over a sequence of `length` predicted tokens. */
export function trainingOperations(config: LlamaConfig, length: number): number {
  return 3 * forwardOperations(config, 0, length);
}

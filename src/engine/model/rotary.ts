import type { LlamaConfig } from '#engine/model/llamaConfig';

/** Cosines and sines of the rotary angles, `[N, head_dim]` each; the second half repeats the first. */
export interface RotaryTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * The `cos` and `sin` inputs of the model graphs. With Hugging Face's convention dimension i turns with
 * dimension i + head_dim / 2 by the angle position · rope_theta^(−2i / head_dim).
 *
 * @param positions `[N]` distance of each token from the start of its sequence (its depth in a packed
 *   tree); for `[B, T]` tokens N = B · T, row by row.
 * @see Su et al., RoFormer, arXiv:2104.09864 §3.4; transformers `LlamaRotaryEmbedding`.
 */
export function rotaryTables(config: LlamaConfig, positions: ArrayLike<number>): RotaryTables {
  const width = config.head_dim;
  const half = width / 2;
  const cos = new Float32Array(positions.length * width);
  const sin = new Float32Array(positions.length * width);
  for (let index = 0; index < half; index += 1) {
    const frequency = config.rope_theta ** ((-2 * index) / width);
    for (let row = 0; row < positions.length; row += 1) {
      const angle = positions[row] * frequency;
      const first = row * width + index;
      cos[first] = cos[first + half] = Math.cos(angle);
      sin[first] = sin[first + half] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

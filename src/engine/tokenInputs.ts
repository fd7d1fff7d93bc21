import { EngineError } from '#engine/engineError';
import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { rotaryTables, type RotaryTables } from '#engine/model/rotary';

const HIDDEN = -1e9;

/**
 * Makes the inputs of the loss and score graphs from whole sequences. A sequence of T tokens has T − 1
 * positions: place t of a row holds token t as input and everything about token t + 1, the one that is
 * predicted there. Shorter rows are padded at the end, where the causal mask keeps them from being seen.
 */
export class TokenInputs {
  readonly #headSize: number;
  readonly #contextLength: number;
  readonly #rotary: RotaryTables;

  constructor(config: LlamaConfig) {
    this.#headSize = config.head_dim;
    this.#contextLength = config.max_position_embeddings;
    this.#rotary = rotaryTables(
      config,
      Array.from({ length: this.#contextLength }, (_, position) => position),
    );
  }

  /**
   * @returns `tokens` and `targets` `[B, L]`, `cos` and `sin` `[B, L, head_dim]`, `attentionMask`
   *   `[1, 1, L, L]`, with L = the largest T − 1.
   * @throws EngineError `contextOverflow` when a sequence is longer than the context.
   */
  create(sequences: readonly Int32Array[]): Record<string, HostTensor> {
    const rows = sequences.length;
    const longest = Math.max(...sequences.map(({ length }) => length));
    if (longest > this.#contextLength) {
      throw new EngineError(
        'contextOverflow',
        `A sequence of ${longest} tokens does not fit: the policy sees ${this.#contextLength} tokens in all.`,
      );
    }
    const width = longest - 1;
    const tokens = new Int32Array(rows * width);
    const targets = new Int32Array(rows * width);
    for (const [row, sequence] of sequences.entries()) {
      tokens.set(sequence.subarray(0, -1), row * width);
      targets.set(sequence.subarray(1), row * width);
    }
    return {
      tokens: { type: 'int32', shape: [rows, width], data: tokens },
      targets: { type: 'int32', shape: [rows, width], data: targets },
      cos: this.#repeat(this.#rotary.cos, rows, width),
      sin: this.#repeat(this.#rotary.sin, rows, width),
      attentionMask: { type: 'float32', shape: [1, 1, width, width], data: causalMask(width) },
    };
  }

  #repeat(table: Float32Array, rows: number, width: number): HostTensor {
    const size = width * this.#headSize;
    const data = new Float32Array(rows * size);
    for (let row = 0; row < rows; row += 1) data.set(table.subarray(0, size), row * size);
    return { type: 'float32', shape: [rows, width, this.#headSize], data };
  }
}

/**
 * Pads numbers per token as `TokenInputs` pads tokens.
 *
 * @param values Per sequence `[T]`, aligned with its tokens; that of token 0 is not used.
 * @param width L.
 * @returns `[B, L]`, 0 where padded.
 */
export function padTokenValues(values: readonly Float32Array[], width: number): HostTensor {
  const data = new Float32Array(values.length * width);
  for (const [row, numbers] of values.entries()) data.set(numbers.subarray(1), row * width);
  return { type: 'float32', shape: [values.length, width], data };
}

/**
 * The inverse: row `row` of `[B, L]` as numbers per token.
 *
 * @returns `[T]`, 0 at position 0, where nothing was predicted.
 */
export function unpadTokenValues(
  padded: Float32Array,
  row: number,
  sizes: { width: number; length: number },
): Float32Array {
  const numbers = new Float32Array(sizes.length);
  const start = row * sizes.width;
  numbers.set(padded.subarray(start, start + sizes.length - 1), 1);
  return numbers;
}

function causalMask(width: number): Float32Array {
  const mask = new Float32Array(width * width);
  for (let row = 0; row < width; row += 1) mask.fill(HIDDEN, row * width + row + 1, (row + 1) * width);
  return mask;
}

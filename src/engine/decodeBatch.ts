import type { HostTensor } from '#engine/executor';
import type { KeyValueCache } from '#engine/keyValueCache';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { Sequence } from '#engine/sequence';
import { rotaryTables, type RotaryTables } from '#engine/model/rotary';

/** Added to the scores of what must not be seen; finite, so that a fully hidden row has no NaN. */
const HIDDEN = -1e9;

/**
 * Writes the inputs of the decode graph into buffers that are used again for every step. Rows shorter
 * than the chunk are padded; what a padded place computes is never read.
 */
export class DecodeBatch {
  readonly #headSize: number;
  readonly #contextLength: number;
  readonly #rotary: RotaryTables;
  #tokens = new Int32Array(0);
  #cos = new Float32Array(0);
  #sin = new Float32Array(0);
  #mask = new Float32Array(0);
  #select = new Float32Array(0);

  constructor(config: LlamaConfig) {
    this.#headSize = config.head_dim;
    this.#contextLength = config.max_position_embeddings;
    this.#rotary = rotaryTables(
      config,
      Array.from({ length: this.#contextLength }, (_, position) => position),
    );
  }

  /**
   * @param sequences Sequence b is in row b of the cache. Of each the first `chunk` pending tokens are fed,
   *   or all of them when there are fewer.
   * @param chunk C ≥ 1.
   * @returns Inputs without the weights; valid until the next call.
   */
  inputs(sequences: readonly Sequence[], chunk: number, cache: KeyValueCache): Record<string, HostTensor> {
    const [count, width, past] = [sequences.length, this.#headSize, cache.length];
    this.#reserve(count * chunk, past + chunk);
    for (const [row, sequence] of sequences.entries()) {
      this.#writeTokens(row, sequence, chunk);
      this.#writeMask(row, sequence.cached, chunk, past);
    }
    const turn = [count, chunk, width];
    const inputs: Record<string, HostTensor> = {
      tokens: { type: 'int32', shape: [count, chunk], data: this.#tokens.subarray(0, count * chunk) },
      cos: { type: 'float32', shape: turn, data: this.#cos.subarray(0, count * chunk * width) },
      sin: { type: 'float32', shape: turn, data: this.#sin.subarray(0, count * chunk * width) },
      attentionMask: {
        type: 'float32',
        shape: [count, 1, chunk, past + chunk],
        data: this.#mask.subarray(0, count * chunk * (past + chunk)),
      },
      select: { type: 'float32', shape: [count, 1, chunk], data: this.#select.subarray(0, count * chunk) },
    };
    cache.addInputs(inputs, count);
    return inputs;
  }

  #reserve(tokens: number, keys: number): void {
    if (this.#tokens.length < tokens) {
      this.#tokens = new Int32Array(tokens);
      this.#select = new Float32Array(tokens);
      this.#cos = new Float32Array(tokens * this.#headSize);
      this.#sin = new Float32Array(tokens * this.#headSize);
    }
    if (this.#mask.length < tokens * keys) this.#mask = new Float32Array(tokens * keys);
  }

  #writeTokens(row: number, sequence: Sequence, chunk: number): void {
    const { cached } = sequence;
    const count = Math.min(chunk, sequence.pending);
    const width = this.#headSize;
    const { cos, sin } = this.#rotary;
    for (let place = 0; place < chunk; place += 1) {
      const index = row * chunk + place;
      this.#tokens[index] = place < count ? sequence.tokenAt(cached + place) : 0;
      this.#select[index] = place === count - 1 ? 1 : 0;
      const position = Math.min(cached + place, this.#contextLength - 1);
      for (let dimension = 0; dimension < width; dimension += 1) {
        this.#cos[index * width + dimension] = cos[position * width + dimension];
        this.#sin[index * width + dimension] = sin[position * width + dimension];
      }
    }
  }

  /** A token sees what is cached, itself, and the tokens of its chunk before it. */
  #writeMask(row: number, cached: number, chunk: number, past: number): void {
    const mask = this.#mask;
    for (let place = 0; place < chunk; place += 1) {
      const start = (row * chunk + place) * (past + chunk);
      mask.fill(0, start, start + cached);
      mask.fill(HIDDEN, start + cached, start + past);
      mask.fill(0, start + past, start + past + place + 1);
      mask.fill(HIDDEN, start + past + place + 1, start + past + chunk);
    }
  }
}

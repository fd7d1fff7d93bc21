import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';

/** Positions are added this many at a time, so that short contexts stay cheap. */
const LENGTH_BUCKET = 32;
const SMALLEST_ROW_COUNT = 16;

/** New entries of one row, as the decode graph returned them for a chunk of tokens. */
export interface CacheWrite {
  /** The row, in the cache and in the outputs of the graph alike. */
  readonly row: number;
  /** First position to write. */
  readonly start: number;
  /** Real tokens of the chunk; those after them are padding. */
  readonly count: number;
}

/**
 * Keys and values of many sequences in main memory. Row r of every layer belongs to one sequence. The
 * layout is that of the decode graph's inputs, so that rows 0 to B − 1 are handed to it without a copy:
 * keys `[rows, Hkv, head_dim, P]`, values `[rows, Hkv, P, head_dim]`. Entries past the length of a row
 * are old but finite numbers; the attention mask hides them.
 */
export class KeyValueCache {
  readonly #heads: number;
  readonly #headSize: number;
  readonly #layers: number;
  #keys: Float32Array[];
  #values: Float32Array[];
  #rows = SMALLEST_ROW_COUNT;
  #length = LENGTH_BUCKET;
  /** One row, while two rows change places. */
  #spare: Float32Array;

  constructor(config: LlamaConfig) {
    this.#heads = config.num_key_value_heads;
    this.#headSize = config.head_dim;
    this.#layers = config.num_hidden_layers;
    this.#keys = this.#allocate();
    this.#values = this.#allocate();
    this.#spare = new Float32Array(this.#rowSize);
  }

  /** P: positions of every row. */
  get length(): number {
    return this.#length;
  }

  get #rowSize(): number {
    return this.#heads * this.#headSize * this.#length;
  }

  /**
   * Makes room for `rows` rows of `length` positions and keeps the content of the rows before `used`.
   * Rows get shorter again when fewer positions are needed; memory is kept for later.
   */
  resize({
    rows,
    length,
    used,
  }: {
    readonly rows: number;
    readonly length: number;
    readonly used: number;
  }): void {
    const newLength = Math.max(1, Math.ceil(length / LENGTH_BUCKET)) * LENGTH_BUCKET;
    while (this.#rows < rows) this.#rows *= 2;
    const oldLength = this.#length;
    this.#length = newLength;
    const capacity = this.#rows * this.#rowSize;
    if (this.#keys[0].length < capacity) {
      this.#keys = this.#keys.map((array) => enlarged(array, capacity));
      this.#values = this.#values.map((array) => enlarged(array, capacity));
    }
    if (oldLength === newLength) return;
    this.#spare = new Float32Array(this.#rowSize);
    const [heads, headSize] = [used * this.#heads, this.#headSize];
    const keyLines = { count: heads * headSize, from: oldLength, to: newLength };
    const valueBlocks = { count: heads, from: oldLength * headSize, to: newLength * headSize };
    for (const array of this.#keys) moveBlocks(array, keyLines);
    for (const array of this.#values) moveBlocks(array, valueBlocks);
  }

  /** Sets all entries to 0: after a computation that was not finite, no mask can hide them. */
  clear(): void {
    for (const array of [...this.#keys, ...this.#values]) array.fill(0);
  }

  copyRow(from: number, to: number): void {
    const size = this.#rowSize;
    for (const array of this.#keys) array.copyWithin(to * size, from * size, (from + 1) * size);
    for (const array of this.#values) array.copyWithin(to * size, from * size, (from + 1) * size);
  }

  swapRows(first: number, second: number): void {
    const size = this.#rowSize;
    for (const arrays of [this.#keys, this.#values]) {
      for (const array of arrays) {
        this.#spare.set(array.subarray(first * size, (first + 1) * size));
        array.copyWithin(first * size, second * size, (second + 1) * size);
        array.set(this.#spare, second * size);
      }
    }
  }

  /** Adds the inputs `past.{i}.key` and `past.{i}.value` for rows 0 to `rows` − 1; views, not copies. */
  addInputs(inputs: Record<string, HostTensor>, rows: number): void {
    const [heads, headSize, length] = [this.#heads, this.#headSize, this.#length];
    const end = rows * this.#rowSize;
    for (let layer = 0; layer < this.#layers; layer += 1) {
      const key = this.#keys[layer].subarray(0, end);
      const value = this.#values[layer].subarray(0, end);
      inputs[`past.${layer}.key`] = { type: 'float32', shape: [rows, heads, headSize, length], data: key };
      inputs[`past.${layer}.value`] = {
        type: 'float32',
        shape: [rows, heads, length, headSize],
        data: value,
      };
    }
  }

  /**
   * Stores the outputs `present.{i}.key` and `present.{i}.value` of a chunk.
   *
   * @param chunk C, the tokens per row of the outputs.
   */
  store(outputs: Readonly<Record<string, HostTensor>>, chunk: number, writes: readonly CacheWrite[]): void {
    for (let layer = 0; layer < this.#layers; layer += 1) {
      const keys = float32(outputs, `present.${layer}.key`);
      const values = float32(outputs, `present.${layer}.value`);
      for (const write of writes) {
        this.#storeKeys(this.#keys[layer], keys, chunk, write);
        this.#storeValues(this.#values[layer], values, chunk, write);
      }
    }
  }

  #storeKeys(target: Float32Array, source: Float32Array, chunk: number, write: CacheWrite): void {
    const lines = this.#heads * this.#headSize;
    const length = this.#length;
    const { row, start, count } = write;
    let from = row * lines * chunk;
    const end = (row + 1) * lines * length;
    // One token is by far the most frequent, and an inner loop of one round costs more than its work.
    if (chunk === 1) {
      for (let to = row * lines * length + start; to < end; to += length, from += 1)
        target[to] = source[from];
      return;
    }
    for (let to = row * lines * length + start; to < end; to += length, from += chunk) {
      for (let token = 0; token < count; token += 1) target[to + token] = source[from + token];
    }
  }

  #storeValues(target: Float32Array, source: Float32Array, chunk: number, write: CacheWrite): void {
    const headSize = this.#headSize;
    const size = write.count * headSize;
    for (let head = write.row * this.#heads; head < (write.row + 1) * this.#heads; head += 1) {
      const from = head * chunk * headSize;
      const to = (head * this.#length + write.start) * headSize;
      for (let index = 0; index < size; index += 1) target[to + index] = source[from + index];
    }
  }

  #allocate(): Float32Array[] {
    return Array.from({ length: this.#layers }, () => new Float32Array(this.#rows * this.#rowSize));
  }
}

/**
 * Changes the size of blocks in place. What is added to a block is whatever lay there: old numbers.
 * Blocks that become larger are moved from the last one on, so that none is overwritten before it moved.
 */
function moveBlocks(
  array: Float32Array,
  { count, from, to }: { readonly count: number; readonly from: number; readonly to: number },
): void {
  const size = Math.min(from, to);
  const step = to > from ? -1 : 1;
  for (let done = 0, block = to > from ? count - 1 : 0; done < count; done += 1, block += step) {
    array.copyWithin(block * to, block * from, block * from + size);
  }
}

function enlarged(array: Float32Array, length: number): Float32Array {
  const larger = new Float32Array(length);
  larger.set(array);
  return larger;
}

function float32(tensors: Readonly<Record<string, HostTensor>>, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor?.type === 'float32') return tensor.data;
  throw new Error(`Broken invariant: the decode graph has no float32 output ${name}`);
}

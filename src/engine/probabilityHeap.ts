/**
 * Takes the most probable tokens of a row one after the other without sorting the row: a binary heap
 * over token ids, in memory that is reused for every row.
 */
export class ProbabilityHeap {
  readonly #ids: Int32Array;
  #values: Float64Array;
  #size = 0;

  /** @param vocabularySize Most tokens of a row. */
  constructor(vocabularySize: number) {
    this.#ids = new Int32Array(vocabularySize);
    this.#values = new Float64Array(0);
  }

  /**
   * Puts all tokens on the heap, in time linear in their number.
   *
   * @param values `[V]`, at most the `vocabularySize` of the heap; read until the last `pop`, not modified.
   */
  fill(values: Float64Array): void {
    this.#values = values;
    this.#size = values.length;
    for (let id = 0; id < this.#size; id += 1) this.#ids[id] = id;
    for (let index = (this.#size >> 1) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  /** Takes the token of the largest value; of equal ones the lowest id. −1 when none is left. */
  pop(): number {
    if (this.#size === 0) return -1;
    const top = this.#ids[0];
    this.#size -= 1;
    this.#ids[0] = this.#ids[this.#size];
    this.#sink(0);
    return top;
  }

  #sink(start: number): void {
    const ids = this.#ids;
    const moved = ids[start];
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(ids[child + 1], ids[child])) child += 1;
      if (!this.#isBefore(ids[child], moved)) break;
      ids[index] = ids[child];
      index = child;
    }
    if (start < this.#size) ids[index] = moved;
  }

  #isBefore(first: number, second: number): boolean {
    const difference = this.#values[first] - this.#values[second];
    return difference > 0 || (difference === 0 && first < second);
  }
}

import type { SequenceId } from '#engine/policy';

/** An open sequence of a sampler: its tokens, and how many of them have their keys and values cached. */
export class Sequence {
  readonly id: SequenceId;
  /** Tokens whose keys and values are in the cache, from the start; at most `length`. */
  cached = 0;
  /** Row of the cache, or −1 while nothing is cached. */
  row = -1;
  #tokens: Int32Array;
  #length: number;

  /** @param tokens Copied. */
  constructor(id: SequenceId, tokens: Int32Array) {
    this.id = id;
    this.#tokens = new Int32Array(Math.max(64, 2 * tokens.length));
    this.#tokens.set(tokens);
    this.#length = tokens.length;
  }

  get length(): number {
    return this.#length;
  }

  /** Tokens that are not cached yet. */
  get pending(): number {
    return this.#length - this.cached;
  }

  /** `[length]`, a view that the next `append` may make stale. */
  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  tokenAt(position: number): number {
    return this.#tokens[position];
  }

  append(tokens: Int32Array): void {
    this.#reserve(this.#length + tokens.length);
    this.#tokens.set(tokens, this.#length);
    this.#length += tokens.length;
  }

  push(token: number): void {
    this.#reserve(this.#length + 1);
    this.#tokens[this.#length] = token;
    this.#length += 1;
  }

  /** Forgets the tokens from `length` on, and what is cached of them. */
  truncate(length: number): void {
    this.#length = length;
    this.cached = Math.min(this.cached, length);
  }

  /** A number that equal token sequences share (FNV-1a). */
  hash(): number {
    let hash = 0x811c9dc5;
    for (let index = 0; index < this.#length; index += 1) {
      hash = Math.imul(hash ^ this.#tokens[index], 0x01000193);
    }
    return hash;
  }

  /** How many tokens from the start are the same in both, at most `limit`. */
  commonLength(other: Sequence, limit: number): number {
    const end = Math.min(limit, this.#length, other.#length);
    for (let index = 0; index < end; index += 1) {
      if (this.#tokens[index] !== other.#tokens[index]) return index;
    }
    return end;
  }

  #reserve(length: number): void {
    if (length <= this.#tokens.length) return;
    const grown = new Int32Array(2 * length);
    grown.set(this.#tokens);
    this.#tokens = grown;
  }
}

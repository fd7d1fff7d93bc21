import { assert } from '#base/assert';
import type { HostTensor } from '#engine/executor';
import { KeyValueCache } from '#engine/keyValueCache';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { Sequence } from '#engine/sequence';

/** Which sequence is cached in which row; rows have no gaps, and a moved row takes its content along. */
export class CacheRows {
  readonly cache: KeyValueCache;
  readonly #rows: Sequence[] = [];

  constructor(config: LlamaConfig) {
    this.cache = new KeyValueCache(config);
  }

  /** Gives a sequence a row, with the longest prefix that any cached sequence shares with it. */
  adopt(sequence: Sequence): void {
    let source: Sequence | null = null;
    let longest = 0;
    for (const candidate of this.#rows) {
      if (candidate.cached <= longest) continue;
      // The last token is always fed, because the logits after it are wanted.
      const length = candidate.commonLength(sequence, Math.min(candidate.cached, sequence.length - 1));
      if (length > longest) [source, longest] = [candidate, length];
    }
    this.#add(sequence);
    if (source !== null) this.copy(source, sequence, longest);
  }

  /** Copies the first `cached` entries of one sequence to another, which gets a row if it has none. */
  copy(from: Sequence, to: Sequence, cached: number): void {
    if (to.row < 0) this.#add(to);
    this.cache.copyRow(from.row, to.row);
    to.cached = cached;
  }

  remove(sequence: Sequence): void {
    if (sequence.row < 0) return;
    const last = this.#rows.pop();
    if (last !== undefined && last !== sequence) {
      // What the removed row holds is wanted no more, so this is a third of an exchange.
      this.cache.copyRow(last.row, sequence.row);
      this.#rows[sequence.row] = last;
      last.row = sequence.row;
    }
    sequence.row = -1;
    sequence.cached = 0;
  }

  /** Empties all rows; the sequences are computed again when they are wanted. */
  forgetAll(): void {
    for (const sequence of this.#rows) {
      sequence.row = -1;
      sequence.cached = 0;
    }
    this.#rows.length = 0;
  }

  swap(first: number, second: number): void {
    this.cache.swapRows(first, second);
    [this.#rows[first], this.#rows[second]] = [this.#rows[second], this.#rows[first]];
    this.#rows[first].row = first;
    this.#rows[second].row = second;
  }

  /** Orders the rows by falling rank with few exchanges: rows of the right rank stay where they are. */
  arrange(rankOf: (sequence: Sequence) => number): void {
    const ranks = this.#rows.map(rankOf);
    const sorted = ranks.toSorted((first, second) => second - first);
    for (let row = 0; row < ranks.length; row += 1) {
      if (ranks[row] === sorted[row]) continue;
      const other = misplacedAfter(ranks, sorted, row);
      this.swap(row, other);
      [ranks[row], ranks[other]] = [ranks[other], ranks[row]];
    }
  }

  /** Makes room for `length` positions in every row. */
  grow(length: number): void {
    if (length > this.cache.length) this.#resize(length, this.#rows.length);
  }

  /** Makes room for all tokens of the sequences, and gives room back that no row needs. */
  fit(sequences: readonly Sequence[]): void {
    let length = 0;
    for (const { cached } of this.#rows) length = Math.max(length, cached);
    for (const sequence of sequences) length = Math.max(length, sequence.length);
    this.#resize(length, this.#rows.length);
  }

  /** Stores what the decode graph returned for rows 0 to B − 1. */
  store(outputs: Readonly<Record<string, HostTensor>>, chunk: number, sequences: readonly Sequence[]): void {
    const writes = sequences.map(({ row, cached, pending }) => {
      return { row, start: cached, count: Math.min(chunk, pending) };
    });
    this.cache.store(outputs, chunk, writes);
    for (const [row, sequence] of sequences.entries()) sequence.cached += writes[row].count;
  }

  #add(sequence: Sequence): void {
    sequence.row = this.#rows.length;
    this.#resize(this.cache.length, this.#rows.length + 1);
    this.#rows.push(sequence);
  }

  #resize(length: number, rows: number): void {
    this.cache.resize({ rows, length, used: this.#rows.length });
  }
}

/** A row after `row` that has the rank wanted there, while another rank is wanted where it is. */
function misplacedAfter(ranks: readonly number[], sorted: readonly number[], row: number): number {
  const other = ranks.findIndex(
    (rank, index) => index > row && rank === sorted[row] && sorted[index] !== rank,
  );
  assert(other > row, 'the sorted ranks are those of the rows');
  return other;
}

/**
 * Groups sequences into padded batches: of similar length, so that little is padding, and in an order
 * that depends on nothing but the lengths.
 *
 * @param lengths Positions that each sequence needs, ≥ 0; those of 0 are in no batch.
 * @param budget Most positions of one batch, padding included, ≥ 1; a longer sequence is alone.
 * @returns Indices of the sequences per batch, longest first.
 */
export function planMicroBatches(lengths: readonly number[], budget: number): number[][] {
  if (!(budget >= 1)) throw new RangeError(`microBatchTokens must be at least 1, but is ${budget}.`);
  const order = [...lengths.keys()]
    .filter((index) => lengths[index] > 0)
    .toSorted((first, second) => lengths[second] - lengths[first] || first - second);
  const batches: number[][] = [];
  let current: number[] = [];
  for (const index of order) {
    // The first sequence of a batch is its longest, and so its width.
    if (current.length > 0 && (current.length + 1) * lengths[current[0]] > budget) {
      batches.push(current);
      current = [];
    }
    current.push(index);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** Order statistics of measurements, which have outliers on one side and so want no mean. */

/**
 * The value below which `share` of the values lie, linear between neighbours.
 *
 * @param share In [0, 1]; 0.5 is the median.
 * @throws RangeError for an empty list.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('values: expected at least one, got none');
  const sorted = values.toSorted((first, second) => first - second);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** The middle value; of an even count the mean of the two middle ones. @throws RangeError when empty. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

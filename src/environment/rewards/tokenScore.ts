const exactWords = new Set(['yes', 'no', 'noanswer']);

/**
 * F1 of two normalized texts as bags of words; yes, no and noanswer on either side must match exactly.
 *
 * @returns in [0, 1].
 */
export function tokenScore(prediction: string, gold: string): number {
  if (prediction !== gold && (exactWords.has(prediction) || exactWords.has(gold))) return 0;
  const predicted = prediction.split(' ').filter(Boolean);
  const expected = gold.split(' ').filter(Boolean);
  const remaining = new Map<string, number>();
  for (const word of expected) remaining.set(word, (remaining.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const left = remaining.get(word) ?? 0;
    if (left === 0) continue;
    remaining.set(word, left - 1);
    common += 1;
  }
  if (common === 0) return 0;
  const precision = common / predicted.length;
  const recall = common / expected.length;
  return (2 * precision * recall) / (precision + recall);
}

/** The best score over several golds; 0 when there are none. */
export function bestTokenScore(golds: readonly string[], scoreOf: (gold: string) => number): number {
  return golds.reduce((best, gold) => Math.max(best, scoreOf(gold)), 0);
}

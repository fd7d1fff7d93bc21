/** What a comparison of conditions over seeds is reduced to. */

/** The policy's held-out accuracy at one point of a run. */
export interface AccuracyPoint {
  readonly update: number;
  /** Tool calls paid for training so far. */
  readonly paidCalls: number;
  readonly sampled: number;
  readonly greedy: number;
}

/** One run of one condition. */
export interface ExperimentRun {
  readonly condition: string;
  readonly seed: number;
  /** Ordered by update; the first is before any. */
  readonly curve: readonly AccuracyPoint[];
  readonly paidCalls: number;
  readonly inheritedCalls: number;
  readonly generatedTokens: number;
  readonly branches: number;
}

/** A mean over seeds and its spread. */
export interface Spread {
  readonly mean: number;
  /** Sample deviation; 0 for a single value. */
  readonly deviation: number;
  readonly count: number;
}

/** @throws RangeError for an empty list. */
export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  if (count === 0) throw new RangeError('values: expected at least one, got none');
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count === 1 ? 0 : Math.sqrt(squares / (count - 1)), count };
}

/**
 * Sampled accuracy after a number of paid calls, between two evaluations by linear interpolation.
 *
 * @returns `null` when the run never paid so many.
 */
export function accuracyAtCalls(curve: readonly AccuracyPoint[], calls: number): number | null {
  const next = curve.findIndex(({ paidCalls }) => paidCalls >= calls);
  if (next === -1) return null;
  const after = curve[next];
  if (next === 0 || after.paidCalls === calls) return after.sampled;
  const before = curve[next - 1];
  const share = (calls - before.paidCalls) / (after.paidCalls - before.paidCalls);
  return before.sampled + share * (after.sampled - before.sampled);
}

/** Mean sampled accuracy over a run's updates (trapezoids between evaluations): how fast it learnt. */
export function meanOverRun(curve: readonly AccuracyPoint[]): number {
  let area = 0;
  for (let index = 1; index < curve.length; index += 1) {
    const [from, to] = [curve[index - 1], curve[index]];
    area += ((from.sampled + to.sampled) / 2) * (to.update - from.update);
  }
  const length = curve[curve.length - 1].update - curve[0].update;
  return length === 0 ? curve[0].sampled : area / length;
}

/** Difference of two conditions seed by seed, which share their tasks and evaluation tasks. */
export function pairedDifference(
  first: readonly ExperimentRun[],
  second: readonly ExperimentRun[],
  valueOf: (run: ExperimentRun) => number | null,
): Spread | null {
  const bySeed = new Map(second.map((run) => [run.seed, run]));
  const differences = first.flatMap((run) => {
    const partner = bySeed.get(run.seed);
    const own = valueOf(run);
    const other = partner === undefined ? null : valueOf(partner);
    return own === null || other === null ? [] : [own - other];
  });
  return differences.length === 0 ? null : spreadOf(differences);
}

/** `87.0 ± 2.1`, in percent. */
export function formatShare(spread: Spread | null): string {
  if (spread === null) return '–';
  return `${(100 * spread.mean).toFixed(1)} ± ${(100 * spread.deviation).toFixed(1)}`;
}

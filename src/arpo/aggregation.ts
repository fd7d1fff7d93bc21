/** How the losses of many tokens become one number, as weights per token or directly. */
import { unreachable } from '#base/assert';

/**
 * The four aggregations of verl.
 * - `tokenMean`: over all tokens. The released code, though only within a micro-batch, whose results it
 *   then weights by sequences; here it is exact over the whole batch.
 * - `seqMeanTokenMean`: mean over sequences of the mean over tokens (the paper's Eq. 6).
 * - `seqMeanTokenSum`: mean over sequences of the sum over tokens.
 * - `seqMeanTokenSumNorm`: sum over everything, divided by a constant length (Dr.GRPO).
 */
export type AggregationMode = 'tokenMean' | 'seqMeanTokenMean' | 'seqMeanTokenSum' | 'seqMeanTokenSumNorm';

/** How to aggregate. */
export interface Aggregation {
  readonly mode: AggregationMode;
  /** Divisor of `seqMeanTokenSumNorm`, ≥ 1; the others ignore it. */
  readonly constantLength: number;
}

/**
 * The weight of one trained token of each sequence, so that Σ weight · loss is the aggregate.
 *
 * @param trainedTokens `[S]` tokens per sequence that carry loss. A sequence without any gets weight 0
 *   and still counts as a sequence.
 * @returns `[S]`.
 */
export function sequenceWeights(trainedTokens: readonly number[], aggregation: Aggregation): number[] {
  const total = trainedTokens.reduce((sum, tokens) => sum + tokens, 0);
  const sequences = trainedTokens.length;
  return trainedTokens.map((tokens) =>
    tokens === 0 ? 0 : weightOf(tokens, { total, sequences }, aggregation),
  );
}

/**
 * Weights for every token of a batch.
 *
 * @param lossMasks Per sequence `[T]`, 1 = trained on.
 * @returns Per sequence `[T]`; 0 where the mask is 0.
 */
export function tokenWeights(lossMasks: readonly Uint8Array[], aggregation: Aggregation): Float32Array[] {
  const trained = lossMasks.map((mask) => mask.reduce((sum, bit) => sum + bit, 0));
  const weights = sequenceWeights(trained, aggregation);
  return lossMasks.map((mask, index) => Float32Array.from(mask, (bit) => bit * weights[index]));
}

/** Aggregates losses `[S][T_s]` of trained tokens directly. */
export function aggregateLosses(losses: readonly (readonly number[])[], aggregation: Aggregation): number {
  const weights = sequenceWeights(
    losses.map((sequence) => sequence.length),
    aggregation,
  );
  return losses.reduce(
    (sum, sequence, index) => sum + weights[index] * sequence.reduce((total, loss) => total + loss, 0),
    0,
  );
}

function weightOf(
  tokens: number,
  batch: { readonly total: number; readonly sequences: number },
  { mode, constantLength }: Aggregation,
): number {
  switch (mode) {
    case 'tokenMean':
      return 1 / batch.total;
    case 'seqMeanTokenMean':
      return 1 / (batch.sequences * tokens);
    case 'seqMeanTokenSum':
      return 1 / batch.sequences;
    case 'seqMeanTokenSumNorm':
      if (!(constantLength >= 1)) {
        throw new RangeError(`constantLength: expected at least 1, got ${constantLength}`);
      }
      return 1 / constantLength;
    default:
      return unreachable(mode);
  }
}

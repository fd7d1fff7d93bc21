/**
 * From the tokens of one generated segment to the one number H that branching compares, and from two
 * segments to ΔH.
 */
import { renormalizedEntropy, residualBucketEntropy, truncatedEntropy } from '#arpo/entropy';
import { unreachable } from '#base/assert';

/**
 * Where the entropy of one token comes from: the full distribution (paper), or the `topK` most
 * probable tokens plus the sampled one when it is not among them, as they are (released code),
 * rescaled to 1, or with one extra outcome for the missing mass.
 */
export type EntropyEstimator = 'exact' | 'topK' | 'renormalized' | 'residualBucket';

/**
 * How the entropies of the tokens become one number. The paper divides the sum by the vocabulary
 * size V (Eq. 4), which makes differences of about 1e-5; the released code divides the sum by ln V,
 * which is not in [0, 1] either (up to about 3.86 for 20 tokens).
 */
export type EntropyNormalizer = 'sum' | 'mean' | 'sumOverV' | 'sumOverLnV' | 'meanOverLnV';

/** How entropies are measured and compared. */
export interface EntropyMeasure {
  readonly estimator: EntropyEstimator;
  /** Most probable tokens used by every estimator but `exact`; 10 in the released code. */
  readonly topK: number;
  /** k: tokens read from the start of a segment. 20 in the released code, not stated in the paper. */
  readonly window: number;
  readonly normalizer: EntropyNormalizer;
  /**
   * `vector` (paper, Eq. 4) sums the differences position by position and leaves out positions that
   * only one segment has; `scalar` (released code) subtracts two finished numbers, so that a segment
   * shorter than the window has a smaller sum merely for being short.
   */
  readonly difference: 'scalar' | 'vector';
}

/** One generated segment without the tool result that follows; all arrays `[T]`, T ≥ 0. */
export interface MeasurableSegment {
  readonly tokens: ArrayLike<number>;
  /** Log-probs of the sampled tokens, nats. */
  readonly logProbs: ArrayLike<number>;
  /** Full-vocabulary entropies, nats. */
  readonly entropies: ArrayLike<number>;
  /** `[T, count]` ids and log-probs, most probable first; `null` when none were recorded. */
  readonly alternatives: {
    readonly count: number;
    readonly ids: ArrayLike<number>;
    readonly logProbs: ArrayLike<number>;
  } | null;
}

/** The entropy of one segment. */
export interface EntropyReading {
  /** H by the configured normalizer; 0 for an empty segment. */
  readonly value: number;
  /** `[min(T, window)]` entropies of the tokens read, nats. */
  readonly perToken: readonly number[];
}

/** Two readings set against each other; `deltaEntropy` = `currentEntropy` − `initialEntropy`. */
export interface EntropyComparison {
  readonly initialEntropy: number;
  readonly currentEntropy: number;
  readonly deltaEntropy: number;
  /** Tokens behind `currentEntropy`. */
  readonly comparedTokens: number;
}

/**
 * Reads the entropy of a segment's first `window` tokens.
 *
 * @param vocabularySize V ≥ 2.
 * @throws RangeError when the estimator needs more alternatives than the segment has.
 * @see arXiv:2507.19849 §3.1; RWT lines 284-305.
 */
export function readEntropy(
  segment: MeasurableSegment,
  measure: EntropyMeasure,
  vocabularySize: number,
): EntropyReading {
  const length = Math.min(segment.tokens.length, measure.window);
  const perToken: number[] = [];
  for (let index = 0; index < length; index += 1) perToken.push(tokenEntropy(segment, index, measure));
  return { value: normalizeEntropies(perToken, measure.normalizer, vocabularySize), perToken };
}

/** `readEntropy` reduced to its number. */
export function measureEntropy(
  segment: MeasurableSegment,
  measure: EntropyMeasure,
  vocabularySize: number,
): number {
  return readEntropy(segment, measure, vocabularySize).value;
}

/**
 * Combines the entropies of the tokens of one segment.
 *
 * @param perToken `[T]` nats; an empty list gives 0 (as in the released code).
 * @param vocabularySize V ≥ 2.
 */
export function normalizeEntropies(
  perToken: readonly number[],
  normalizer: EntropyNormalizer,
  vocabularySize: number,
): number {
  if (!(vocabularySize >= 2)) {
    throw new RangeError(`vocabularySize: expected at least 2, got ${vocabularySize}`);
  }
  if (perToken.length === 0) return 0;
  const sum = perToken.reduce((total, entropy) => total + entropy, 0);
  switch (normalizer) {
    case 'sum':
      return sum;
    case 'mean':
      return sum / perToken.length;
    case 'sumOverV':
      return sum / vocabularySize;
    case 'sumOverLnV':
      return sum / Math.log(vocabularySize);
    case 'meanOverLnV':
      return sum / perToken.length / Math.log(vocabularySize);
    default:
      return unreachable(normalizer);
  }
}

/**
 * ΔH of two readings. With `vector` only the positions that both have are compared (none: ΔH = 0);
 * the paper's vectors always have k entries and say nothing about shorter segments. When both are at
 * least `window` long, the two differences agree.
 *
 * @see arXiv:2507.19849 Eq. 4.
 */
export function compareEntropies(
  initial: EntropyReading,
  current: EntropyReading,
  measure: Pick<EntropyMeasure, 'difference' | 'normalizer'>,
  vocabularySize: number,
): EntropyComparison {
  if (measure.difference === 'scalar') {
    return comparison(initial.value, current.value, current.perToken.length);
  }
  const shared = Math.min(initial.perToken.length, current.perToken.length);
  const valueOf = ({ perToken }: EntropyReading): number =>
    normalizeEntropies(perToken.slice(0, shared), measure.normalizer, vocabularySize);
  return comparison(valueOf(initial), valueOf(current), shared);
}

function comparison(
  initialEntropy: number,
  currentEntropy: number,
  comparedTokens: number,
): EntropyComparison {
  return { initialEntropy, currentEntropy, deltaEntropy: currentEntropy - initialEntropy, comparedTokens };
}

function tokenEntropy(segment: MeasurableSegment, index: number, measure: EntropyMeasure): number {
  switch (measure.estimator) {
    case 'exact':
      return segment.entropies[index];
    case 'topK':
      return truncatedEntropy(returnedLogProbs(segment, index, measure.topK));
    case 'renormalized':
      return renormalizedEntropy(returnedLogProbs(segment, index, measure.topK));
    case 'residualBucket':
      return residualBucketEntropy(returnedLogProbs(segment, index, measure.topK));
    default:
      return unreachable(measure.estimator);
  }
}

/** The log-probs an engine returns for one token: the top k, and the sampled one if it is none of them. */
function returnedLogProbs(segment: MeasurableSegment, index: number, topK: number): number[] {
  const { alternatives } = segment;
  const count = alternatives?.count ?? 0;
  if (alternatives === null || count < topK) {
    throw new RangeError(
      `alternatives: expected at least ${topK} per token for this entropy estimator, got ${count}; ` +
        `record more alternatives or use the estimator 'exact'`,
    );
  }
  const start = index * count;
  const logProbs: number[] = [];
  let hasSampled = false;
  for (let column = start; column < start + topK; column += 1) {
    logProbs.push(alternatives.logProbs[column]);
    if (alternatives.ids[column] === segment.tokens[index]) hasSampled = true;
  }
  if (!hasSampled) logProbs.push(segment.logProbs[index]);
  return logProbs;
}

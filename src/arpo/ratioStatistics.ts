/** What an update did to the probability ratios of its tokens. */

/** Where the ratio of an update is clipped. */
export interface ClipRange {
  /** Ratio is clipped to [1 − clipLow, 1 + clipHigh]; 0.2 and 0.2 as released, 0.28 above in DAPO. */
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Bound c of the dual clip for negative advantages, > 1 (released: 3); `null` switches it off. */
  readonly dualClip: number | null;
}

/** One token of the objective. */
export interface TokenTerm {
  readonly advantage: number;
  /** π / π_old, > 0. */
  readonly ratio: number;
}

/** Over the trained tokens of a batch; all 0 (ratios 1) for a batch without any. */
export interface RatioStatistics {
  readonly tokens: number;
  readonly meanRatio: number;
  readonly maxRatio: number;
  /** Share of tokens whose loss is bound by the lower clip: A < 0 and ratio below 1 − clipLow. */
  readonly clipFractionLower: number;
  /** Share of tokens whose loss is bound by the upper clip: A > 0 and ratio above 1 + clipHigh. */
  readonly clipFractionUpper: number;
  /** Share of tokens whose loss is bound by the dual clip. */
  readonly dualClipFraction: number;
  /** Mean of log π_old − log π, nats: the released code's `ppo_kl`; can be negative. */
  readonly approximateKl: number;
  /** Mean of ratio − 1 − ln ratio, nats, ≥ 0: the same divergence with less variance. */
  readonly approximateKl3: number;
}

/** Summarises the tokens of a batch. */
export function ratioStatistics(
  terms: readonly TokenTerm[],
  { clipLow, clipHigh, dualClip }: ClipRange,
): RatioStatistics {
  const tokens = terms.length;
  const mean = (value: (term: TokenTerm) => number): number =>
    tokens === 0 ? 0 : terms.reduce((sum, term) => sum + value(term), 0) / tokens;
  const share = (isCounted: (term: TokenTerm) => boolean): number =>
    mean((term) => (isCounted(term) ? 1 : 0));
  return {
    tokens,
    meanRatio: tokens === 0 ? 1 : mean(({ ratio }) => ratio),
    maxRatio: tokens === 0 ? 1 : terms.reduce((max, { ratio }) => Math.max(max, ratio), 0),
    clipFractionLower: share(({ advantage, ratio }) => advantage < 0 && ratio < 1 - clipLow),
    clipFractionUpper: share(({ advantage, ratio }) => advantage > 0 && ratio > 1 + clipHigh),
    dualClipFraction: share(({ advantage, ratio }) => dualClip !== null && advantage < 0 && ratio > dualClip),
    approximateKl: mean(({ ratio }) => -Math.log(ratio)),
    approximateKl3: mean(({ ratio }) => ratio - 1 - Math.log(ratio)),
  };
}

/**
 * The clipped policy objective in plain numbers: the specification that the tensor engine has to equal
 * (loss and gradient) to 1e-5.
 *
 * Paper and released code differ: the paper writes the ratio against the reference policy (Eq. 7) and
 * averages per sequence (Eq. 6); the released code takes the ratio against the old policy and averages
 * over tokens. Both choices are the caller's here: `oldLogProbs` and `weights`.
 */
import type { ClipRange, RatioStatistics, TokenTerm } from '#arpo/ratioStatistics';
import { ratioStatistics } from '#arpo/ratioStatistics';

export type { ClipRange, RatioStatistics, TokenTerm };

/** The per-token objective. */
export interface ObjectiveOptions extends ClipRange {
  /** Factor of the k3 estimate of KL(policy ‖ reference); 0 in the released scripts. */
  readonly klCoefficient: number;
  /** `aepo` keeps the gradient (1 + clipHigh) of tokens that are clipped from above. */
  readonly gradientRule: 'ppo' | 'aepo';
}

/** The objective's view of one trajectory; all arrays `[T]`. Tokens of weight 0 are not looked at. */
export interface ObjectiveSequence {
  /** Current log-probs, nats. */
  readonly logProbs: ArrayLike<number>;
  readonly oldLogProbs: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  /** Weight of each token's loss; 0 for prompt and tool tokens (see `tokenWeights`). */
  readonly weights: ArrayLike<number>;
  /** `null` when `klCoefficient` is 0. */
  readonly referenceLogProbs: ArrayLike<number> | null;
}

/** The loss of a batch. */
export interface ObjectiveResult {
  /** Σ weight · (token loss + klCoefficient · k3). */
  readonly loss: number;
  /** Per sequence `[T]`: derivative of the loss with respect to each current log-prob. */
  readonly gradients: readonly Float64Array[];
  /** Over the tokens whose weight is not 0. */
  readonly statistics: RatioStatistics;
}

/** The k3 estimate is clamped to ±10 in the released code. */
const defaultKlClamp = 10;

/**
 * Loss of one token: max(−A·r, −A·clip(r)), and for A < 0 at most −A·c. `gradientRule` does not
 * change the value.
 *
 * @see `compute_policy_loss` of the released code, whose loss uses symmetric clipping and c = 3.
 */
export function tokenLoss({ advantage, ratio }: TokenTerm, options: ObjectiveOptions): number {
  const clipped = Math.min(Math.max(ratio, 1 - options.clipLow), 1 + options.clipHigh);
  const loss = Math.max(-advantage * ratio, -advantage * clipped);
  return isDualClipped({ advantage, ratio }, options) ? -advantage * (options.dualClip ?? 0) : loss;
}

/**
 * What multiplies ∇ log π of one token when the objective is maximised, advantage included: the
 * negative derivative of `tokenLoss` with respect to the log-prob. PPO: A·r, or 0 where the clip
 * binds. AEPO keeps A·(1 + clipHigh) where the upper clip binds.
 *
 * @see arXiv:2510.14545: the upper bound ((1 + ε_h)/sg(r))·r has the value 1 + ε_h and a gradient.
 */
export function gradientCoefficient(term: TokenTerm, options: ObjectiveOptions): number {
  const { advantage, ratio } = term;
  if (isDualClipped(term, options)) return 0;
  if (advantage > 0 && ratio > 1 + options.clipHigh) {
    return options.gradientRule === 'aepo' ? advantage * (1 + options.clipHigh) : 0;
  }
  if (advantage < 0 && ratio < 1 - options.clipLow) return 0;
  return advantage * ratio;
}

/** Whether the dual clip bounds this token's loss. */
export function isDualClipped(
  { advantage, ratio }: TokenTerm,
  { dualClip }: Pick<ClipRange, 'dualClip'>,
): boolean {
  return dualClip !== null && advantage < 0 && ratio > dualClip;
}

/** The surrogate (to be maximised) of a token shared by several trajectories, summed over its copies. */
export interface SharedTokenSurrogate {
  /** Every copy with its own advantage. */
  readonly soft: number;
  /** Every copy with the mean advantage. Equal to `soft` unless the ratio is clipped. */
  readonly hard: number;
}

/**
 * Soft against hard attribution at one shared token, without dual clip. Outside the clip range the
 * minimum treats positive and negative advantages differently, so the two part.
 *
 * @param advantages `[d]` of the trajectories that share the token.
 * @see arXiv:2507.19849 §3.2.
 */
export function sharedTokenSurrogate(
  advantages: readonly number[],
  ratio: number,
  clip: Pick<ClipRange, 'clipLow' | 'clipHigh'>,
): SharedTokenSurrogate {
  const options: ObjectiveOptions = { ...clip, dualClip: null, klCoefficient: 0, gradientRule: 'ppo' };
  const surrogate = (advantage: number): number => -tokenLoss({ advantage, ratio }, options);
  const mean = advantages.reduce((sum, advantage) => sum + advantage, 0) / advantages.length;
  return {
    soft: advantages.reduce((sum, advantage) => sum + surrogate(advantage), 0),
    hard: advantages.length * surrogate(mean),
  };
}

/**
 * The k3 estimate of KL(policy ‖ reference) at one token: exp(d) − d − 1 with d = reference − policy.
 *
 * @param clamp The estimate is cut at ±this; it is never negative.
 * @returns Nats, in [0, clamp].
 */
export function k3Divergence(logProb: number, referenceLogProb: number, clamp = defaultKlClamp): number {
  const difference = referenceLogProb - logProb;
  // expm1 keeps the digits that exp(d) − 1 loses near 0
  return Math.min(clamp, Math.max(-clamp, Math.expm1(difference) - difference));
}

/** Derivative of `k3Divergence` with respect to the policy's log-prob; 0 where it is clamped. */
export function k3Gradient(logProb: number, referenceLogProb: number, clamp = defaultKlClamp): number {
  const difference = referenceLogProb - logProb;
  return Math.expm1(difference) - difference > clamp ? 0 : -Math.expm1(difference);
}

/** GSPO's one ratio per sequence. */
export interface SequenceRatio {
  readonly ratio: number;
  readonly clippedRatio: number;
}

/**
 * exp of the mean token log-ratio, and the same clipped.
 *
 * @param logRatios `[T]` log π − log π_old of the trained tokens, T ≥ 1.
 */
export function gspoRatio(
  logRatios: readonly number[],
  { clipLow, clipHigh }: Pick<ClipRange, 'clipLow' | 'clipHigh'>,
): SequenceRatio {
  if (logRatios.length === 0) throw new RangeError('logRatios: expected at least one token, got none');
  const mean = logRatios.reduce((sum, logRatio) => sum + logRatio, 0) / logRatios.length;
  const ratio = Math.exp(mean);
  return { ratio, clippedRatio: Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh) };
}

/**
 * Loss, gradient and ratio statistics of a batch.
 *
 * @throws RangeError when arrays differ in length, or reference log-probs are missing with a
 *   `klCoefficient` above 0.
 */
export function policyObjective(
  sequences: readonly ObjectiveSequence[],
  options: ObjectiveOptions,
): ObjectiveResult {
  let loss = 0;
  const terms: TokenTerm[] = [];
  const gradients = sequences.map((sequence, index) => {
    checkLengths(sequence, index, options);
    const gradient = new Float64Array(sequence.weights.length);
    for (let token = 0; token < gradient.length; token += 1) {
      const weight = sequence.weights[token];
      if (weight === 0) continue;
      const term = tokenTerm(sequence, token);
      const kl = tokenKl(sequence, token, options);
      loss += weight * (tokenLoss(term, options) + kl.value);
      gradient[token] = weight * (kl.gradient - gradientCoefficient(term, options));
      terms.push(term);
    }
    return gradient;
  });
  return { loss, gradients, statistics: ratioStatistics(terms, options) };
}

function tokenTerm(sequence: ObjectiveSequence, token: number): TokenTerm {
  const ratio = Math.exp(sequence.logProbs[token] - sequence.oldLogProbs[token]);
  return { advantage: sequence.advantages[token], ratio };
}

function tokenKl(
  sequence: ObjectiveSequence,
  token: number,
  { klCoefficient }: ObjectiveOptions,
): { readonly value: number; readonly gradient: number } {
  if (klCoefficient === 0 || sequence.referenceLogProbs === null) return { value: 0, gradient: 0 };
  const logProb = sequence.logProbs[token];
  const reference = sequence.referenceLogProbs[token];
  return {
    value: klCoefficient * k3Divergence(logProb, reference),
    gradient: klCoefficient * k3Gradient(logProb, reference),
  };
}

function checkLengths(sequence: ObjectiveSequence, index: number, { klCoefficient }: ObjectiveOptions): void {
  const length = sequence.weights.length;
  for (const key of ['logProbs', 'oldLogProbs', 'advantages', 'referenceLogProbs'] as const) {
    const values = sequence[key];
    if (values !== null && values.length !== length) {
      throw new RangeError(`sequences[${index}].${key}: expected [${length}], got [${values.length}]`);
    }
  }
  if (klCoefficient !== 0 && sequence.referenceLogProbs === null) {
    throw new RangeError(
      `sequences[${index}].referenceLogProbs: expected [${length}] for klCoefficient ${klCoefficient}, got null`,
    );
  }
}

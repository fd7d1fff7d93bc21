/**
 * Advantages from the rewards of one group: estimators over the plain list of rewards.
 * How they are attributed to the nodes of a rollout tree is in `nodeAdvantage.ts`.
 */
import { unreachable } from '#base/assert';

/**
 * `grpo`: (r − mean) / (s + ε), s the sample deviation; the released code's only estimator.
 * `drGrpo`: r − mean. `rloo`: r − mean of the others.
 */
export type AdvantageEstimator = 'grpo' | 'drGrpo' | 'rloo';

/** Details of the estimators. */
export interface EstimatorOptions {
  /** ε added to the deviation; 1e-6 in the released code. */
  readonly epsilon: number;
  /** What a group of one gets: an error, or (released code) mean 0 and deviation 1. */
  readonly groupOfOne: 'reject' | 'released';
}

/** The released code's ε; a group of one, which has no baseline, is an error. */
export const defaultEstimatorOptions: EstimatorOptions = { epsilon: 1e-6, groupOfOne: 'reject' };

/** Spreads below this count as equal rewards: 0.1 + 1 and 1.1 may differ in the last bit. */
const rewardTolerance = 1e-9;

/**
 * Advantage of every trajectory of one group: its reward, standardized within the group.
 *
 * @param rewards `[G]`, in any unit.
 * @returns `[G]`, dimensionless: (r − mean) / (s + ε), with s the sample deviation (divisor G − 1).
 * @throws RangeError when the group is empty, or has one member and `groupOfOne` is `reject`.
 * @see GRPO, arXiv:2402.03300; `compute_grpo_outcome_advantage` of the released code. The paper only
 *   says "std".
 */
export function groupAdvantages(
  rewards: readonly number[],
  options: EstimatorOptions = defaultEstimatorOptions,
): number[] {
  const { mean, deviation } = groupStatistics(rewards, options);
  return rewards.map((reward) => (reward - mean) / (deviation + options.epsilon));
}

/**
 * Reward minus the group's mean, without the division that favours easy and hard questions.
 *
 * @see Dr.GRPO, arXiv:2503.20783.
 */
export function drGrpoAdvantages(
  rewards: readonly number[],
  options: EstimatorOptions = defaultEstimatorOptions,
): number[] {
  const { mean } = groupStatistics(rewards, options);
  return rewards.map((reward) => reward - mean);
}

/** Reward minus the mean reward of the other trajectories of the group. */
export function rlooAdvantages(
  rewards: readonly number[],
  options: EstimatorOptions = defaultEstimatorOptions,
): number[] {
  const { mean } = groupStatistics(rewards, options);
  const others = Math.max(1, rewards.length - 1);
  // r − (Σr − r)/(G − 1) = (r − mean) · G/(G − 1)
  return rewards.map((reward) => ((reward - mean) * rewards.length) / others);
}

/** Advantages `[G]` by the named estimator. */
export function estimateAdvantages(
  rewards: readonly number[],
  estimator: AdvantageEstimator,
  options: EstimatorOptions = defaultEstimatorOptions,
): number[] {
  switch (estimator) {
    case 'grpo':
      return groupAdvantages(rewards, options);
    case 'drGrpo':
      return drGrpoAdvantages(rewards, options);
    case 'rloo':
      return rlooAdvantages(rewards, options);
    default:
      return unreachable(estimator);
  }
}

/** Whether all rewards are equal, so that the group teaches nothing. */
export function isZeroVariance(rewards: readonly number[]): boolean {
  return Math.max(...rewards) - Math.min(...rewards) <= rewardTolerance;
}

/** Tree-GRPO's two advantages and their sum, all `[G]`. */
export interface TreeGrpoAdvantages {
  readonly withinQuestion: readonly number[];
  readonly withinTree: readonly number[];
  readonly sum: readonly number[];
}

/**
 * Standardized over the question plus standardized within the tree (estimator `tree`).
 *
 * @param rewards `[G]`.
 * @param trees `[G]` the tree each trajectory belongs to, any integers.
 * @see Tree-GRPO, arXiv:2509.21240.
 */
export function treeGrpoAdvantages(
  rewards: readonly number[],
  trees: readonly number[],
  options: EstimatorOptions = defaultEstimatorOptions,
): TreeGrpoAdvantages {
  if (trees.length !== rewards.length) {
    throw new RangeError(`trees: expected [${rewards.length}], got [${trees.length}]`);
  }
  const withinQuestion = groupAdvantages(rewards, options);
  const withinTree = rewards.map(() => 0);
  for (const tree of new Set(trees)) {
    const members = trees.flatMap((owner, index) => (owner === tree ? [index] : []));
    const advantages = groupAdvantages(
      members.map((index) => rewards[index]),
      options,
    );
    for (const [place, index] of members.entries()) withinTree[index] = advantages[place];
  }
  return { withinQuestion, withinTree, sum: withinQuestion.map((own, index) => own + withinTree[index]) };
}

/**
 * Mean and sample deviation of a group's rewards.
 *
 * @throws RangeError as in `groupAdvantages`.
 */
export function groupStatistics(
  rewards: readonly number[],
  { groupOfOne }: EstimatorOptions,
): { readonly mean: number; readonly deviation: number } {
  const size = rewards.length;
  if (size === 1 && groupOfOne === 'released') return { mean: 0, deviation: 1 };
  if (size < 2) throw new RangeError(`rewards: expected [G ≥ 2], got [${size}]`);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / size;
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (size - 1);
  return { mean, deviation: Math.sqrt(variance) };
}

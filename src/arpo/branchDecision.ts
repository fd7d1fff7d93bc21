/** The rules that decide whether to sample anew from a node. `none` is GRPO. */
export type BranchingRuleName = 'paper' | 'released' | 'aepo' | 'quantile' | 'random' | 'none';

/** Why a decision came out as it did. */
export type BranchReason =
  /** The compared number passed its threshold. */
  | 'passedThreshold'
  | 'belowThreshold'
  /** The random draw fell inside, or outside, the probability. */
  | 'drawAccepted'
  | 'drawRefused'
  /** The budget M − N was used up, so the rule was not asked. */
  | 'budgetExhausted'
  /** `quantile` has not seen enough entropy changes yet. */
  | 'warmingUp';

/**
 * One recorded decision: everything needed to derive it again. Every result of a tool is one
 * opportunity per possible copy (beam size − 1).
 */
export interface BranchDecision {
  readonly rule: BranchingRuleName;
  /** Loop turn of the rollout in which it was made, from 0. */
  readonly turn: number;
  /** The trajectory that stood at the node. */
  readonly slot: number;
  /** The node whose tool result the branch would start from. */
  readonly nodeId: number;
  /** H_init and H_now: the entropies compared, by the configured estimator and normalizer. */
  readonly initialEntropy: number;
  readonly currentEntropy: number;
  /**
   * ΔH = H_now − H_init. With the vector difference both entropies are taken over the positions that
   * both segments have, so the equation holds in every mode and the decision can be derived again.
   */
  readonly deltaEntropy: number;
  /**
   * Tokens that `currentEntropy` was read from: the window k, or fewer when the segment (with the
   * vector difference: either segment) was shorter.
   */
  readonly comparedTokens: number;
  /** P of the rule: α + β·ΔH (paper), the chance of branching (released, aepo, random), or `null`. */
  readonly probability: number | null;
  /** The uniform draw in [0, 1), or `null` when the rule draws nothing. */
  readonly draw: number | null;
  /** The number that was compared, and what it was compared with; `null` when nothing was compared. */
  readonly score: number | null;
  readonly threshold: number | null;
  /** Free trajectory slots of the group before and after. */
  readonly budgetBefore: number;
  readonly budgetAfter: number;
  /** AEPO's count of consecutive branching turns of the question; 0 for the other rules. */
  readonly consecutiveBranches: number;
  readonly isTaken: boolean;
  readonly reason: BranchReason;
  /** The trajectory it created, or `null`. */
  readonly createdSlot: number | null;
}

/**
 * The branching rules: given an entropy change, decide whether to sample anew from a node. Every
 * decision can be derived again from what is recorded of it (`rederiveDecision`).
 *
 * Paper and released code differ: the paper branches iff α + β·ΔH exceeds the threshold τ, without
 * chance (with its constants: iff ΔH > 0); the released code flips a coin that entropy tilts.
 */
import type { BranchDecision, BranchReason } from '#arpo/branchDecision';
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { Random } from '#base/random';
import { unreachable } from '#base/assert';

/** What a rule looks at. */
export interface BranchEvidence {
  /** ΔH in the unit of the configured normalizer. */
  readonly deltaEntropy: number;
  /** AEPO's number of consecutive turns in which the question gained a trajectory. */
  readonly consecutiveBranches: number;
  /** Entropy changes measured before this one, oldest first; only `quantile` reads it. */
  readonly history: readonly number[];
}

/** The outcome of a rule: the fields of `BranchDecision` that the rule determines. */
export type BranchVerdict = Pick<
  BranchDecision,
  'probability' | 'draw' | 'score' | 'threshold' | 'isTaken' | 'reason'
>;

/** The fields of a decision that follow from its other fields and the options. */
export type DerivedDecision = Omit<BranchVerdict, 'draw'> &
  Pick<BranchDecision, 'deltaEntropy' | 'budgetAfter'>;

/** A recorded field that does not follow from the others. */
export interface DecisionMismatch {
  readonly field: keyof DerivedDecision;
  readonly recorded: number | boolean | BranchReason | null;
  readonly derived: number | boolean | BranchReason | null;
}

/** Largest absolute difference between a recorded number and the derived one that counts as equal. */
const auditTolerance = 1e-6;

/** What a decision looks like whose rule was never asked, because no trajectory slot was free. */
export const exhaustedVerdict: BranchVerdict = {
  probability: null,
  draw: null,
  score: null,
  threshold: null,
  isTaken: false,
  reason: 'budgetExhausted',
};

/** Whether the rule consumes one uniform number per decision. */
export function drawsRandomly(rule: BranchingOptions['rule']): boolean {
  return rule === 'released' || rule === 'aepo' || rule === 'random';
}

/** Decides once, consuming exactly one draw if the rule draws and none if it does not. */
export function decideBranch(
  options: BranchingOptions,
  evidence: BranchEvidence,
  random: Random,
): BranchVerdict {
  return judgeBranch(options, evidence, drawsRandomly(options.rule) ? random.next() : null);
}

/**
 * The rule itself, with the draw given.
 *
 * @param draw U in [0, 1), or `null` for the rules that draw nothing.
 * @throws RangeError when the rule needs a draw and none is given, or the rule is `none`.
 */
export function judgeBranch(
  options: BranchingOptions,
  evidence: BranchEvidence,
  draw: number | null,
): BranchVerdict {
  switch (options.rule) {
    case 'paper':
      return judgePaper(options, evidence);
    case 'released':
      return judgeReleased(options, evidence, requireDraw(draw));
    case 'aepo':
      return judgeAepo(options, evidence, requireDraw(draw));
    case 'quantile':
      return judgeQuantile(options, evidence);
    case 'random':
      return judgeRandom(options, requireDraw(draw));
    case 'none':
      throw new RangeError(`rule: expected a rule that branches, got 'none'`);
    default:
      return unreachable(options.rule);
  }
}

/**
 * Chance over U that the released rule branches: clip(p + w·ΔH, 0, 1).
 *
 * @see RWT lines 458-488: branch iff clip(U − w·ΔH, 0, 1) ≤ p.
 */
export function releasedBranchProbability(
  options: Pick<BranchingOptions, 'branchProbability' | 'entropyWeight'>,
  deltaEntropy: number,
): number {
  // The clipped number never exceeds 1, so p = 1 is passed whatever the entropy.
  if (options.branchProbability >= 1) return 1;
  return clip(options.branchProbability + options.entropyWeight * deltaEntropy);
}

/**
 * AEPO's factor for the number of consecutive branching turns: max(0, 1 − penalty · c). The AEPO paper
 * multiplies α + γ·ΔH by it and compares with τ, counting consecutive high-entropy branchings; the
 * released code multiplies the tilted draw and counts turns in which the question gained a trajectory.
 */
export function branchPenalty(penaltyPerBranch: number, consecutiveBranches: number): number {
  return Math.max(0, 1 - penaltyPerBranch * consecutiveBranches);
}

/**
 * Chance over U that the AEPO rule branches: clip(1 − p / penalty + w·ΔH, 0, 1).
 *
 * @see arXiv:2510.14545, released code: branch iff clip((U + w·ΔH) · penalty, 0, 1) ≥ p.
 */
export function aepoBranchProbability(
  options: Pick<BranchingOptions, 'branchProbability' | 'entropyWeight' | 'penaltyPerBranch'>,
  deltaEntropy: number,
  consecutiveBranches: number,
): number {
  const penalty = branchPenalty(options.penaltyPerBranch, consecutiveBranches);
  if (options.branchProbability <= 0) return 1; // the clipped number is never below 0
  if (penalty === 0) return 0;
  return clip(1 - options.branchProbability / penalty + options.entropyWeight * deltaEntropy);
}

/**
 * The q-quantile by linear interpolation between order statistics (R's type 7).
 *
 * @param values `[n]`, n ≥ 1. Not modified.
 * @param q In [0, 1].
 */
export function quantileOf(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('values: expected at least one, got none');
  const sorted = [...values].sort((left, right) => left - right);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/**
 * Recomputes what a recorded decision should say, from its entropies, draw, counter and budget.
 *
 * @param history Entropy changes measured before this one (`quantile` only). `null` when unknown: then
 *   the recorded threshold of a `quantile` decision is taken as given.
 * @throws RangeError when the rule of `options` needs a draw that was not recorded (a different rule).
 */
export function rederiveDecision(
  decision: BranchDecision,
  options: BranchingOptions,
  history: readonly number[] | null = null,
): DerivedDecision {
  const deltaEntropy = decision.currentEntropy - decision.initialEntropy;
  const verdict = reviewVerdict(decision, options, { deltaEntropy, history });
  const { probability, score, threshold, isTaken, reason } = verdict;
  const budgetAfter = decision.budgetBefore - (isTaken ? 1 : 0);
  return { deltaEntropy, probability, score, threshold, isTaken, reason, budgetAfter };
}

/** The fields of a recorded decision that differ from what the options lead to (numbers: by over 1e-6). */
export function auditDecision(
  decision: BranchDecision,
  options: BranchingOptions,
  history: readonly number[] | null = null,
): readonly DecisionMismatch[] {
  const derived = rederiveDecision(decision, options, history);
  const fields = [
    'deltaEntropy',
    'probability',
    'score',
    'threshold',
    'isTaken',
    'reason',
    'budgetAfter',
  ] as const;
  return fields
    .filter((field) => !isSame(decision[field], derived[field]))
    .map((field) => ({ field, recorded: decision[field], derived: derived[field] }));
}

/** The entropy changes behind recorded decisions, in order: one per measurement, not one per copy. */
export function entropyChangesOf(decisions: readonly BranchDecision[]): number[] {
  return decisions
    .filter((decision, index) => {
      const previous = index === 0 ? null : decisions[index - 1];
      return previous === null || previous.turn !== decision.turn || previous.slot !== decision.slot;
    })
    .map((decision) => decision.deltaEntropy);
}

function reviewVerdict(
  decision: BranchDecision,
  options: BranchingOptions,
  known: { readonly deltaEntropy: number; readonly history: readonly number[] | null },
): BranchVerdict {
  if (decision.budgetBefore === 0) return exhaustedVerdict;
  if (options.rule === 'quantile' && known.history === null) {
    return compareToQuantile(known.deltaEntropy, decision.threshold);
  }
  const evidence = {
    deltaEntropy: known.deltaEntropy,
    consecutiveBranches: decision.consecutiveBranches,
    history: known.history ?? [],
  };
  return judgeBranch(options, evidence, decision.draw);
}

function judgePaper(options: BranchingOptions, { deltaEntropy }: BranchEvidence): BranchVerdict {
  const probability = options.alpha + options.beta * deltaEntropy; // Eq. 5
  const isTaken = probability > options.tau;
  return {
    probability,
    draw: null,
    score: probability,
    threshold: options.tau,
    isTaken,
    reason: thresholdReason(isTaken),
  };
}

function judgeReleased(
  options: BranchingOptions,
  { deltaEntropy }: BranchEvidence,
  draw: number,
): BranchVerdict {
  const score = clip(draw - options.entropyWeight * deltaEntropy);
  const isTaken = score <= options.branchProbability;
  const probability = releasedBranchProbability(options, deltaEntropy);
  return drawVerdict({ probability, draw, score, threshold: options.branchProbability, isTaken });
}

function judgeAepo(options: BranchingOptions, evidence: BranchEvidence, draw: number): BranchVerdict {
  const { deltaEntropy, consecutiveBranches } = evidence;
  const penalty = branchPenalty(options.penaltyPerBranch, consecutiveBranches);
  const score = clip((draw + options.entropyWeight * deltaEntropy) * penalty);
  const isTaken = score >= options.branchProbability;
  const probability = aepoBranchProbability(options, deltaEntropy, consecutiveBranches);
  return drawVerdict({ probability, draw, score, threshold: options.branchProbability, isTaken });
}

function judgeRandom(options: BranchingOptions, draw: number): BranchVerdict {
  const probability = options.randomProbability;
  return drawVerdict({
    probability,
    draw,
    score: draw,
    threshold: probability,
    isTaken: draw < probability,
  });
}

function judgeQuantile(options: BranchingOptions, { deltaEntropy, history }: BranchEvidence): BranchVerdict {
  const recent = history.slice(-options.historyLength);
  const threshold = recent.length < options.minimumHistory ? null : quantileOf(recent, 1 - options.quantile);
  return compareToQuantile(deltaEntropy, threshold);
}

function compareToQuantile(deltaEntropy: number, threshold: number | null): BranchVerdict {
  const unasked = { probability: null, draw: null };
  if (threshold === null) {
    return { ...unasked, score: null, threshold, isTaken: false, reason: 'warmingUp' };
  }
  const isTaken = deltaEntropy >= threshold;
  return { ...unasked, score: deltaEntropy, threshold, isTaken, reason: thresholdReason(isTaken) };
}

function drawVerdict(verdict: Omit<BranchVerdict, 'reason'>): BranchVerdict {
  return { ...verdict, reason: verdict.isTaken ? 'drawAccepted' : 'drawRefused' };
}

function thresholdReason(isTaken: boolean): BranchReason {
  return isTaken ? 'passedThreshold' : 'belowThreshold';
}

function requireDraw(draw: number | null): number {
  if (draw === null) throw new RangeError('draw: expected a number in [0, 1) for this rule, got null');
  return draw;
}

function isSame(recorded: unknown, derived: unknown): boolean {
  if (typeof recorded === 'number' && typeof derived === 'number') {
    return Math.abs(recorded - derived) <= auditTolerance;
  }
  return recorded === derived;
}

function clip(value: number): number {
  return Math.min(1, Math.max(0, value));
}

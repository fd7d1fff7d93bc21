/** What can be set about branching, the named presets, and the check of a given set. */
import type { BranchingRuleName } from '#arpo/branchDecision';
import type { EntropyMeasure } from '#arpo/entropyMeasure';

/** All settings of the adaptive rollout of one group. Settings that a rule does not use are ignored. */
export interface BranchingOptions {
  readonly rule: BranchingRuleName;
  readonly entropy: EntropyMeasure;
  /**
   * Which segment is measured for a branch behind a tool result. `afterResult` (paper): the one
   * generated after that result; the copy is rewound to just behind `</result>`. `beforeResult`
   * (released code): the one that ended in the tool call, so the entropy is one call late.
   */
  readonly measuringPoint: 'beforeResult' | 'afterResult';
  /**
   * What H_init is. `trajectory` (paper): the first segment of the trajectory, inherited by branches.
   * `ownFirstSegment` (released code, first batch): the first segment that the slot sampled itself,
   * so a branch starts anew. `staleSlot` (released code, later batches): the first segment that this
   * slot number of the worker ever sampled, of whatever question, since its table is never cleared.
   */
  readonly baselineScope: 'trajectory' | 'ownFirstSegment' | 'staleSlot';
  /** M: trajectories finally kept per question. */
  readonly globalRollouts: number;
  /** N ≤ M: trajectories started from the question. */
  readonly initialRollouts: number;
  /** Z: paths that leave a branching node, the original included; Z − 1 copies are decided on. */
  readonly beamSize: number;
  /**
   * How unused budget is filled once no trajectory of the question is live: `atOnce` (paper) starts
   * the whole shortfall, `serial` (released code) one trajectory per loop turn.
   */
  readonly topUp: 'serial' | 'atOnce';
  /** `paper`: branch iff alpha + beta · ΔH > tau. */
  readonly alpha: number;
  readonly beta: number;
  readonly tau: number;
  /** `released`, `aepo`: the chance of branching at ΔH = 0, in [0, 1]. */
  readonly branchProbability: number;
  /** `released`, `aepo`: w, change of that chance per unit of ΔH. */
  readonly entropyWeight: number;
  /** `aepo`: loss of the factor per consecutive branching turn, in [0, 1]. */
  readonly penaltyPerBranch: number;
  /** `quantile`: ρ in (0, 1], the share of the recent entropy changes that branches. */
  readonly quantile: number;
  /** `quantile`: how many of the latest entropy changes of the run count. */
  readonly historyLength: number;
  /** `quantile`: with fewer entropy changes than this nothing branches. */
  readonly minimumHistory: number;
  /** `random`: the chance of branching, in [0, 1]. */
  readonly randomProbability: number;
}

/** One setting that cannot be used. */
export interface OptionProblem {
  /** Dotted path below the branching options, for example `entropy.window`. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** The values both the paper (App. C.2) and the released scripts use, plus our controls' own. */
const shared = {
  globalRollouts: 16,
  initialRollouts: 8,
  beamSize: 2,
  alpha: 0.5,
  beta: 0.2,
  tau: 0.5,
  branchProbability: 0.5,
  entropyWeight: 0.2,
  penaltyPerBranch: 0.05,
  quantile: 0.25,
  historyLength: 400,
  minimumHistory: 32,
  randomProbability: 0.25,
} as const;

/**
 * The equations of arXiv:2507.19849 §3.1 with the constants of App. C.2. The paper does not state k
 * (20, as released) nor Z (2, as in the scripts).
 */
export const paperPreset: BranchingOptions = {
  ...shared,
  rule: 'paper',
  entropy: { estimator: 'exact', topK: 10, window: 20, normalizer: 'sumOverV', difference: 'vector' },
  measuringPoint: 'afterResult',
  baselineScope: 'trajectory',
  topUp: 'atOnce',
};

/** The released code (repository RUC-NLPIR/ARPO, commit a95cd08) with the values of its scripts. */
export const releasedPreset: BranchingOptions = {
  ...shared,
  rule: 'released',
  entropy: { estimator: 'topK', topK: 10, window: 20, normalizer: 'sumOverLnV', difference: 'scalar' },
  measuringPoint: 'beforeResult',
  baselineScope: 'staleSlot',
  topUp: 'serial',
};

/** AEPO (arXiv:2510.14545) as released: the released ARPO rollout plus the branch penalty; 12 of 6. */
export const aepoPreset: BranchingOptions = {
  ...releasedPreset,
  rule: 'aepo',
  globalRollouts: 12,
  initialRollouts: 6,
};

/** Branches at the largest quarter of the recent entropy changes, measured after the tool result. */
export const quantilePreset: BranchingOptions = {
  ...paperPreset,
  rule: 'quantile',
  entropy: { estimator: 'exact', topK: 10, window: 6, normalizer: 'meanOverLnV', difference: 'scalar' },
};

/** The control for `quantilePreset`: everything alike, but a coin decides. */
export const randomPreset: BranchingOptions = { ...quantilePreset, rule: 'random' };

/** Plain GRPO: all M trajectories start at the question (ARPO issue 22: set N equal to M). */
export const grpoPreset: BranchingOptions = {
  ...quantilePreset,
  rule: 'none',
  initialRollouts: shared.globalRollouts,
};

/** The presets by the name they have in a run's configuration. */
export const branchingPresets = {
  paper: paperPreset,
  released: releasedPreset,
  aepo: aepoPreset,
  quantile: quantilePreset,
  random: randomPreset,
  none: grpoPreset,
} as const satisfies Record<BranchingRuleName, BranchingOptions>;

/**
 * The options of a validation pass: one trajectory per question and no branching, as the released
 * code forces for validation and greedy decoding.
 */
export function withoutBranching(options: BranchingOptions): BranchingOptions {
  return { ...options, rule: 'none', globalRollouts: 1, initialRollouts: 1, beamSize: 1 };
}

/** All problems of a set of options, in the order of the fields; empty when it can be used. */
export function checkBranchingOptions(options: BranchingOptions): readonly OptionProblem[] {
  return [
    ...checkEntropyMeasure(options),
    ...checkBudget(options),
    ...checkNumbers(options),
    ...checkHistory(options),
  ];
}

function checkEntropyMeasure({ entropy, baselineScope }: BranchingOptions): OptionProblem[] {
  const problems = [
    ...checkInteger('entropy.topK', entropy.topK, 1),
    ...checkInteger('entropy.window', entropy.window, 1),
  ];
  if (baselineScope === 'staleSlot' && entropy.difference === 'vector') {
    problems.push({
      path: 'entropy.difference',
      expected: `'scalar' when baselineScope is 'staleSlot', whose table keeps one number per slot`,
      got: `'vector'`,
    });
  }
  return problems;
}

function checkBudget({ rule, globalRollouts, initialRollouts, beamSize }: BranchingOptions): OptionProblem[] {
  const problems = [
    ...checkInteger('globalRollouts', globalRollouts, 1),
    ...checkInteger('initialRollouts', initialRollouts, 1),
    ...checkInteger('beamSize', beamSize, rule === 'none' ? 1 : 2),
  ];
  if (initialRollouts > globalRollouts) {
    problems.push({
      path: 'initialRollouts',
      expected: `at most globalRollouts (${globalRollouts})`,
      got: String(initialRollouts),
    });
  } else if (rule === 'none' && initialRollouts < globalRollouts) {
    problems.push({
      path: 'initialRollouts',
      expected: `globalRollouts (${globalRollouts}), since the rule 'none' never branches`,
      got: String(initialRollouts),
    });
  }
  return problems;
}

function checkNumbers(options: BranchingOptions): OptionProblem[] {
  const finite = (['alpha', 'beta', 'tau', 'entropyWeight'] as const).filter(
    (path) => !Number.isFinite(options[path]),
  );
  const shares = (['branchProbability', 'penaltyPerBranch', 'randomProbability'] as const).filter(
    (path) => !(options[path] >= 0 && options[path] <= 1),
  );
  return [
    ...finite.map((path) => ({ path, expected: 'a finite number', got: String(options[path]) })),
    ...shares.map((path) => ({ path, expected: 'a number in [0, 1]', got: String(options[path]) })),
  ];
}

function checkHistory({ quantile, historyLength, minimumHistory }: BranchingOptions): OptionProblem[] {
  const problems = [
    ...checkInteger('historyLength', historyLength, 1),
    ...checkInteger('minimumHistory', minimumHistory, 1),
  ];
  if (!(quantile > 0 && quantile <= 1)) {
    problems.push({ path: 'quantile', expected: 'a number in (0, 1]', got: String(quantile) });
  }
  if (minimumHistory > historyLength) {
    problems.push({
      path: 'minimumHistory',
      expected: `at most historyLength (${historyLength})`,
      got: String(minimumHistory),
    });
  }
  return problems;
}

function checkInteger(path: string, value: number, minimum: number): OptionProblem[] {
  if (Number.isInteger(value) && value >= minimum) return [];
  return [{ path, expected: `a whole number of at least ${minimum}`, got: String(value) }];
}

/** Checks between settings: each is fine by itself, but not with the others. */
import { checkBranchingOptions } from '#arpo/branchingOptions';
import type { FieldPath, FieldProblem } from '#runs/configField';
import type { RunConfig } from '#runs/runConfig';

interface Check {
  /** The settings compared; the problem is shown at the first. */
  readonly paths: readonly string[];
  readonly isBroken: boolean;
  readonly message: string;
}

/**
 * The problems between settings. A check is left out when one of its settings is wrong by itself.
 *
 * @param known What is wrong with single settings.
 */
export function checkRunConfig(config: RunConfig, known: readonly FieldProblem[]): readonly FieldProblem[] {
  const broken = new Set(known.map(({ path }) => path.join('.')));
  const isUsable = (path: string): boolean => !isWithin(path, broken);
  const checks = [...trainingChecks(config), ...evaluationChecks(config)];
  const found = checks
    .filter(({ isBroken, paths }) => isBroken && paths.every(isUsable))
    .map(({ paths, message }): FieldProblem => ({ path: paths[0].split('.'), target: 'value', message }));
  return [...found, ...checkBranching(config, isUsable)];
}

function isWithin(path: string, broken: ReadonlySet<string>): boolean {
  const parts: FieldPath = path.split('.');
  return parts.some((_, index) => broken.has(parts.slice(0, index + 1).join('.')));
}

function checkBranching(config: RunConfig, isUsable: (path: string) => boolean): FieldProblem[] {
  const section = 'rollout.branching';
  const related = ['preset', 'rule', 'globalRollouts', 'initialRollouts', 'historyLength', 'baselineScope'];
  if (!related.every((key) => isUsable(`${section}.${key}`))) return [];
  return checkBranchingOptions(config.rollout.branching)
    .filter(({ path }) => isUsable(`${section}.${path}`))
    .map(({ path, expected, got }) => ({
      path: `${section}.${path}`.split('.'),
      target: 'value',
      message: `expected ${expected}, got ${got}`,
    }));
}

function trainingChecks(config: RunConfig): readonly Check[] {
  const { rollout, optimizer } = config;
  const { globalRollouts } = rollout.branching;
  return [
    {
      paths: ['optimizer.minibatches', 'rollout.groupsPerUpdate'],
      isBroken: optimizer.minibatches > rollout.groupsPerUpdate,
      message: `expected at most rollout.groupsPerUpdate (${rollout.groupsPerUpdate}), got ${optimizer.minibatches}`,
    },
    {
      paths: ['optimizer.warmUpUpdates', 'updates'],
      isBroken: optimizer.warmUpUpdates >= config.updates,
      message: `expected less than updates (${config.updates}), got ${optimizer.warmUpUpdates}`,
    },
    {
      paths: ['rollout.branching.globalRollouts', 'rollout.branching.preset'],
      isBroken: globalRollouts < 2,
      message: `expected at least 2, since advantages compare the trajectories of a group, got ${globalRollouts}`,
    },
  ];
}

function evaluationChecks({ evaluation }: RunConfig): readonly Check[] {
  return [
    {
      paths: ['evaluation.sampled', 'evaluation.greedy'],
      isBroken: !evaluation.sampled && !evaluation.greedy,
      message: 'expected true when evaluation.greedy is false, since nothing would be evaluated, got false',
    },
  ];
}

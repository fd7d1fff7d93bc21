/** Numbers of a run over its updates, for charts and tables. */
import type { GroupLedger, GroupScored } from '#runs/groupEvent';
import type { LossStatistics, PolicyUpdated } from '#runs/runEvent';
import type { RunModel, UpdateSummary } from '#runs/runModel';

/** One value of a series. */
export interface SeriesPoint {
  readonly update: number;
  readonly value: number;
}

/** The numbers that can be plotted over updates. */
export const seriesNames = [
  'rewardMean',
  'accuracy',
  'heldOutSampledAccuracy',
  'heldOutGreedyAccuracy',
  'loss',
  'ratioMean',
  'ratioMax',
  'clipFractionLow',
  'clipFractionHigh',
  'approximateKl',
  'gradientNorm',
  'learningRate',
  'droppedGroups',
  'entropyAfterTools',
  'entropyElsewhere',
  'trajectories',
  'branches',
  'topUps',
  'paidCalls',
  'inheritedCalls',
  'paidModelTokens',
  'inheritedModelTokens',
] as const;

export type SeriesName = (typeof seriesNames)[number];

/**
 * One number over updates, in ascending order; updates that do not have it are left out. Groups that
 * were sampled only to look at (`reroll`) do not count.
 */
export function runSeries(model: RunModel, name: SeriesName): readonly SeriesPoint[] {
  if (name === 'heldOutSampledAccuracy') return evaluationSeries(model, 'sampled');
  if (name === 'heldOutGreedyAccuracy') return evaluationSeries(model, 'greedy');
  return model.updates.flatMap((one) => pointsOf(one.update, valueOf(one, name)));
}

function evaluationSeries(model: RunModel, mode: 'sampled' | 'greedy'): readonly SeriesPoint[] {
  const heldOut = model.evaluations.filter(({ split }) => split === 'heldOut');
  return heldOut.flatMap((one) => pointsOf(one.update, one[mode]?.accuracy));
}

type UpdateSeriesName = Exclude<SeriesName, 'heldOutSampledAccuracy' | 'heldOutGreedyAccuracy'>;

function valueOf({ groups, policy }: UpdateSummary, name: UpdateSeriesName): number | null | undefined {
  const trained = [...groups.values()].filter(({ started }) => started.origin === 'training');
  const scored = trained.flatMap((group) => (group.scored === null ? [] : [group.scored]));
  const rewards = scored.flatMap((group) => group.rewards);
  if (name === 'rewardMean') return mean(rewards.map(({ total }) => total));
  if (name === 'accuracy') return mean(rewards.map(({ isCorrect }) => (isCorrect ? 1 : 0)));
  if (isOneOf(policyNames, name)) return policy?.[name];
  if (isOneOf(lossNames, name)) return policy?.loss?.[name];
  return sumOf(scored, name);
}

const policyNames = [
  'learningRate',
  'droppedGroups',
  'entropyAfterTools',
  'entropyElsewhere',
] as const satisfies readonly (keyof PolicyUpdated)[];

const lossNames = [
  'loss',
  'ratioMean',
  'ratioMax',
  'clipFractionLow',
  'clipFractionHigh',
  'approximateKl',
  'gradientNorm',
] as const satisfies readonly (keyof LossStatistics)[];

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return names.some((one) => one === name);
}

function sumOf(scored: readonly GroupScored[], name: keyof GroupLedger): number | null {
  return scored.length === 0 ? null : scored.reduce((sum, { ledger }) => sum + ledger[name], 0);
}

function pointsOf(update: number, value: number | null | undefined): SeriesPoint[] {
  return value === null || value === undefined ? [] : [{ update, value }];
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

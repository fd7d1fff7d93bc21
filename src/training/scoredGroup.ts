import { estimateAdvantages, isZeroVariance } from '#arpo/advantage';
import { sumCosts } from '#arpo/cost';
import type { GroupCost } from '#arpo/cost';
import { estimateAll } from '#arpo/nodeAdvantage';
import type { AdvantageOptions } from '#arpo/nodeAdvantage';
import { RolloutTree } from '#arpo/rolloutTree';
import type { GroupLedger, GroupScored } from '#runs/groupEvent';
import type { SampledGroup } from '#training/rolloutService';

/** A sampled group with what it is worth. */
export interface ScoredGroup {
  readonly sampled: SampledGroup;
  readonly tree: RolloutTree;
  /** `[M]` by slot. */
  readonly rewards: readonly number[];
  readonly isZeroVariance: boolean;
  readonly cost: GroupCost;
}

/** Rebuilds the tree of a group that came as plain data and adds up what it cost. */
export function scoreGroup(sampled: SampledGroup): ScoredGroup {
  const tree = RolloutTree.restore(sampled.nodes, sampled.trajectories);
  const rewards = sampled.rewards.map(({ total }) => total);
  return {
    sampled,
    tree,
    rewards,
    isZeroVariance: isZeroVariance(rewards),
    cost: sumCosts(tree.trajectories.map(({ slot }) => tree.costOf(slot))),
  };
}

/** The record of a scored group: rewards with their parts and the advantages of every attribution. */
export function groupScoredEvent(group: ScoredGroup, update: number, options: AdvantageOptions): GroupScored {
  const { tree, rewards, sampled } = group;
  const rules = { ...options, groupOfOne: 'released' } as const;
  const { soft, hard, step, segment, values } = estimateAll(tree, rewards, rules);
  const byEstimator = {
    grpo: estimateAdvantages(rewards, 'grpo', rules),
    drGrpo: estimateAdvantages(rewards, 'drGrpo', rules),
    rloo: estimateAdvantages(rewards, 'rloo', rules),
  };
  return {
    kind: 'groupScored',
    update,
    group: sampled.groupIndex,
    rewards: sampled.rewards.map((reward, slot) => ({ slot, ...reward })),
    advantages: { soft, hard, step, segment, values, byEstimator },
    isZeroVariance: group.isZeroVariance,
    ledger: ledgerOf(group),
  };
}

function ledgerOf({ tree, cost, sampled }: ScoredGroup): GroupLedger {
  const count = (origin: string): number =>
    tree.trajectories.filter((trajectory) => trajectory.origin === origin).length;
  return {
    trajectories: tree.trajectories.length,
    initialTrajectories: count('initial'),
    branches: count('branch'),
    topUps: count('topUp'),
    turns: sampled.turns,
    paidCalls: cost.executedCalls,
    inheritedCalls: cost.totalCalls - cost.executedCalls,
    paidModelTokens: cost.generatedTokens,
    inheritedModelTokens: cost.totalTokens - cost.generatedTokens,
  };
}

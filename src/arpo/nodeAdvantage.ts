/** Which advantage the tokens of each node get in each trajectory that owns the node. */
import type { AdvantageEstimator, EstimatorOptions } from '#arpo/advantage';
import type { RolloutTree } from '#arpo/rolloutTree';
import { unreachable } from '#base/assert';
import {
  defaultEstimatorOptions,
  estimateAdvantages,
  groupStatistics,
  isZeroVariance,
} from '#arpo/advantage';

/**
 * How advantages reach the tokens of a tree.
 * - `soft` (paper §3.2, and all the released code has): every copy of a shared token carries the
 *   advantage of the trajectory it is trained in.
 * - `hard` (paper §3.2; never released): a shared node carries the mean advantage of its owners.
 * - `step`: V(node) − V(parent), with V the mean return of the trajectories through a node. Behind the
 *   last fork V no longer changes, so only the first own node of a trajectory gets anything.
 * - `segment`: as `step`, but a chain of nodes with the same owners counts as one step, so that all its
 *   nodes carry the chain's advantage.
 */
export type AdvantageAttribution = 'soft' | 'hard' | 'step' | 'segment';

/** How advantages are computed. */
export interface AdvantageOptions extends EstimatorOptions {
  readonly estimator: AdvantageEstimator;
  readonly attribution: AdvantageAttribution;
}

/** GRPO with soft attribution: what the released code trains. */
export const defaultAdvantageOptions: AdvantageOptions = {
  ...defaultEstimatorOptions,
  estimator: 'grpo',
  attribution: 'soft',
};

/** The advantage of one node in one trajectory. */
export interface NodeAdvantage {
  readonly nodeId: number;
  readonly advantage: number;
}

/** All attributions of one group, for the record. */
export interface GroupEstimate {
  /** All rewards are equal; every advantage is 0 (up to rounding). */
  readonly isZeroVariance: boolean;
  /** `[G]` by slot. */
  readonly soft: readonly number[];
  /** `[nodes]` by node id; the root's is the mean of all. */
  readonly hard: readonly number[];
  /** `[nodes]` by node id; 0 at the root, which has no parent. */
  readonly step: readonly number[];
  readonly segment: readonly number[];
  /** `[nodes]` V: mean reward of the trajectories through the node. */
  readonly values: readonly number[];
  /** `[nodes]` number of trajectories through the node. */
  readonly owners: readonly number[];
}

/**
 * Advantage of each node in each trajectory.
 *
 * The advantages of `step` and `segment` are scaled like the estimator's: along a path they add up
 * (`segment`: over its chains) to the trajectory's own advantage.
 *
 * @param rewards `[G]` by slot of the tree.
 * @returns `[G][steps]`: for each slot the nodes of its path in order, without the root.
 * @throws RangeError when `rewards` does not match the tree, or the group is too small.
 */
export function nodeAdvantages(
  tree: RolloutTree,
  rewards: readonly number[],
  options: AdvantageOptions = defaultAdvantageOptions,
): readonly (readonly NodeAdvantage[])[] {
  const estimate = estimateAll(tree, rewards, options);
  return tree.trajectories.map(({ slot, lastNodeId }) =>
    tree
      .pathTo(lastNodeId)
      .slice(1)
      .map(({ id }) => ({ nodeId: id, advantage: attribute(estimate, options.attribution, { slot, id }) })),
  );
}

/** Every attribution at once under one estimator. */
export function estimateAll(
  tree: RolloutTree,
  rewards: readonly number[],
  options: Omit<AdvantageOptions, 'attribution'> = defaultAdvantageOptions,
): GroupEstimate {
  if (rewards.length !== tree.trajectories.length) {
    throw new RangeError(
      `rewards: expected [${tree.trajectories.length}] (one per slot), got [${rewards.length}]`,
    );
  }
  const soft = estimateAdvantages(rewards, options.estimator, options);
  const owners = sumOverOwners(
    tree,
    rewards.map(() => 1),
  );
  const values = sumOverOwners(tree, rewards).map((sum, id) => sum / owners[id]);
  const hard = sumOverOwners(tree, soft).map((sum, id) => sum / owners[id]);
  const scale = stepScale(rewards, options);
  const stepFrom = (id: number, ancestorId: number | null): number =>
    ancestorId === null ? 0 : scale * (values[id] - values[ancestorId]);
  return {
    isZeroVariance: isZeroVariance(rewards),
    soft,
    hard,
    step: tree.nodes.map(({ id, parentId }) => stepFrom(id, parentId)),
    segment: tree.nodes.map(({ id }) => stepFrom(id, chainStart(tree, owners, id))),
    values,
    owners,
  };
}

/**
 * Spreads the advantages of a trajectory's nodes over its tokens.
 *
 * @param nodeIds `[T]` the node of each token (`TrajectoryTokens.nodeIds`).
 * @returns `[T]`; 0 for tokens of nodes that are not listed (the prompt).
 */
export function spreadAdvantages(nodeIds: Int32Array, advantages: readonly NodeAdvantage[]): Float32Array {
  const byNode = new Map(advantages.map(({ nodeId, advantage }) => [nodeId, advantage]));
  return Float32Array.from(nodeIds, (id) => byNode.get(id) ?? 0);
}

function attribute(
  estimate: GroupEstimate,
  attribution: AdvantageAttribution,
  place: { readonly slot: number; readonly id: number },
): number {
  switch (attribution) {
    case 'soft':
      return estimate.soft[place.slot];
    case 'hard':
      return estimate.hard[place.id];
    case 'step':
      return estimate.step[place.id];
    case 'segment':
      return estimate.segment[place.id];
    default:
      return unreachable(attribution);
  }
}

/** `[nodes]` Σ of the values of the trajectories through each node; each trajectory counts once. */
function sumOverOwners(tree: RolloutTree, valuesBySlot: readonly number[]): number[] {
  const sums = tree.nodes.map(() => 0);
  for (const { slot, lastNodeId } of tree.trajectories) {
    for (const { id } of tree.pathTo(lastNodeId)) sums[id] += valuesBySlot[slot];
  }
  return sums;
}

/** The nearest ancestor with more owners than the node, or `null` when all trajectories pass the node. */
function chainStart(tree: RolloutTree, owners: readonly number[], id: number): number | null {
  let ancestorId = tree.node(id).parentId;
  while (ancestorId !== null && owners[ancestorId] === owners[id]) {
    ancestorId = tree.node(ancestorId).parentId;
  }
  return ancestorId;
}

/** What turns a difference of returns into the estimator's unit. */
function stepScale(rewards: readonly number[], options: Omit<AdvantageOptions, 'attribution'>): number {
  switch (options.estimator) {
    case 'grpo':
      return 1 / (groupStatistics(rewards, options).deviation + options.epsilon);
    case 'drGrpo':
      return 1;
    case 'rloo':
      return rewards.length / Math.max(1, rewards.length - 1);
    default:
      return unreachable(options.estimator);
  }
}

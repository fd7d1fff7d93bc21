/** The events of one group: how its tree grew, what was decided, and what it was worth. */
import type { AdvantageEstimator } from '#arpo/advantage';
import type { BranchDecision } from '#arpo/branchDecision';
import type { NodeContent, StopReason, ToolCall, TrajectoryOrigin } from '#arpo/rolloutTree';

/** Which group an event belongs to. */
export interface GroupKey {
  /** The update the group was sampled for, from 1. */
  readonly update: number;
  /** Index of the group within its update, from 0. */
  readonly group: number;
}

/** `training`: sampled for the update. `reroll`: sampled later, to look at; never trained on. */
export type SampleOrigin = 'training' | 'reroll';

/** Aligned elements of the columns `tokens`, `mask`, `logProbs` and `entropies`. */
export interface TokenRange {
  readonly offset: number;
  readonly length: number;
}

/** A group began: its task and its prompt, which is node 0 of the tree. */
export interface GroupStarted extends GroupKey {
  readonly kind: 'groupStarted';
  readonly origin: SampleOrigin;
  readonly taskId: string;
  /** The text of the prompt as the model sees it. */
  readonly prompt: string;
  /** The expected answer, for people. */
  readonly gold: string;
  readonly promptTokens: TokenRange;
}

/** One started trajectory, as in `arpo/rolloutTree` `Trajectory`. */
export interface TrajectoryStart {
  readonly slot: number;
  readonly origin: TrajectoryOrigin;
  readonly forkNodeId: number;
  readonly sourceSlot: number | null;
}

/** Trajectories began at the prompt (initial, top-up) or at a node of another one (branch). */
export interface TrajectoriesStarted extends GroupKey {
  readonly kind: 'trajectoriesStarted';
  readonly trajectories: readonly TrajectoryStart[];
}

/** One node as it stands in the event log; its arrays are in the columns. */
export interface StoredNode {
  readonly id: number;
  readonly parentId: number;
  readonly depth: number;
  readonly slot: number;
  readonly tokens: TokenRange;
  /** Where its `[T, count]` elements start in both columns of alternatives; `null` when not recorded. */
  readonly alternatives: { readonly count: number; readonly offset: number } | null;
  /** Where its `[T]` elements start in the column `tokenEnds`; `null` when not recorded. */
  readonly tokenEndsOffset: number | null;
  /** What the policy wrote. */
  readonly modelText: string;
  /** The tool result as the model sees it, tags included; '' when there is none. */
  readonly resultText: string;
  readonly toolCall: ToolCall | null;
  readonly stopReason: StopReason;
}

/** Nodes were added to the tree, in order of their ids. A finished trajectory shows in `stopReason`. */
export interface NodesAdded extends GroupKey {
  readonly kind: 'nodesAdded';
  readonly origin: SampleOrigin;
  readonly nodes: readonly StoredNode[];
}

/** Every opportunity to branch of one turn and what was decided, taken or not. */
export interface BranchesDecided extends GroupKey {
  readonly kind: 'branchesDecided';
  readonly decisions: readonly BranchDecision[];
}

/** The reward of one trajectory. */
export interface RecordedReward {
  readonly slot: number;
  readonly total: number;
  /** The summands by name; they add up to `total`. */
  readonly parts: Readonly<Record<string, number>>;
  readonly reason: string;
  readonly answer: string | null;
  readonly isCorrect: boolean;
}

/** Advantages of every estimator and attribution, so that they can be compared; dimensionless. */
export interface RecordedAdvantages {
  /** `[M]` by slot, by the configured estimator: what soft attribution gives to all tokens of the path. */
  readonly soft: readonly number[];
  /** `[nodes]` by node id: mean advantage of the trajectories through the node. `null`: none was scored. */
  readonly hard: readonly (number | null)[];
  /** `[nodes]` by node id: value of the node minus value of its parent, scaled like the estimator. */
  readonly step: readonly (number | null)[];
  /** `[nodes]` as `step`, but nodes between two forks count as one. */
  readonly segment: readonly (number | null)[];
  /** `[nodes]` by node id: mean reward of the trajectories through the node. */
  readonly values: readonly (number | null)[];
  /** `[M]` by slot under each estimator, the configured one included. */
  readonly byEstimator: Readonly<Record<AdvantageEstimator, readonly number[]>>;
}

/** What the group cost: own work was paid for, inherited prefixes were not. */
export interface GroupLedger {
  /** M: trajectories finally kept. */
  readonly trajectories: number;
  /** N: trajectories started from the prompt at the beginning. */
  readonly initialTrajectories: number;
  readonly branches: number;
  readonly topUps: number;
  /** Loop turns of the rollout: the latency term. */
  readonly turns: number;
  readonly paidCalls: number;
  readonly inheritedCalls: number;
  readonly paidModelTokens: number;
  readonly inheritedModelTokens: number;
}

/** All trajectories are finished and rewarded. */
export interface GroupScored extends GroupKey {
  readonly kind: 'groupScored';
  /** `[M]` by slot. */
  readonly rewards: readonly RecordedReward[];
  readonly advantages: RecordedAdvantages;
  /** All rewards are equal: the group teaches nothing. */
  readonly isZeroVariance: boolean;
  readonly ledger: GroupLedger;
}

export type GroupEvent = GroupStarted | TrajectoriesStarted | NodesAdded | BranchesDecided | GroupScored;

/** One node as a writer is given it: the arrays themselves, and their text. */
export interface NewNode extends NodeContent {
  readonly id: number;
  readonly parentId: number;
  readonly depth: number;
  readonly slot: number;
  readonly stopReason: StopReason;
  readonly modelText: string;
  readonly resultText: string;
  /** `[T]`, not decreasing, the last one the length of `modelText + resultText`; see `tokenTextEnds`. */
  readonly tokenEnds: Int32Array | null;
}

/** `NodesAdded` before its arrays went to the columns. */
export interface NewNodesAdded extends Omit<NodesAdded, 'nodes'> {
  readonly nodes: readonly NewNode[];
}

/** `GroupStarted` before its prompt went to the columns; `promptTokens` is `[T]`. */
export interface NewGroupStarted extends Omit<GroupStarted, 'promptTokens'> {
  readonly promptTokens: Int32Array;
}

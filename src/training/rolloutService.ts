/**
 * What the trainer asks of whatever samples trajectories: one process, several, or (in tests) the
 * same thread. Everything crossing this border is plain data.
 */
import type { BranchDecision } from '#arpo/branchDecision';
import type { RolloutNode, Trajectory } from '#arpo/rolloutTree';
import type { NamedTensors } from '#engine/policy';
import type { BranchesDecided, NewGroupStarted, NewNodesAdded, TrajectoriesStarted } from '#runs/groupEvent';
import type { Reward } from '#environment/reward';
import type { Split } from '#environment/environment';

/** A task to roll out; `groupIndex` is its place in the update's batch. */
export interface GroupRequest {
  readonly groupIndex: number;
  readonly taskIndex: number;
}

/** The groups of one update. */
export interface RolloutJob {
  readonly update: number;
  readonly groups: readonly GroupRequest[];
  /** Entropy changes seen in earlier updates of this run, oldest first (rule `quantile`). */
  readonly entropyHistory: readonly number[];
}

/** What the loop turns of a rollout added, ready for the record. */
export type RolloutEvent = NewGroupStarted | TrajectoriesStarted | NewNodesAdded | BranchesDecided;

/** One finished group. */
export interface SampledGroup {
  readonly groupIndex: number;
  readonly taskIndex: number;
  readonly taskId: string;
  readonly prompt: string;
  readonly gold: string;
  readonly nodes: readonly RolloutNode[];
  readonly trajectories: readonly Trajectory[];
  readonly decisions: readonly BranchDecision[];
  /** By slot. */
  readonly rewards: readonly Reward[];
  /** Loop turns it took. */
  readonly turns: number;
  /** Entropy changes in the order they were measured, for the history of later updates. */
  readonly entropyChanges: readonly number[];
}

/** Work done for a job, for throughput figures. */
export interface SamplingCounters {
  /** Tokens sampled from the policy. */
  readonly sampledTokens: number;
  /** Prompt and tool tokens fed to the policy. */
  readonly fedTokens: number;
  /** Sequential runs of the decode graph. */
  readonly decodeSteps: number;
}

export interface RolloutResult {
  /** In the order of `groupIndex`. */
  readonly groups: readonly SampledGroup[];
  readonly counters: SamplingCounters;
}

export interface EvaluationJob {
  readonly split: Split;
  readonly taskIndices: readonly number[];
  readonly isGreedy: boolean;
}

/** One evaluated task: one trajectory, no branching. */
export interface EvaluatedTask {
  readonly taskIndex: number;
  readonly isCorrect: boolean;
  readonly reward: number;
  readonly toolCalls: number;
  /** Sampled by the policy. */
  readonly tokens: number;
}

export interface EvaluationResult {
  /** In the order of the job's `taskIndices`. */
  readonly tasks: readonly EvaluatedTask[];
  readonly counters: SamplingCounters;
}

export interface RolloutService {
  /** Samplers in parallel: the groups of an update are dealt out to them in turn. */
  readonly parallelism: number;
  /** All later work uses these weights. */
  setWeights(weights: NamedTensors): Promise<void>;
  /** @param onEvents Called while the rollout goes on; the events of one group come in order. */
  rollOut(
    job: RolloutJob,
    onEvents: (events: readonly RolloutEvent[]) => void,
    signal: AbortSignal,
  ): Promise<RolloutResult>;
  evaluate(job: EvaluationJob, signal: AbortSignal): Promise<EvaluationResult>;
  /** The per-sampler tables that outlive a batch (stale baselines of the released code). */
  exportState(): Promise<readonly SamplerState[]>;
  importState(states: readonly SamplerState[]): Promise<void>;
  dispose(): Promise<void>;
}

/** The initial entropies by slot that the released code never clears; `[slot, entropy]` pairs. */
export interface SamplerState {
  readonly slotBaselines: readonly (readonly [number, number])[];
}

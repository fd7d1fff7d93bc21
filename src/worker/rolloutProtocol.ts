/** The messages between a trainer process and the rollout processes it starts. */
import type { Checkpoint } from '#engine/checkpoint';
import type { EngineName } from '#engine/engines';
import type { NamedTensors } from '#engine/policy';
import type { RunConfig } from '#runs/runConfig';
import type {
  EvaluationJob,
  EvaluationResult,
  RolloutEvent,
  RolloutJob,
  RolloutResult,
  SamplerState,
} from '#training/rolloutService';

/** Everything a rollout process needs to know once. */
export interface RolloutSetup {
  readonly config: RunConfig;
  /** The policy to start with; newer weights come with `setWeights`. */
  readonly checkpoint: Checkpoint;
  /** Name of an engine as in `openEngine`, already resolved (never `auto`). */
  readonly engine: EngineName;
  /** The folder of the bundled entry files. */
  readonly programFolder: string;
  /** Relative paths of the configuration are relative to this folder. */
  readonly baseFolder: string;
}

/** Trainer → rollout process. */
export type RolloutRequests = {
  initialize: { params: RolloutSetup; result: null };
  setWeights: { params: { weights: NamedTensors }; result: null };
  rollOut: { params: RolloutJob; result: RolloutResult };
  evaluate: { params: EvaluationJob; result: EvaluationResult };
  exportState: { params: null; result: SamplerState };
  importState: { params: SamplerState; result: null };
};

/** Rollout process → trainer. */
export type RolloutEvents = {
  /** What the turns finished since the last message added, in order. */
  progress: readonly RolloutEvent[];
};

export type TrainerEnd = {
  calls: RolloutRequests;
  serves: Record<never, never>;
  emits: Record<never, never>;
  hears: RolloutEvents;
};

export type RolloutEnd = {
  calls: Record<never, never>;
  serves: RolloutRequests;
  emits: RolloutEvents;
  hears: Record<never, never>;
};

/** What a person wants to know while a run goes on, and when it has ended. */

/** Accuracies on held-out tasks, 0..1; `null` when that kind was not asked for. */
export interface Accuracy {
  readonly sampled: number | null;
  readonly greedy: number | null;
}

/** Tool calls that were run, and those that branches inherited with their prefix. */
export interface ToolCallCount {
  readonly paid: number;
  readonly inherited: number;
}

export type TrainingPhase = 'evaluation' | 'rollout' | 'update' | 'checkpoint';

/** A snapshot of a run that goes on. */
export interface TrainingProgress {
  readonly phase: TrainingPhase;
  /** Updates completed. */
  readonly update: number;
  readonly updates: number;
  /** Mean reward of the newest update's trajectories; `null` before the first. */
  readonly reward: number | null;
  /** Of the newest evaluation. */
  readonly heldOut: Accuracy | null;
  /** Of the whole run, evaluations not counted. */
  readonly toolCalls: ToolCallCount;
  readonly branches: number;
  /** Tokens sampled per second of rollout in the newest update; `null` before the first. */
  readonly tokensPerSecond: number | null;
  /** Estimated from the updates and evaluations of this session; `null` before its first update. */
  readonly secondsLeft: number | null;
}

/** Wall-clock seconds by phase, over all sessions of a run. */
export interface PhaseSeconds {
  readonly rollout: number;
  readonly update: number;
  readonly evaluation: number;
  /** Everything, start-up and checkpoints included. */
  readonly total: number;
}

/** What a finished run came to. */
export interface TrainingSummary {
  readonly updates: number;
  readonly heldOut: { readonly before: Accuracy; readonly after: Accuracy };
  readonly toolCalls: ToolCallCount;
  readonly branches: number;
  /** Tokens sampled for training, evaluations not counted. */
  readonly generatedTokens: number;
  readonly seconds: PhaseSeconds;
}

import { EngineError } from '#engine/engineError';
import type { SamplerState } from '#training/rolloutService';
import type { Accuracy, PhaseSeconds, ToolCallCount } from '#training/trainingProgress';

/**
 * What a run must remember between updates beside weights and optimizer moments. Random streams are
 * derived from (seed, update, group, slot), so they need no state.
 */
export interface TrainingState {
  /** Updates completed. */
  readonly update: number;
  /** The newest entropy changes of the run, oldest first (rule `quantile`). */
  readonly entropyHistory: readonly number[];
  /** One per parallel sampler. */
  readonly samplers: readonly SamplerState[];
  readonly toolCalls: ToolCallCount;
  readonly branches: number;
  readonly generatedTokens: number;
  readonly seconds: PhaseSeconds;
  /** Held-out accuracy before the first update; `null` until it is measured. */
  readonly before: Accuracy | null;
  /** The newest held-out accuracy and the update it belongs to. */
  readonly heldOut: { readonly update: number; readonly accuracy: Accuracy } | null;
}

const stateVersion = 1;

/** The state of a run that has not begun. */
export const initialTrainingState: TrainingState = {
  update: 0,
  entropyHistory: [],
  samplers: [],
  toolCalls: { paid: 0, inherited: 0 },
  branches: 0,
  generatedTokens: 0,
  seconds: { rollout: 0, update: 0, evaluation: 0, total: 0 },
  before: null,
  heldOut: null,
};

/** The state as the text of a checkpoint's `trainer.json`. */
export function formatTrainingState(state: TrainingState): string {
  return `${JSON.stringify({ version: stateVersion, ...state })}\n`;
}

/** @throws EngineError `wrongCheckpoint` when the text is not a state of this version. */
export function parseTrainingState(text: string): TrainingState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EngineError(
      'wrongCheckpoint',
      `trainer.json: expected JSON, got ${text.length} bytes that are not`,
      {
        cause: error,
      },
    );
  }
  if (!isState(value)) {
    throw new EngineError(
      'wrongCheckpoint',
      `trainer.json: expected a training state of version ${stateVersion}. ` +
        `Resume with the version of ARPO that wrote the checkpoint, or start a new run from its weights.`,
    );
  }
  return value;
}

function isState(value: unknown): value is TrainingState {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'version' in value &&
    value.version === stateVersion &&
    Object.keys(initialTrainingState).every((key) => key in value)
  );
}

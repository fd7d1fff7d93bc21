/** What a checkpoint of a run consists of, and where it goes. */
import type { NewRunEvent } from '#runs/runEvent';

/** `weights`: to keep, load or share. `resume`: the newest complete state; replaced every time. */
export type CheckpointPurpose = 'weights' | 'resume';

/** The files of a checkpoint folder by name. */
export interface CheckpointContent {
  readonly update: number;
  readonly purpose: CheckpointPurpose;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Where a run is recorded. There is one writer per run: the command line, or the extension host for
 * the runs it started.
 */
export interface RunRecorder {
  /** Resolves when the events are acknowledged: they survive the end of every process. */
  append(events: readonly NewRunEvent[]): Promise<void>;
  /**
   * Stores a checkpoint so that it is there completely or not at all.
   *
   * @returns The folder relative to the run's.
   */
  saveCheckpoint(checkpoint: CheckpointContent): Promise<string>;
}

/** File of a `resume` checkpoint beside those of the Hugging Face layout. */
export const trainingStateFile = 'trainer.json';

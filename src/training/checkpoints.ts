/** What a checkpoint of a run consists of, and where a run is recorded. */
import { writeCheckpoint } from '#engine/checkpoint';
import type { Checkpoint } from '#engine/checkpoint';
import type { CheckpointContent } from '#runs/checkpointFolders';
import type { NewRunEvent } from '#runs/runEvent';
import { formatTrainingState } from '#training/trainingState';
import type { TrainingState } from '#training/trainingState';

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

/** The files of a checkpoint; with `state`, those that resuming needs. */
export async function encodeCheckpoint(
  checkpoint: Checkpoint,
  state: TrainingState | null,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  await writeCheckpoint(
    {
      location: 'the checkpoint of the run',
      read: async (name) => files.get(name) ?? null,
      write: async (name, bytes) => void files.set(name, bytes),
    },
    checkpoint,
  );
  if (state !== null) files.set(trainingStateFile, new TextEncoder().encode(formatTrainingState(state)));
  return files;
}

/** Where a run begins or goes on: its configuration, weights and training state. */
import { resolve } from 'node:path';
import { readCheckpoint } from '#engine/checkpoint';
import type { Checkpoint } from '#engine/checkpoint';
import { EngineError } from '#engine/engineError';
import { engineNames } from '#engine/engines';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { newestState } from '#runs/checkpointFolders';
import { joinPath } from '#runs/fileSystem';
import type { RunConfig } from '#runs/runConfig';
import { RunReader } from '#runs/runReader';
import { trainingStateFile } from '#training/checkpoints';
import { initialTrainingState, parseTrainingState } from '#training/trainingState';
import type { TrainingState } from '#training/trainingState';
import { checkpointFiles, openCheckpoint, readOrNull } from '#worker/checkpointSource';

/** What a session is opened from and a trainer goes on with. */
export interface StartingPoint {
  readonly config: RunConfig;
  readonly checkpoint: Checkpoint;
  /** `null` when the objective needs no reference policy. */
  readonly referenceCheckpoint: Checkpoint | null;
  readonly state: TrainingState;
}

/** What is asked for. */
export interface StartingPointRequest {
  readonly config: RunConfig;
  /** The run to continue; `null` for a new one. */
  readonly resumeFolder: string | null;
  readonly builtinFolder: string;
  /** What relative paths of `config` are relative to. */
  readonly baseFolder: string;
}

/** @throws EngineError `missingCheckpoint` or `wrongCheckpoint`. */
export async function readStartingPoint(request: StartingPointRequest): Promise<StartingPoint> {
  const { resumeFolder } = request;
  const whole = withWholePaths(request.config, request.baseFolder);
  const config = resumeFolder === null ? whole : await withRecordedEngine(resumeFolder, whole);
  const start = { ...(await openCheckpoint(config.policy.checkpoint, request)), optimizer: null };
  const referenceCheckpoint = config.objective.klCoefficient > 0 ? start : null;
  const stored = resumeFolder === null ? null : await readStoredState(resumeFolder);
  if (stored === null) return { config, checkpoint: start, referenceCheckpoint, state: initialTrainingState };
  return { ...stored, config, referenceCheckpoint };
}

/**
 * The newest state that a run stored; `null` when it ended before its first one and starts anew.
 *
 * @throws EngineError `missingCheckpoint` or `wrongCheckpoint` when it cannot be used.
 */
export async function readStoredState(
  runFolder: string,
): Promise<{ checkpoint: Checkpoint; state: TrainingState } | null> {
  const stored = await newestState(nodeFileSystem, runFolder);
  if (stored === null) return null;
  const checkpoint = await readCheckpoint(checkpointFiles(stored.folder));
  const bytes = await readOrNull(joinPath(stored.folder, trainingStateFile));
  if (bytes === null || checkpoint.optimizer === null) {
    throw new EngineError(
      'missingCheckpoint',
      `Checkpoint ${stored.folder}: expected ${trainingStateFile} and optimizer.safetensors, without which the run ` +
        `would not go on as it was. Restore them, or start a new run with policy.checkpoint set to this folder.`,
    );
  }
  return { checkpoint, state: parseTrainingState(new TextDecoder().decode(bytes)) };
}

/** A resumed run computes and samples as it did before, so that its results stay the same. */
export async function withRecordedEngine(runFolder: string, config: RunConfig): Promise<RunConfig> {
  const reader = await RunReader.open(nodeFileSystem, runFolder);
  const [begun] = await reader.events({ kinds: ['runStarted'] });
  if (begun?.event.kind !== 'runStarted') return config;
  const { name: recorded, threads, processes } = begun.event.engine;
  const name = engineNames.find((known) => known === recorded) ?? config.engine.name;
  return { ...config, engine: { name, threads, processes } };
}

/** Paths of the configuration made absolute, so that the run can be resumed from anywhere. */
export function withWholePaths(config: RunConfig, baseFolder: string): RunConfig {
  const { policy, task } = config;
  const isBuiltin = policy.checkpoint.startsWith('builtin:');
  const checkpoint = isBuiltin ? policy.checkpoint : resolve(baseFolder, policy.checkpoint);
  if (task.name === 'directory-hunt') return { ...config, policy: { checkpoint } };
  const documents = task.documents === null ? null : resolve(baseFolder, task.documents);
  return {
    ...config,
    policy: { checkpoint },
    task: { ...task, file: resolve(baseFolder, task.file), documents },
  };
}

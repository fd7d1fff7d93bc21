/** Where a run begins or goes on: its configuration, weights and training state. */
import { resolve } from 'node:path';
import { readCheckpoint } from '#engine/checkpoint';
import type { Checkpoint } from '#engine/checkpoint';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { newestState } from '#runs/checkpointFolders';
import { joinPath } from '#runs/fileSystem';
import type { RunConfig } from '#runs/runConfig';
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
  const config = withWholePaths(request.config, request.baseFolder);
  const start = { ...(await openCheckpoint(config.policy.checkpoint, request)), optimizer: null };
  const referenceCheckpoint = config.objective.klCoefficient > 0 ? start : null;
  const stored = request.resumeFolder === null ? null : await readStoredState(request.resumeFolder);
  if (stored === null) return { config, checkpoint: start, referenceCheckpoint, state: initialTrainingState };
  return { ...stored, config: withProcesses(config, stored.state), referenceCheckpoint };
}

/**
 * The newest state that a run stored; `null` when it ended before its first one and starts anew.
 *
 * @throws EngineError `wrongCheckpoint` when it cannot be used.
 */
export async function readStoredState(
  runFolder: string,
): Promise<{ checkpoint: Checkpoint; state: TrainingState } | null> {
  const stored = await newestState(nodeFileSystem, runFolder);
  if (stored === null) return null;
  const checkpoint = await readCheckpoint(checkpointFiles(stored.folder));
  const bytes = await readOrNull(joinPath(stored.folder, trainingStateFile));
  return { checkpoint, state: parseTrainingState(new TextDecoder().decode(bytes ?? new Uint8Array(0))) };
}

/** A resumed run samples in as many processes as before, so that its results stay the same. */
export function withProcesses(config: RunConfig, { samplers }: TrainingState): RunConfig {
  if (samplers.length === 0) return config;
  return { ...config, engine: { ...config.engine, processes: samplers.length } };
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

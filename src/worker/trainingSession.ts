/** Opens everything that a run needs, in this process and in rollout processes, and closes it again. */
import { availableParallelism } from 'node:os';
import type { Checkpoint } from '#engine/checkpoint';
import { openEngine, resolveEngine } from '#engine/engines';
import type { EngineName } from '#engine/engines';
import type { Executor } from '#engine/executor';
import { createPolicy } from '#engine/llamaPolicy';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type { PolicyTrainer } from '#engine/policy';
import type { Environment } from '#environment/environment';
import type { RunConfig } from '#runs/runConfig';
import type { RunStarted } from '#runs/runEvent';
import { encodeCheckpoint } from '#training/checkpoints';
import type { RunRecorder } from '#training/checkpoints';
import { Trainer } from '#training/trainer';
import type { TrainingState } from '#training/trainingState';
import type { TrainingProgress } from '#training/trainingProgress';
import { describeHost } from '#worker/hostDescription';
import { openEnvironment } from '#worker/openEnvironment';
import { RolloutPool } from '#worker/rolloutPool';
import { checkSession } from '#worker/sessionChecks';

/** What a session is opened from. */
export interface SessionOptions {
  readonly config: RunConfig;
  /** Weights, and for a resumed run the optimizer's moments. */
  readonly checkpoint: Checkpoint;
  /** The policy of `klCoefficient`'s reference: the checkpoint the run started from. */
  readonly referenceCheckpoint: Checkpoint | null;
  /** What relative paths of the configuration are relative to. */
  readonly baseFolder: string;
  /** The folder of the bundled entry files `rollout.js` and `pyodideThread.js`. */
  readonly programFolder: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Lines that rollout processes write. */
  readonly onOutput: (line: string) => void;
  /** Stops the opening; nothing stays open then. */
  readonly signal: AbortSignal;
}

/** An opened run: `train` it, then `dispose`. */
export interface TrainingSession {
  readonly engine: EngineName;
  /** The facts that the record of a run begins with. */
  readonly started: RunStarted;
  createTrainer(
    recorder: RunRecorder,
    state: TrainingState,
    onProgress: (progress: TrainingProgress) => void,
  ): Promise<Trainer>;
  /** Ends all processes. */
  dispose(): Promise<void>;
}

/**
 * @throws EngineError when engine or checkpoint cannot be used, ConfigurationError when the settings do
 *   not fit the environment, the signal's reason or AbortError; whatever starting a process throws.
 */
export async function openTrainingSession(options: SessionOptions): Promise<TrainingSession> {
  const startedAt = performance.now();
  const { config, signal } = options;
  const threads = config.engine.threads ?? availableParallelism();
  const engine = resolveEngine(config.engine.name);
  const executor = await openEngine(engine, { threads });
  const opened: { dispose(): Promise<void> }[] = [executor];
  const dispose = async (): Promise<void> => {
    for (const part of opened.reverse()) await part.dispose();
  };
  try {
    const models = await openModels(options, executor);
    opened.push(models.policy, ...(models.reference === null ? [] : [models.reference]));
    signal.throwIfAborted();
    const environment = await openEnvironment({ ...options, startsTools: false });
    checkSession(config, environment, models.policy.tokenizer);
    const processes = rolloutProcesses(config);
    const rollouts = await startPool(options, engine, processes);
    opened.push(rollouts);
    const parts = { options, ...models, environment, rollouts, startedAt };
    return {
      engine,
      started: startedEvent(parts, { name: engine, threads, processes }),
      createTrainer: async (recorder, state, onProgress) =>
        await createTrainer(parts, { recorder, state, onProgress }),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The trained policy with its optimizer, and the reference where there is one. */
async function openModels(
  { checkpoint, referenceCheckpoint }: SessionOptions,
  executor: Executor,
): Promise<Pick<SessionParts, 'policy' | 'reference' | 'trainer'>> {
  const policy = createPolicy({ ...checkpoint, executor });
  const reference = referenceCheckpoint === null ? null : createPolicy({ ...referenceCheckpoint, executor });
  const trainer = await policy.createTrainer();
  if (checkpoint.optimizer !== null) trainer.importState(checkpoint.optimizer);
  return { policy, reference, trainer };
}

interface SessionParts {
  readonly options: SessionOptions;
  readonly policy: LlamaPolicy;
  readonly reference: LlamaPolicy | null;
  readonly trainer: PolicyTrainer;
  readonly environment: Environment;
  readonly rollouts: RolloutPool;
  /** When opening began, by `performance.now`. */
  readonly startedAt: number;
}

/** More processes than groups would stand idle. */
export function rolloutProcesses(config: RunConfig): number {
  return (
    config.engine.processes ?? Math.max(1, Math.min(availableParallelism(), config.rollout.groupsPerUpdate))
  );
}

async function startPool(
  options: SessionOptions,
  engine: EngineName,
  processes: number,
): Promise<RolloutPool> {
  const { config, checkpoint, baseFolder, programFolder, onOutput, signal } = options;
  return await RolloutPool.start({
    entry: `${programFolder}/rollout.js`,
    processes,
    onOutput,
    signal,
    setup: {
      config,
      checkpoint: { ...checkpoint, optimizer: null },
      engine,
      baseFolder,
      programFolder,
    },
  });
}

async function createTrainer(
  parts: SessionParts,
  run: {
    readonly recorder: RunRecorder;
    readonly state: TrainingState;
    readonly onProgress: (progress: TrainingProgress) => void;
  },
): Promise<Trainer> {
  const { options, policy, trainer } = parts;
  if (run.state.samplers.length > 0) await parts.rollouts.importState(run.state.samplers);
  return new Trainer(
    {
      ...parts,
      config: options.config,
      recorder: run.recorder,
      checkpointFiles: async (state) =>
        await encodeCheckpoint(policy.exportCheckpoint(state === null ? null : trainer), state),
      now: () => performance.now(),
      startedAt: parts.startedAt,
      onProgress: run.onProgress,
    },
    run.state,
  );
}

function startedEvent(
  { options, policy, environment }: SessionParts,
  engine: RunStarted['engine'],
): RunStarted {
  return {
    kind: 'runStarted',
    config: options.config,
    versions: options.versions,
    engine,
    policy: {
      parameters: policy.parameterCount,
      vocabularySize: policy.tokenizer.vocabularySize,
      contextLength: policy.contextLength,
    },
    environment: environment.name,
    host: describeHost(),
  };
}

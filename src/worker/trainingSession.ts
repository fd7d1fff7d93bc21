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

/** @throws EngineError when engine or checkpoint cannot be used; whatever starting a process throws. */
export async function openTrainingSession(options: SessionOptions): Promise<TrainingSession> {
  const { config, checkpoint } = options;
  const threads = config.engine.threads ?? availableParallelism();
  const processes = rolloutProcesses(config);
  const engine = resolveEngine(config.engine.name);
  const executor = await openEngine(engine, { threads });
  const policy = createPolicy({ ...checkpoint, executor });
  const reference =
    options.referenceCheckpoint === null ? null : createPolicy({ ...options.referenceCheckpoint, executor });
  const trainer = await policy.createTrainer();
  if (checkpoint.optimizer !== null) trainer.importState(checkpoint.optimizer);
  const setup = { ...options, checkpoint: { ...checkpoint, optimizer: null }, engine };
  const environment = await openEnvironment(setup);
  const rollouts = await startPool(options, engine, processes);
  const parts = { options, policy, reference, trainer, environment, rollouts };
  return {
    engine,
    started: startedEvent(parts, { name: engine, threads, processes }),
    createTrainer: async (recorder, state, onProgress) =>
      await createTrainer(parts, { recorder, state, onProgress }),
    dispose: async () => {
      await rollouts.dispose();
      await disposeAll(policy, reference, executor);
    },
  };
}

interface SessionParts {
  readonly options: SessionOptions;
  readonly policy: LlamaPolicy;
  readonly reference: LlamaPolicy | null;
  readonly trainer: PolicyTrainer;
  readonly environment: Environment;
  readonly rollouts: RolloutPool;
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
  const { config, checkpoint, baseFolder, programFolder, onOutput } = options;
  return await RolloutPool.start({
    entry: `${programFolder}/rollout.js`,
    processes,
    onOutput,
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

async function disposeAll(
  policy: LlamaPolicy,
  reference: LlamaPolicy | null,
  executor: Executor,
): Promise<void> {
  await policy.dispose();
  await reference?.dispose();
  await executor.dispose();
}

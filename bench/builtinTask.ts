/** Everything that updates of the built-in task need, opened once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '#engine/checkpoint';
import { openEngine } from '#engine/engines';
import type { Executor } from '#engine/executor';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import { createPolicy } from '#engine/llamaPolicy';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type { Policy } from '#engine/policy';
import { ToolCache } from '#environment/toolCache';
import { ToolRunner } from '#environment/toolRunner';
import type { Environment } from '#environment/environment';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';
import { defaultRunConfig } from '#runs/runConfig';
import type { RunConfig } from '#runs/runConfig';
import { RunStore } from '#runs/runStore';
import { InlineRollouts } from '#training/inlineRollouts';
import type { RolloutJob } from '#training/rolloutService';
import { trainingTaskIndex } from '#training/taskOrder';
import { openCheckpoint } from '#worker/checkpointSource';
import { nodeToolClock } from '#worker/nodeToolClock';
import { openEnvironment } from '#worker/openEnvironment';
import { RolloutPool } from '#worker/rolloutPool';
import { withoutForking } from './reopeningSampler';
import { TimedExecutor } from './timedExecutor';

/** A policy with the clock of its engine. */
export interface TimedPolicy {
  readonly policy: LlamaPolicy;
  readonly executor: TimedExecutor;
}

/** Rollouts in this process, with the clocks of engine and tools. */
export interface TimedRollouts {
  readonly rollouts: InlineRollouts;
  readonly executor: TimedExecutor;
  readonly tools: WaitingTime;
}

/** The time during which at least one of several overlapping works is going on. */
export class WaitingTime {
  seconds = 0;
  #running = 0;
  #since = 0;

  async measure<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running === 0) this.#since = performance.now();
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.seconds += (performance.now() - this.#since) / 1000;
    }
  }
}

export interface BuiltinTask {
  readonly config: RunConfig;
  readonly checkpoint: Checkpoint;
  readonly environment: Environment;
  /** A folder of its own, removed by `dispose`. */
  readonly store: RunStore;
  openPolicy(threads: number): Promise<TimedPolicy>;
  /** As `openPolicy`, but with threads that wait in a loop instead of sleeping. */
  openSpinningPolicy(threads: number): Promise<TimedPolicy>;
  openInline(isForking: boolean): Promise<TimedRollouts>;
  startPool(processes: number): Promise<RolloutPool>;
  /** The rollouts of an update, from 1. */
  job(update: number): RolloutJob;
  dispose(): Promise<void>;
}

/** Opens the built-in task with its shipped policy. */
export async function openBuiltinTask(programFolder: string): Promise<BuiltinTask> {
  const config: RunConfig = {
    ...defaultRunConfig,
    name: 'bench',
    checkpoints: { ...defaultRunConfig.checkpoints, every: 0, resumeEvery: 0 },
  };
  const folder = await mkdtemp(join(tmpdir(), 'arpo-bench-'));
  const builtinFolder = join(programFolder, '..', 'media', 'policies');
  const checkpoint = await openCheckpoint(config.policy.checkpoint, { builtinFolder, baseFolder: folder });
  const places = { config, programFolder, baseFolder: folder };
  const environment = await openEnvironment({ ...places, startsTools: true });
  const store = await RunStore.create(
    { fileSystem: nodeFileSystem, processes: nodeProcessTable, now: () => Date.now() },
    { runsFolder: folder, config, versions: {}, parent: null },
  );
  const timedPolicy = (engine: Executor): TimedPolicy => {
    const executor = new TimedExecutor(engine);
    return { policy: createPolicy({ ...checkpoint, executor }), executor };
  };
  const openPolicy = async (threads: number): Promise<TimedPolicy> =>
    timedPolicy(await openEngine('onnx', { threads }));
  return {
    config,
    checkpoint,
    environment,
    store,
    openPolicy,
    openSpinningPolicy: async (threads) =>
      timedPolicy(await createOnnxExecutor({ intraOpThreads: threads, isSpinning: true })),
    openInline: async (isForking) => {
      const { policy, executor } = await openPolicy(1);
      const parts = { config, environment, policy: isForking ? policy : withoutForking(policy) };
      return { ...inlineRollouts(parts), executor };
    },
    startPool: async (processes) =>
      await RolloutPool.start({
        entry: join(programFolder, 'rollout.js'),
        processes,
        onOutput: (line) => process.stderr.write(`${line}\n`),
        signal: new AbortController().signal,
        setup: { ...places, checkpoint: { ...checkpoint, optimizer: null }, engine: 'onnx' },
      }),
    job: (update) => rolloutJob(config, environment, update),
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function inlineRollouts(parts: {
  readonly config: RunConfig;
  readonly environment: Environment;
  readonly policy: Policy;
}): Omit<TimedRollouts, 'executor'> {
  const { timeoutMs, retries, retryEmpty } = parts.config.rollout.tools;
  const runner = new ToolRunner({
    timeoutMs,
    maxAttempts: retries + 1,
    retryEmpty,
    clock: nodeToolClock,
    cache: new ToolCache(),
  });
  const tools = new WaitingTime();
  const rollouts = new InlineRollouts({
    ...parts,
    runTool: async (task, tool, query, signal) =>
      await tools.measure(async () => await runner.run({ tool, query, scope: task.id, signal })),
  });
  return { rollouts, tools };
}

function rolloutJob(config: RunConfig, environment: Environment, update: number): RolloutJob {
  const count = config.rollout.groupsPerUpdate;
  const tasks = environment.taskCount('train');
  const groups = Array.from({ length: count }, (_, groupIndex) => ({
    groupIndex,
    taskIndex: trainingTaskIndex(config.seed, (update - 1) * count + groupIndex, tasks),
  }));
  return { update, groups, entropyHistory: [] };
}

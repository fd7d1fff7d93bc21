import { startPeerProcess } from '#platform/childProcess';
import type { PeerProcess } from '#platform/childProcess';
import type { RolloutSetup, TrainerEnd } from '#worker/rolloutProtocol';
import type { NamedTensors } from '#engine/policy';
import type {
  EvaluationJob,
  EvaluationResult,
  RolloutEvent,
  RolloutJob,
  RolloutResult,
  RolloutService,
  SamplerState,
  SamplingCounters,
} from '#training/rolloutService';

export interface RolloutPoolOptions {
  readonly entry: string;
  readonly processes: number;
  readonly setup: RolloutSetup;
  readonly onOutput: (line: string) => void;
}

/**
 * Samples in several processes, because decoding does not gain from threads. Group i of an update
 * always goes to process i mod n, so results depend on the number of processes but not on timing.
 */
export class RolloutPool implements RolloutService {
  readonly #processes: readonly PeerProcess<TrainerEnd>[];

  private constructor(processes: readonly PeerProcess<TrainerEnd>[]) {
    this.#processes = processes;
  }

  /** Starts the processes and waits until every one can sample. */
  static async start(options: RolloutPoolOptions): Promise<RolloutPool> {
    const processes = Array.from({ length: options.processes }, (_, index) =>
      startPeerProcess<TrainerEnd>({
        name: `rollout ${index + 1}`,
        entry: options.entry,
        handlers: {},
        onOutput: options.onOutput,
      }),
    );
    const pool = new RolloutPool(processes);
    try {
      await Promise.all(processes.map(({ peer }) => peer.request('initialize', options.setup)));
    } catch (error) {
      await pool.dispose();
      throw error;
    }
    return pool;
  }

  get parallelism(): number {
    return this.#processes.length;
  }

  async setWeights(weights: NamedTensors): Promise<void> {
    await Promise.all(this.#processes.map(({ peer }) => peer.request('setWeights', { weights })));
  }

  async rollOut(
    job: RolloutJob,
    onEvents: (events: readonly RolloutEvent[]) => void,
    signal: AbortSignal,
  ): Promise<RolloutResult> {
    const subscriptions = this.#processes.map(({ peer }) => peer.on('progress', onEvents));
    try {
      const results = await Promise.all(
        this.#deal(job.groups).map(({ peer, items }) =>
          peer.request('rollOut', { ...job, groups: items }, signal),
        ),
      );
      const groups = results.flatMap((result) => result.groups).sort((a, b) => a.groupIndex - b.groupIndex);
      return { groups, counters: sumCounters(results.map((result) => result.counters)) };
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
    }
  }

  async evaluate(job: EvaluationJob, signal: AbortSignal): Promise<EvaluationResult> {
    const results = await Promise.all(
      this.#deal(job.taskIndices).map(({ peer, items }) =>
        peer.request('evaluate', { ...job, taskIndices: items }, signal),
      ),
    );
    const byIndex = new Map(results.flatMap((result) => result.tasks).map((task) => [task.taskIndex, task]));
    const tasks = job.taskIndices.flatMap((index) => byIndex.get(index) ?? []);
    return { tasks, counters: sumCounters(results.map((result) => result.counters)) };
  }

  async exportState(): Promise<readonly SamplerState[]> {
    return await Promise.all(this.#processes.map(({ peer }) => peer.request('exportState', null)));
  }

  async importState(states: readonly SamplerState[]): Promise<void> {
    if (states.length !== this.#processes.length) {
      throw new RangeError(
        `sampler states: expected ${this.#processes.length} (rollout processes), got ${states.length}. ` +
          `Resume with the same engine.processes as the run was started with.`,
      );
    }
    await Promise.all(this.#processes.map(({ peer }, index) => peer.request('importState', states[index])));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.dispose()));
  }

  /** Item i goes to process i mod n; processes without items are left alone. */
  #deal<Item>(items: readonly Item[]): { peer: PeerProcess<TrainerEnd>['peer']; items: Item[] }[] {
    return this.#processes
      .map(({ peer }, index) => ({
        peer,
        items: items.filter((_, position) => position % this.#processes.length === index),
      }))
      .filter((share) => share.items.length > 0);
  }
}

/** Adds up the work of several samplers; decode steps run at the same time, so the largest counts. */
export function sumCounters(all: readonly SamplingCounters[]): SamplingCounters {
  return {
    sampledTokens: all.reduce((sum, counters) => sum + counters.sampledTokens, 0),
    fedTokens: all.reduce((sum, counters) => sum + counters.fedTokens, 0),
    decodeSteps: Math.max(0, ...all.map((counters) => counters.decodeSteps)),
  };
}

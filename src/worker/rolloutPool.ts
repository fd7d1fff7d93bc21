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
  /** Stops the start; the processes are then ended. */
  readonly signal: AbortSignal;
}

/**
 * Samples in several processes, because decoding does not gain from threads. Group i of an update
 * always goes to process i mod n, so results do not depend on timing. They depend on the number of
 * processes only where the released code's workers differ, too: its stale baselines (`staleSlot`) are
 * one table per worker, and AEPO's counter falls when another question of the same worker branched.
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
      await Promise.all(
        processes.map(({ peer }) => peer.request('initialize', options.setup, options.signal)),
      );
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
      const results = await this.#askAll(
        job.groups,
        ({ peer, items }, stop) => peer.request('rollOut', { ...job, groups: items }, stop),
        signal,
      );
      const groups = results.flatMap((result) => result.groups).sort((a, b) => a.groupIndex - b.groupIndex);
      return { groups, counters: sumCounters(results.map((result) => result.counters)) };
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
    }
  }

  async evaluate(job: EvaluationJob, signal: AbortSignal): Promise<EvaluationResult> {
    const results = await this.#askAll(
      job.taskIndices,
      ({ peer, items }, stop) => peer.request('evaluate', { ...job, taskIndices: items }, stop),
      signal,
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

  /**
   * Has every process work on its share. When one fails, the others are cancelled.
   *
   * @throws What the first one failed with.
   */
  async #askAll<Item, Result>(
    items: readonly Item[],
    ask: (share: Share<Item>, signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result[]> {
    const stop = new AbortController();
    const forward = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    if (signal.aborted) forward();
    try {
      return await Promise.all(this.#deal(items).map((share) => ask(share, stop.signal)));
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', forward);
    }
  }

  /** Item i goes to process i mod n; processes without items are left alone. */
  #deal<Item>(items: readonly Item[]): Share<Item>[] {
    return this.#processes
      .map(({ peer }, index) => ({
        peer,
        items: items.filter((_, position) => position % this.#processes.length === index),
      }))
      .filter((share) => share.items.length > 0);
  }
}

/** What one process is to work on. */
interface Share<Item> {
  readonly peer: PeerProcess<TrainerEnd>['peer'];
  readonly items: Item[];
}

/** Adds up the work of several samplers; decode steps run at the same time, so the largest counts. */
export function sumCounters(all: readonly SamplingCounters[]): SamplingCounters {
  return {
    sampledTokens: all.reduce((sum, counters) => sum + counters.sampledTokens, 0),
    fedTokens: all.reduce((sum, counters) => sum + counters.fedTokens, 0),
    decodeSteps: Math.max(0, ...all.map((counters) => counters.decodeSteps)),
  };
}

/**
 * The training loop: evaluate, then update after update — roll out, score, train, record — with
 * evaluations and checkpoints in between. It knows processes, files and clocks only as ports.
 */
import type { Policy, PolicyTrainer } from '#engine/policy';
import type { Environment } from '#environment/environment';
import type { PolicyUpdated } from '#runs/runEvent';
import type { RunConfig } from '#runs/runConfig';
import type { RunRecorder } from '#training/checkpoints';
import { entropyStatistics } from '#training/entropyStatistics';
import { evaluatePolicy } from '#training/evaluation';
import { groupScoredEvent, scoreGroup } from '#training/scoredGroup';
import type { ScoredGroup } from '#training/scoredGroup';
import type { RolloutEvent, RolloutResult, RolloutService } from '#training/rolloutService';
import { trainingTaskIndex } from '#training/taskOrder';
import { TimeLeft } from '#training/timeLeft';
import { learningRateAt, updateOptions } from '#training/trainerOptions';
import type { TrainingState } from '#training/trainingState';
import type {
  PhaseSeconds,
  TrainingPhase,
  TrainingProgress,
  TrainingSummary,
} from '#training/trainingProgress';
import { updatePolicy } from '#training/updatePolicy';
import type { UpdateResult } from '#training/updatePolicy';

/** Everything a run needs. */
export interface TrainerOptions {
  readonly config: RunConfig;
  readonly policy: Policy;
  readonly trainer: PolicyTrainer;
  /** The frozen reference policy; `null` when `klCoefficient` is 0. */
  readonly reference: Policy | null;
  readonly rollouts: RolloutService;
  readonly environment: Environment;
  readonly recorder: RunRecorder;
  /** The files of a checkpoint of the present policy; with optimizer and `state` when it is given. */
  readonly checkpointFiles: (state: TrainingState | null) => Promise<ReadonlyMap<string, Uint8Array>>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** When the session began to open its parts, by `now`: start-up is part of a run's time. */
  readonly startedAt: number;
  readonly onProgress: (progress: TrainingProgress) => void;
}

/** Tokens behind a tool result that count as "after": the rise lies in the first 10 to 50 (paper §2.2). */
const afterToolWindow = 20;

/** One session of a run: from a state to the last update, or to its abortion. */
export class Trainer {
  readonly #options: TrainerOptions;
  #state: TrainingState;
  readonly #secondsBefore: number;
  #reward: number | null = null;
  #tokensPerSecond: number | null = null;
  /** Whether anything has changed since the state came from its checkpoint, or went into one. */
  #hasUnsavedState: boolean;
  readonly #timeLeft: TimeLeft;

  /** @param state Where to go on; the policy, the optimizer and the samplers already stand there. */
  constructor(options: TrainerOptions, state: TrainingState) {
    this.#options = options;
    this.#state = state;
    this.#secondsBefore = state.seconds.total;
    this.#timeLeft = new TimeLeft(options.config);
    this.#hasUnsavedState = state.heldOut === null;
  }

  /** The state after the newest completed update. */
  get state(): TrainingState {
    return this.#state;
  }

  /**
   * Trains to the end.
   *
   * @throws Whatever ended the run early, the signal's reason included. All completed updates are
   *   recorded and, within `checkpoints.resumeEvery`, resumable.
   */
  async run(signal: AbortSignal): Promise<TrainingSummary> {
    const { config, rollouts, policy } = this.#options;
    await rollouts.setWeights(policy.exportWeights());
    if (this.#state.heldOut === null) {
      // Before anything else, so that there is no moment from which a run cannot be resumed.
      await this.#saveState();
      if (evaluatesBeforeSampling(config)) {
        await this.#evaluate(signal);
        await this.#saveState();
      }
    }
    while (this.#state.update < config.updates) {
      signal.throwIfAborted();
      await this.#runUpdate(signal);
    }
    if (this.#state.heldOut?.update !== this.#state.update) await this.#evaluate(signal);
    await this.#saveCheckpoint('weights');
    await this.#saveState();
    return this.#summarize();
  }

  async #runUpdate(signal: AbortSignal): Promise<void> {
    const { config, rollouts, policy, now } = this.#options;
    const update = this.#state.update + 1;
    const { result, groups, seconds: rolloutSeconds } = await this.#rollOut(update, signal);
    // The policy has not moved yet: its first trajectories are to be seen before it is examined.
    if (this.#state.heldOut === null) await this.#evaluate(signal);
    this.#report('update');
    const updateStart = now();
    const learningRate = learningRateAt(config, update);
    const outcome = await updatePolicy(
      this.#options,
      groups,
      updateOptions(config, update, learningRate),
      signal,
    );
    await rollouts.setWeights(policy.exportWeights());
    const seconds = { rollout: rolloutSeconds, update: (now() - updateStart) / 1000 };
    await this.#recordUpdate({ update, groups, outcome, learningRate, seconds });
    this.#advance(update, result, groups, seconds);
    this.#timeLeft.addUpdate(seconds.rollout + seconds.update);
    await this.#afterUpdate(update, signal);
  }

  /** Samples the groups of an update; their events are recorded as they come. */
  async #rollOut(
    update: number,
    signal: AbortSignal,
  ): Promise<{ result: RolloutResult; groups: ScoredGroup[]; seconds: number }> {
    const { config, rollouts, recorder, environment, now } = this.#options;
    this.#report('rollout');
    const count = config.rollout.groupsPerUpdate;
    await recorder.append([{ kind: 'updateStarted', update, groups: count }]);
    const tasks = environment.taskCount('train');
    const requests = Array.from({ length: count }, (_, groupIndex) => ({
      groupIndex,
      taskIndex: trainingTaskIndex(config.seed, (update - 1) * count + groupIndex, tasks),
    }));
    const startedAt = now();
    const queue = new RecordingQueue(recorder);
    const result = await rollouts.rollOut(
      { update, groups: requests, entropyHistory: this.#state.entropyHistory },
      (events) => queue.push(events),
      signal,
    );
    const seconds = (now() - startedAt) / 1000;
    await queue.settled();
    const groups = result.groups.map((group) => scoreGroup(group));
    const { advantage } = updateOptions(config, update, 0);
    await recorder.append(groups.map((group) => groupScoredEvent(group, update, advantage)));
    const rewards = groups.flatMap((group) => group.rewards);
    this.#reward = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    this.#tokensPerSecond = result.counters.sampledTokens / seconds;
    return { result, groups, seconds };
  }

  async #recordUpdate(done: {
    readonly update: number;
    readonly groups: readonly ScoredGroup[];
    readonly outcome: UpdateResult;
    readonly learningRate: number;
    readonly seconds: Readonly<Record<string, number>>;
  }): Promise<void> {
    const { update, groups, outcome, learningRate, seconds } = done;
    const { afterTools, elsewhere } = entropyStatistics(
      groups.map(({ tree }) => tree),
      afterToolWindow,
    );
    const event: PolicyUpdated = {
      kind: 'policyUpdated',
      update,
      ...outcome,
      learningRate,
      entropyAfterTools: afterTools,
      entropyElsewhere: elsewhere,
      seconds,
    };
    await this.#options.recorder.append([event]);
  }

  /** Makes the update part of the state. */
  #advance(
    update: number,
    result: RolloutResult,
    groups: readonly ScoredGroup[],
    seconds: { readonly rollout: number; readonly update: number },
  ): void {
    const { config } = this.#options;
    const state = this.#state;
    const paid = groups.reduce((sum, { cost }) => sum + cost.executedCalls, 0);
    const all = groups.reduce((sum, { cost }) => sum + cost.totalCalls, 0);
    const history = [...state.entropyHistory, ...result.groups.flatMap((group) => group.entropyChanges)];
    this.#hasUnsavedState = true;
    this.#state = {
      ...state,
      update,
      entropyHistory: history.slice(-config.rollout.branching.historyLength),
      toolCalls: {
        paid: state.toolCalls.paid + paid,
        inherited: state.toolCalls.inherited + all - paid,
      },
      branches: state.branches + groups.reduce((sum, { tree }) => sum + countBranches(tree), 0),
      generatedTokens:
        state.generatedTokens + groups.reduce((sum, { cost }) => sum + cost.generatedTokens, 0),
      seconds: this.#secondsNow({
        rollout: state.seconds.rollout + seconds.rollout,
        update: state.seconds.update + seconds.update,
      }),
    };
  }

  async #afterUpdate(update: number, signal: AbortSignal): Promise<void> {
    const { checkpoints, evaluation, updates } = this.#options.config;
    const isLast = update === updates;
    if (evaluation.every > 0 && update % evaluation.every === 0 && !isLast) await this.#evaluate(signal);
    if (checkpoints.every > 0 && update % checkpoints.every === 0 && !isLast)
      await this.#saveCheckpoint('weights');
    if (update % Math.max(1, checkpoints.resumeEvery) === 0 && !isLast) await this.#saveState();
    this.#report('rollout');
  }

  async #evaluate(signal: AbortSignal): Promise<void> {
    this.#report('evaluation');
    const { config, rollouts, recorder, now } = this.#options;
    const startedAt = now();
    const event = await evaluatePolicy(rollouts, { config, update: this.#state.update }, signal);
    const seconds = (now() - startedAt) / 1000;
    await recorder.append([{ ...event, seconds }]);
    this.#timeLeft.addEvaluation(seconds);
    const accuracy = {
      sampled: event.sampled?.accuracy ?? null,
      greedy: event.greedy?.accuracy ?? null,
    };
    const state = this.#state;
    this.#hasUnsavedState = true;
    this.#state = {
      ...state,
      before: state.before ?? accuracy,
      heldOut: { update: state.update, accuracy },
      seconds: this.#secondsNow({ evaluation: state.seconds.evaluation + seconds }),
    };
    this.#report('evaluation');
  }

  /** Stores what resuming needs, unless the run is to store nothing or the state is stored already. */
  async #saveState(): Promise<void> {
    if (this.#options.config.checkpoints.resumeEvery === 0 || !this.#hasUnsavedState) return;
    await this.#saveCheckpoint('resume');
    this.#hasUnsavedState = false;
  }

  async #saveCheckpoint(purpose: 'weights' | 'resume'): Promise<void> {
    this.#report('checkpoint');
    const { recorder, rollouts, checkpointFiles } = this.#options;
    const { update } = this.#state;
    const samplers = await rollouts.exportState();
    this.#state = { ...this.#state, samplers, seconds: this.#secondsNow({}) };
    const files = await checkpointFiles(purpose === 'resume' ? this.#state : null);
    const folder = await recorder.saveCheckpoint({ update, purpose, files });
    await recorder.append([{ kind: 'checkpointSaved', update, folder, purpose }]);
  }

  #secondsNow(change: Partial<PhaseSeconds>): PhaseSeconds {
    const total = this.#secondsBefore + (this.#options.now() - this.#options.startedAt) / 1000;
    return { ...this.#state.seconds, ...change, total };
  }

  #report(phase: TrainingPhase): void {
    const { config, onProgress } = this.#options;
    const { update, heldOut, toolCalls, branches } = this.#state;
    onProgress({
      phase,
      update,
      updates: config.updates,
      reward: this.#reward,
      heldOut: heldOut?.accuracy ?? null,
      toolCalls,
      branches,
      tokensPerSecond: this.#tokensPerSecond,
      secondsLeft: this.#timeLeft.estimate(update, heldOut?.update ?? null),
    });
  }

  #summarize(): TrainingSummary {
    const { update, before, heldOut, toolCalls, branches, generatedTokens } = this.#state;
    const none = { sampled: null, greedy: null };
    return {
      updates: update,
      heldOut: { before: before ?? none, after: heldOut?.accuracy ?? none },
      toolCalls,
      branches,
      generatedTokens,
      seconds: this.#secondsNow({}),
    };
  }
}

/** Appends events one batch after the other while sampling goes on. */
class RecordingQueue {
  readonly #recorder: RunRecorder;
  #tail: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  constructor(recorder: RunRecorder) {
    this.#recorder = recorder;
  }

  push(events: readonly RolloutEvent[]): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#failure !== null) return;
      try {
        await this.#recorder.append(events);
      } catch (error) {
        this.#failure = error;
      }
    });
  }

  /** @throws The first failure to record, which must end the run: what is not stored was not seen. */
  async settled(): Promise<void> {
    await this.#tail;
    if (this.#failure !== null) throw this.#failure;
  }
}

/**
 * Whether the first evaluation comes before the first rollout: with the stale baselines of the released
 * code it must, because its validation pass fills their table.
 */
function evaluatesBeforeSampling({ rollout }: RunConfig): boolean {
  return rollout.branching.baselineScope === 'staleSlot';
}

function countBranches(tree: ScoredGroup['tree']): number {
  return tree.trajectories.filter(({ origin }) => origin === 'branch').length;
}

/** What is measured of the built-in task: rollouts, updates, both together, and evaluation. */
import type { PolicyTrainer } from '#engine/policy';
import type { RunRecorder } from '#training/checkpoints';
import type { RolloutService } from '#training/rolloutService';
import { scoreGroup } from '#training/scoredGroup';
import type { ScoredGroup } from '#training/scoredGroup';
import { Trainer } from '#training/trainer';
import { updateOptions } from '#training/trainerOptions';
import { initialTrainingState } from '#training/trainingState';
import { updatePolicy } from '#training/updatePolicy';
import type { BuiltinTask, TimedPolicy, TimedRollouts } from './builtinTask';
import { secondsOf } from './interleave';
import type { Variant } from './interleave';

const signal = new AbortController().signal;
/** Updates of the whole loop, so far from those of the rollout variants that no tool result is cached. */
const firstLoopUpdate = 1001;

/** The rollouts of one update in this process, by where the time goes. */
export function inlineRolloutVariant(task: BuiltinTask, name: string, timed: TimedRollouts): Variant {
  const { rollouts, executor, tools } = timed;
  return {
    name,
    run: async (repetition) => {
      executor.reset();
      tools.seconds = 0;
      const start = performance.now();
      const { counters } = await rollouts.rollOut(task.job(repetition + 1), () => undefined, signal);
      const seconds = (performance.now() - start) / 1000;
      const decode = executor.timeOf('decode');
      const prefill = executor.timeOf('prefill');
      return {
        seconds,
        decodeSeconds: decode.seconds,
        prefillSeconds: prefill.seconds,
        toolSeconds: tools.seconds,
        scriptSeconds: seconds - decode.seconds - prefill.seconds - tools.seconds,
        ...counters,
        decodedPositions: decode.positions,
        prefilledPositions: prefill.positions,
        modelRuns: decode.runs + prefill.runs,
      };
    },
  };
}

/** The rollouts of one update in other processes. */
export function poolRolloutVariant(task: BuiltinTask, name: string, pool: RolloutService): Variant {
  return {
    name,
    run: async (repetition) => ({
      seconds: await secondsOf(
        async () => await pool.rollOut(task.job(repetition + 1), () => undefined, signal),
      ),
    }),
  };
}

/** Held-out tasks tried greedily in other processes. */
export function evaluationVariant(task: BuiltinTask, name: string, pool: RolloutService): Variant {
  const taskIndices = Array.from({ length: task.config.evaluation.tasks }, (_, index) => index);
  return {
    name,
    run: async () => {
      const job = { split: 'heldOut', taskIndices, isGreedy: false } as const;
      return { seconds: await secondsOf(async () => await pool.evaluate(job, signal)) };
    },
  };
}

/** The training of one update on groups that are the same every time, always from the same weights. */
export function updateVariant(
  task: BuiltinTask,
  name: string,
  { timed, groups }: { readonly timed: TimedPolicy; readonly groups: readonly ScoredGroup[] },
): Variant {
  const { policy, executor } = timed;
  let trainer: PolicyTrainer | null = null;
  const trained = groups.filter((group) => !group.isZeroVariance);
  return {
    name,
    run: async () => {
      const opened = (trainer ??= await policy.createTrainer());
      const before = opened.exportState();
      executor.reset();
      const models = { policy, trainer: opened, reference: null };
      const options = updateOptions(task.config, 1, task.config.optimizer.learningRate);
      const seconds = await secondsOf(async () => await updatePolicy(models, groups, options, signal));
      policy.importWeights(task.checkpoint.weights);
      opened.importState(before);
      const loss = executor.timeOf('policy');
      return {
        seconds,
        lossSeconds: loss.seconds,
        optimizerSeconds: executor.timeOf('optimizer').seconds,
        scriptSeconds: seconds - executor.seconds,
        positions: loss.positions,
        ...positionCounts(trained),
      };
    },
  };
}

/** Predicted tokens in all trajectories, and the distinct ones of the trees. */
function positionCounts(groups: readonly ScoredGroup[]): { predicted: number; distinct: number } {
  let predicted = 0;
  let distinct = 0;
  for (const { tree } of groups) {
    for (const { lastNodeId } of tree.trajectories) predicted += tree.pathLength(lastNodeId) - 1;
    distinct += tree.nodes.reduce((sum, { tokens }) => sum + tokens.length, 0) - 1;
  }
  return { predicted, distinct };
}

/** Groups to train on, as the first update has them. */
export async function sampleGroups(task: BuiltinTask, { rollouts }: TimedRollouts): Promise<ScoredGroup[]> {
  const { groups } = await rollouts.rollOut(task.job(1), () => undefined, signal);
  return groups.map(scoreGroup);
}

/** Seconds per phase of one update in the real loop. */
class LoopClock {
  rollout = 0;
  weights = 0;
  recording = 0;
  wall = 0;
  #start = 0;

  rollouts(inner: RolloutService): RolloutService {
    return {
      parallelism: inner.parallelism,
      setWeights: async (weights) => {
        this.weights = await secondsOf(async () => await inner.setWeights(weights));
      },
      rollOut: async (job, onEvents, rolloutSignal) => {
        const start = performance.now();
        const result = await inner.rollOut(job, onEvents, rolloutSignal);
        this.rollout = (performance.now() - start) / 1000;
        return result;
      },
      evaluate: async (job, evaluationSignal) => await inner.evaluate(job, evaluationSignal),
      exportState: async () => await inner.exportState(),
      importState: async (states) => await inner.importState(states),
      dispose: async () => await inner.dispose(),
    };
  }

  recorder({ store }: BuiltinTask): RunRecorder {
    return {
      append: async (events) => {
        if (events.some(({ kind }) => kind === 'updateStarted')) this.#start = performance.now();
        this.recording += await secondsOf(async () => await store.append(events));
        const isLast = events.some(({ kind }) => kind === 'policyUpdated');
        if (isLast) this.wall = (performance.now() - this.#start) / 1000;
      },
      saveCheckpoint: async () => 'not kept',
    };
  }
}

/** One update as `npm run train` makes it: rollout processes, training, weights, record. */
export function loopVariant(
  task: BuiltinTask,
  name: string,
  { timed, pool }: { readonly timed: TimedPolicy; readonly pool: RolloutService },
): Variant {
  const { policy, executor } = timed;
  return {
    name,
    run: async (repetition) => {
      const clock = new LoopClock();
      const update = firstLoopUpdate + repetition;
      policy.importWeights(task.checkpoint.weights);
      executor.reset();
      const trainer = new Trainer(
        {
          ...task,
          config: { ...task.config, updates: update },
          policy,
          trainer: await policy.createTrainer(),
          reference: null,
          rollouts: clock.rollouts(pool),
          recorder: clock.recorder(task),
          checkpointFiles: async () => new Map(),
          now: () => performance.now(),
          startedAt: performance.now(),
          onProgress: () => undefined,
        },
        {
          ...initialTrainingState,
          update: update - 1,
          heldOut: { update, accuracy: { sampled: null, greedy: null } },
        },
      );
      const { generatedTokens, seconds } = await trainer.run(signal);
      await pool.setWeights(task.checkpoint.weights);
      const loss = executor.timeOf('policy').seconds;
      const optimizer = executor.timeOf('optimizer').seconds;
      return {
        seconds: clock.wall,
        rollout: clock.rollout,
        loss,
        optimizer,
        updateScript: seconds.update - loss - optimizer - clock.weights,
        weights: clock.weights,
        rest: clock.wall - clock.rollout - seconds.update,
        recording: clock.recording,
        generatedTokens,
      };
    },
  };
}

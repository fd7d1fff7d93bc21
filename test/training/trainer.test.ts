import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Executor } from '#engine/executor';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import { defaultRunConfig } from '#runs/runConfig';
import type { NewRunEvent } from '#runs/runEvent';
import { evaluatePolicy } from '#training/evaluation';
import type { RolloutService, SampledGroup } from '#training/rolloutService';
import { groupScoredEvent, scoreGroup } from '#training/scoredGroup';
import type { TrainingProgress } from '#training/trainingProgress';
import { letterConfig, letterRollouts, never } from './letters';
import { emptyDisk, openBench, runFolderOf, trainInMemory, type RunBench } from './memoryRun';

let executor: Executor;
let bench: RunBench;

beforeAll(async () => {
  executor = await createOnnxExecutor({ intraOpThreads: 1 });
  bench = await openBench(executor);
});
afterAll(async () => {
  await bench.dispose();
  await executor.dispose();
});

/** The milestones of a run, in order, without the bulk of the trees. */
function milestones(events: readonly NewRunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'evaluated') return `evaluated ${event.update}`;
    if (event.kind === 'checkpointSaved') return `${event.purpose} ${event.update}`;
    return event.kind === 'policyUpdated' ? `updated ${event.update}` : [];
  });
}

async function milestonesOf(changes: Record<string, unknown>): Promise<string[]> {
  const events: NewRunEvent[] = [];
  const config = letterConfig({ rollout: { groupsPerUpdate: 2 }, ...changes });
  const onAppended = (added: readonly NewRunEvent[]): void => void events.push(...added);
  await trainInMemory(bench, { disk: emptyDisk(), config, onAppended });
  return milestones(events);
}

describe('the course of a run', () => {
  test('evaluates, trains and stores as often as configured', async () => {
    const seen = await milestonesOf({
      updates: 4,
      evaluation: { tasks: 2, every: 3 },
      checkpoints: { every: 2, resumeEvery: 2 },
    });
    expect(seen).toEqual([
      'resume 0',
      'evaluated 0',
      'updated 1',
      'updated 2',
      'weights 2',
      'resume 2',
      'updated 3',
      'evaluated 3',
      'updated 4',
      'evaluated 4',
      'weights 4',
      'resume 4',
    ]);
  });

  test('evaluates only at both ends, and stores nothing to resume from, when told so', async () => {
    const seen = await milestonesOf({
      updates: 2,
      evaluation: { tasks: 2, every: 0 },
      checkpoints: { every: 0, resumeEvery: 0 },
    });
    expect(seen).toEqual(['evaluated 0', 'updated 1', 'updated 2', 'evaluated 2', 'weights 2']);
  });

  test('keeps only the newest state', async () => {
    const disk = emptyDisk();
    await trainInMemory(bench, { disk, config: letterConfig({ updates: 2 }) });
    const folder = `${runFolderOf(disk)}/checkpoints`;
    const names = (await disk.list(folder)).map(({ name }) => name);
    expect(names).toEqual(['resume-000002', 'update-000002']);
  });

  test('is shown: counts, rewards and accuracies, and nothing that is not known yet', async () => {
    const shown: TrainingProgress[] = [];
    const config = letterConfig({ updates: 3 });
    const summary = await trainInMemory(bench, {
      disk: emptyDisk(),
      config,
      onProgress: (progress) => shown.push(progress),
    });
    expect(shown[0]).toEqual({
      phase: expect.any(String),
      update: 0,
      updates: 3,
      reward: null,
      heldOut: null,
      toolCalls: { paid: 0, inherited: 0 },
      branches: 0,
      tokensPerSecond: null,
      secondsLeft: null,
    });
    const last = shown[shown.length - 1];
    expect(last).toMatchObject({ update: 3, secondsLeft: 0, toolCalls: summary.toolCalls });
    expect(summary.heldOut.after).toEqual(last.heldOut);
    expect(summary.updates).toBe(3);
    expect(summary.toolCalls.paid).toBeGreaterThan(10);
    const { rollout, update, evaluation, total } = summary.seconds;
    expect(rollout + update + evaluation).toBeLessThan(total);
  });
});

test('the entropy changes of all updates so far are the history of the next one, the newest ones', async () => {
  const branching = {
    preset: 'quantile',
    globalRollouts: 5,
    initialRollouts: 2,
    historyLength: 12,
    minimumHistory: 4,
  };
  const config = letterConfig({ updates: 3, rollout: { groupsPerUpdate: 2, branching } });
  const histories: (readonly number[])[] = [];
  const changes: number[][] = [];
  const wrapRollouts = (rollouts: RolloutService): RolloutService => ({
    parallelism: 1,
    setWeights: async (weights) => await rollouts.setWeights(weights),
    rollOut: async (job, onEvents, signal) => {
      histories.push(job.entropyHistory);
      const result = await rollouts.rollOut(job, onEvents, signal);
      changes.push(result.groups.flatMap(({ entropyChanges }) => entropyChanges));
      return result;
    },
    evaluate: async (job, signal) => await rollouts.evaluate(job, signal),
    exportState: async () => await rollouts.exportState(),
    importState: async (states) => await rollouts.importState(states),
    dispose: async () => await rollouts.dispose(),
  });
  await trainInMemory(bench, { disk: emptyDisk(), config, wrapRollouts });
  expect(changes[0].length).toBeGreaterThan(2);
  expect(histories).toEqual([[], changes[0].slice(-12), [...changes[0], ...changes[1]].slice(-12)]);
  expect(changes[0].length + changes[1].length).toBeGreaterThan(12);
});

describe('failures', () => {
  const config = letterConfig({ updates: 2 });

  test('of the rollouts end the run with their error', async () => {
    const wrapRollouts = (rollouts: RolloutService): RolloutService => ({
      parallelism: 1,
      setWeights: async (weights) => await rollouts.setWeights(weights),
      rollOut: async () => {
        throw new Error('the process died');
      },
      evaluate: async (job, signal) => await rollouts.evaluate(job, signal),
      exportState: async () => await rollouts.exportState(),
      importState: async (states) => await rollouts.importState(states),
      dispose: async () => await rollouts.dispose(),
    });
    await expect(trainInMemory(bench, { disk: emptyDisk(), config, wrapRollouts })).rejects.toThrow(
      'the process died',
    );
  });
});

describe('sampling in several processes', () => {
  const requests = Array.from({ length: 4 }, (_, index) => ({ groupIndex: index, taskIndex: index }));

  async function sample(preset: string, shares: readonly (typeof requests)[]): Promise<SampledGroup[]> {
    const initialRollouts = preset === 'none' ? 6 : 2;
    const branching = { preset, globalRollouts: 6, initialRollouts, minimumHistory: 4 };
    const config = letterConfig({ rollout: { branching } });
    const groups: SampledGroup[] = [];
    for (const share of shares) {
      const rollouts = letterRollouts({ config, policy: bench.trained });
      const job = { update: 2, groups: share, entropyHistory: [-0.2, -0.1, -0.05, 0] };
      groups.push(...(await rollouts.rollOut(job, () => undefined, never)).groups);
    }
    return groups.sort((left, right) => left.groupIndex - right.groupIndex);
  }

  function treesOf(groups: readonly SampledGroup[]): unknown {
    return groups.map(({ nodes, trajectories, decisions, rewards }) => ({
      nodes: nodes.map(({ id, parentId, slot, tokens, stopReason }) => ({
        id,
        parentId,
        slot,
        tokens: [...tokens],
        stopReason,
      })),
      trajectories,
      taken: decisions.map(({ slot, nodeId, isTaken, draw }) => ({ slot, nodeId, isTaken, draw })),
      rewards,
    }));
  }

  const dealt = [
    requests.filter((_, index) => index % 2 === 0),
    requests.filter((_, index) => index % 2 === 1),
  ];

  test.each(['quantile', 'paper', 'random', 'none'])(
    'gives the same trees whoever samples them, rule %s',
    async (preset) => {
      bench.trained.importWeights(bench.start);
      expect(treesOf(await sample(preset, dealt))).toEqual(treesOf(await sample(preset, [requests])));
    },
  );

  test('gives other baselines to the released rule, whose table is the worker’s', async () => {
    bench.trained.importWeights(bench.start);
    const entropies = (groups: readonly SampledGroup[]): number[] =>
      groups.flatMap(({ decisions }) => decisions.map(({ initialEntropy }) => initialEntropy));
    const [together, apart] = [await sample('released', [requests]), await sample('released', dealt)];
    // In the first batch of a worker every slot is new, so nothing is stale yet.
    const rounded = (values: readonly number[]): string[] => values.map((value) => value.toFixed(5));
    expect(rounded(entropies(apart))).toEqual(rounded(entropies(together)));
    const branching = { preset: 'released', globalRollouts: 6, initialRollouts: 2 };
    const config = letterConfig({ rollout: { branching } });
    const rollouts = letterRollouts({ config, policy: bench.trained });
    const job = (update: number): Parameters<typeof rollouts.rollOut>[0] => ({
      update,
      groups: requests,
      entropyHistory: [],
    });
    await rollouts.rollOut(job(1), () => undefined, never);
    const stale = (await rollouts.rollOut(job(2), () => undefined, never)).groups;
    expect(rounded(entropies(stale))).not.toEqual(rounded(entropies(together)));
  });
});

describe('evaluation', () => {
  const service = (isCorrect: (index: number, isGreedy: boolean) => boolean): RolloutService => {
    const unused = async (): Promise<never> => {
      throw new Error('an evaluation only evaluates');
    };
    return {
      parallelism: 1,
      setWeights: unused,
      rollOut: unused,
      exportState: unused,
      importState: unused,
      dispose: unused,
      evaluate: async ({ split, taskIndices, isGreedy }) => ({
        tasks: taskIndices.map((taskIndex) => ({
          taskIndex,
          isCorrect: split === 'heldOut' && isCorrect(taskIndex, isGreedy),
          reward: taskIndex / 10,
          toolCalls: 2,
          tokens: 10 + taskIndex,
        })),
        counters: { sampledTokens: 0, fedTokens: 0, decodeSteps: 0 },
      }),
    };
  };

  test('averages over the first held-out tasks, sampled and greedy', async () => {
    const config = letterConfig({ evaluation: { tasks: 4 } });
    const rollouts = service((index, isGreedy) => isGreedy || index === 0);
    const event = await evaluatePolicy(rollouts, { config, update: 7 }, never);
    expect(event).toEqual({
      kind: 'evaluated',
      update: 7,
      split: 'heldOut',
      tasks: 4,
      sampled: { accuracy: 0.25, reward: expect.closeTo(0.15, 10), toolCalls: 2, tokens: 11.5 },
      greedy: { accuracy: 1, reward: expect.closeTo(0.15, 10), toolCalls: 2, tokens: 11.5 },
    });
  });

  test('leaves out what is not asked for', async () => {
    const config = letterConfig({ evaluation: { tasks: 2, sampled: false } });
    const event = await evaluatePolicy(
      service(() => true),
      { config, update: 0 },
      never,
    );
    expect(event).toMatchObject({ sampled: null, greedy: { accuracy: 1 } });
  });

  test('uses the same tasks and draws every time, one trajectory each, whatever the batch', async () => {
    bench.trained.importWeights(bench.start);
    const rollouts = letterRollouts({ policy: bench.trained });
    const taskIndices = Array.from({ length: 9 }, (_, index) => index);
    const once = await rollouts.evaluate({ split: 'heldOut', taskIndices, isGreedy: false }, never);
    const again = await rollouts.evaluate({ split: 'heldOut', taskIndices, isGreedy: false }, never);
    expect(again.tasks).toEqual(once.tasks);
    const some = await rollouts.evaluate({ split: 'heldOut', taskIndices: [8, 2], isGreedy: false }, never);
    expect(some.tasks).toEqual([once.tasks[8], once.tasks[2]]);
  });
});

test('a scored group is recorded with its advantages and what it cost', async () => {
  bench.trained.importWeights(bench.start);
  const branching = { preset: 'random', globalRollouts: 5, initialRollouts: 2, randomProbability: 0.5 };
  const rollouts = letterRollouts({
    config: letterConfig({ rollout: { branching } }),
    policy: bench.trained,
  });
  const job = { update: 1, groups: [{ groupIndex: 4, taskIndex: 2 }], entropyHistory: [] };
  const [sampled] = (await rollouts.rollOut(job, () => undefined, never)).groups;
  const group = scoreGroup(sampled);
  const event = groupScoredEvent(group, 9, {
    ...defaultRunConfig.advantage,
    epsilon: 1e-6,
    groupOfOne: 'released',
  });
  expect(event).toMatchObject({ kind: 'groupScored', update: 9, group: 4 });
  const { ledger, rewards, advantages } = event;
  expect(ledger).toMatchObject({ trajectories: 5, initialTrajectories: 2, turns: sampled.turns });
  expect(ledger.branches + ledger.topUps).toBe(3);
  const calls = sampled.nodes.filter(({ toolCall }) => toolCall !== null).length;
  expect(ledger.paidCalls).toBe(calls);
  const all = group.tree.trajectories.reduce(
    (sum, { lastNodeId }) => sum + group.tree.callsOnPath(lastNodeId),
    0,
  );
  expect(ledger.paidCalls + ledger.inheritedCalls).toBe(all);
  expect(rewards.map(({ total }) => total)).toEqual(group.rewards);
  expect(advantages.soft).toHaveLength(5);
  expect(advantages.values[0]).toBeCloseTo(group.rewards.reduce((sum, reward) => sum + reward, 0) / 5, 10);
});

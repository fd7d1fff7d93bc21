import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { metricTableOf, tableChange } from '#extension/metricsData';
import { MetricsFeed } from '#extension/panels/metricsFeed';
import { applyMetricsChanges } from '#protocol/metricsChanges';
import type { MetricRun, MetricsPatch } from '#protocol/metricsViewProtocol';
import { rowCount } from '#protocol/metricsViewProtocol';
import type { RunState } from '#protocol/treeViewProtocol';
import type { GroupStarted } from '#runs/groupEvent';
import type { Evaluated, RunEvent } from '#runs/runEvent';
import { RunModel } from '#runs/runModel';
import { RunReader } from '#runs/runReader';
import {
  createStore,
  groupEvents,
  groupScored,
  memoryDisk,
  policyUpdated,
  runFolder,
  runStarted,
} from '../runs/runFixture';

const groupStarted = (
  update: number,
  group: number,
  origin: GroupStarted['origin'] = 'training',
): GroupStarted => ({
  kind: 'groupStarted',
  update,
  group,
  origin,
  taskId: 'task',
  prompt: 'p',
  gold: 'g',
  promptTokens: { offset: 0, length: 1 },
});
const evaluated = (update: number, accuracy: number): Evaluated => ({
  kind: 'evaluated',
  update,
  split: 'heldOut',
  tasks: 10,
  sampled: { accuracy, reward: 0, toolCalls: 1, tokens: 1 },
  greedy: null,
  seconds: 1,
});

function modelOf(...events: RunEvent[]): RunModel {
  const model = new RunModel();
  for (const event of events) model.apply(event, 0);
  return model;
}

const twoUpdates: readonly RunEvent[] = [
  runStarted,
  evaluated(0, 0.25),
  groupStarted(1, 0),
  groupStarted(1, 1),
  groupScored(1, 0, [1, 0]),
  groupScored(1, 1, [0, 0]),
  policyUpdated(1, 0.5),
  groupStarted(2, 0),
  groupScored(2, 0, [1, 1]),
  policyUpdated(2, 0.25),
  evaluated(2, 0.75),
];

describe('the table of a run', () => {
  test('has a row per completed update, with running totals as axes', () => {
    const { axes, values } = metricTableOf(modelOf(...twoUpdates));
    // Every group pays for 5 calls and 50 tokens and inherits 2 calls; every update takes 0.5 s + 0.5 s.
    expect([...axes.updates]).toEqual([0, 1, 2]);
    expect([...axes.toolCalls]).toEqual([0, 10, 15]);
    expect([...axes.tokens]).toEqual([0, 100, 150]);
    expect([...axes.time]).toEqual([0, 1, 2]);
    expect([...values.rewardMean]).toEqual([Number.NaN, 0.25, 1]);
    expect([...values.heldOutSampledAccuracy]).toEqual([0.25, Number.NaN, 0.75]);
    expect([...values.branches]).toEqual([Number.NaN, 2, 1]);
    expect([...values.paidCalls]).toEqual([Number.NaN, 10, 5]);
    expect([...values.independentCalls]).toEqual([Number.NaN, 14, 7]);
    expect([...values.loss]).toEqual([Number.NaN, 0.5, 0.25]);
    expect([...values.referenceKl]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect([...values.dualClipFraction]).toEqual([Number.NaN, 0, 0]);
    expect([...values.sampledTokensPerSecond]).toEqual([Number.NaN, 200, 100]);
    expect([...values.trainedTokensPerSecond]).toEqual([Number.NaN, 2400, 2400]);
  });

  test('leaves out the update in progress and what was only sampled to look at', () => {
    const inProgress = [groupStarted(3, 0), groupScored(3, 0, [1, 1])];
    const reroll = [groupStarted(2, 7, 'reroll'), groupScored(2, 7, [0, 0])];
    expect(metricTableOf(modelOf(...twoUpdates, ...reroll, ...inProgress))).toEqual(
      metricTableOf(modelOf(...twoUpdates)),
    );
  });

  test('has no values where the weights did not move, and no rates without a time', () => {
    const still = { ...policyUpdated(1), loss: null, seconds: { rollout: 0 } };
    const { values } = metricTableOf(modelOf(runStarted, still));
    for (const name of ['loss', 'gradientNorm', 'sampledTokensPerSecond', 'trainedTokensPerSecond'] as const)
      expect([...values[name]], name).toEqual([Number.NaN]);
  });
});

test('a change begins at the first row that differs', () => {
  const before = metricTableOf(modelOf(...twoUpdates));
  expect(tableChange(before, metricTableOf(modelOf(...twoUpdates)))).toBeNull();
  const grown = tableChange(before, metricTableOf(modelOf(...twoUpdates, policyUpdated(3))));
  expect([grown?.fromRow, [...(grown?.table.axes.updates ?? [])]]).toEqual([3, [3]]);
  const revised = tableChange(before, metricTableOf(modelOf(...twoUpdates, evaluated(1, 0.5))));
  expect([revised?.fromRow, [...(revised?.table.values.heldOutSampledAccuracy ?? [])]]).toEqual([
    1,
    [0.5, 0.75],
  ]);
  const resumed = tableChange(
    before,
    metricTableOf(modelOf(...twoUpdates, { kind: 'resumed', fromUpdate: 1 })),
  );
  expect([resumed?.fromRow, resumed === null ? null : rowCount(resumed.table)]).toEqual([2, 0]);
});

describe('the feed', () => {
  test('sends what was recorded since as patches, and a view that follows them has the snapshot', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    await store.append([runStarted, evaluated(0, 0.25)]);
    const patches: MetricsPatch[] = [];
    let shown: readonly MetricRun[] = [];
    let state: RunState = 'running';
    const feed = new MetricsFeed({
      openReader: async (folder) => await RunReader.open(disk, folder),
      runState: async () => state,
      onPatch: (patch) => {
        patches.push(patch);
        shown = applyMetricsChanges(shown, patch.changes);
      },
    });
    expect(await feed.snapshot()).toEqual({ sequence: 0, runs: [], strings: {} });
    await feed.show([runFolder]);
    expect(shown.map(({ runId, title }) => [runId, title])).toEqual([
      [runFolder, 'quick-20261123-101500-seed0'],
    ]);
    const random = createRandom(3);
    for (const update of [1, 2]) {
      await store.append([...groupEvents(random, { update, group: 0 }, 3), groupScored(update, 0, [1, 0])]);
      await feed.refresh();
      await store.append([policyUpdated(update)]);
      await feed.refresh();
    }
    state = 'finished';
    await feed.refresh();
    await feed.refresh();
    // One for the run, one per update (an update in progress is not sent), one for its end.
    expect(patches.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect([...(shown[0]?.table.axes.updates ?? [])]).toEqual([0, 1, 2]);
    expect(shown).toEqual((await feed.snapshot()).runs);
    await feed.show([]);
    expect(shown).toEqual([]);
  });

  test('a run that cannot be read changes nothing', async () => {
    const disk = memoryDisk();
    const feed = new MetricsFeed({
      openReader: async (folder) => await RunReader.open(disk, folder),
      runState: async () => 'running',
      onPatch: () => expect.unreachable(),
    });
    await expect(feed.show(['runs/none'])).rejects.toMatchObject({ code: 'notARun' });
    expect(feed.folders).toEqual([]);
    expect((await feed.snapshot()).runs).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import type { NewNode } from '#runs/groupEvent';
import { defaultRunConfig } from '#runs/runConfig';
import type { NewRunEvent } from '#runs/runEvent';
import { RunReader } from '#runs/runReader';
import { runSeries } from '#runs/runSeries';
import { RunStore } from '#runs/runStore';
import { StorageError } from '#runs/storageError';
import type { FileSystem } from '#runs/fileSystem';
import { runLockHolder } from '#runs/runLock';
import {
  createStore,
  decision,
  groupEvents,
  groupScored,
  memoryDisk,
  node,
  policyUpdated,
  portsOf,
  processTable,
  randomBatches,
  runFolder,
  runStarted,
  startTime,
} from './runFixture';

async function readerOf(events: readonly NewRunEvent[]): Promise<RunReader> {
  const disk = memoryDisk();
  const store = await createStore(disk);
  await store.append(events);
  return RunReader.open(disk, runFolder);
}

describe('a group', () => {
  test('comes back as it was sampled: tree, arrays, texts, decisions, scores', async () => {
    const events = groupEvents(createRandom(4), { update: 3, group: 1 }, 8);
    const other = groupEvents(createRandom(5), { update: 3, group: 0 }, 8);
    const interleaved = events.flatMap((event, index) => [event, other[index] ?? runStarted]);
    const reader = await readerOf([...interleaved, groupScored(3, 1, [1, 0])]);
    const group = await reader.group(3, 1);
    const nodes = events.flatMap((event): readonly NewNode[] =>
      event.kind === 'nodesAdded' ? event.nodes : [],
    );
    expect(group.tree.nodes).toHaveLength(9);
    expect(group.tree.nodes[0].tokens).toEqual(Int32Array.from([5, 6, 7]));
    nodes.forEach((sampled, index) => {
      const { modelText, resultText, tokenEnds, ...content } = sampled;
      expect(group.tree.nodes[index + 1]).toEqual(content);
      expect(group.texts[index + 1]).toEqual({ origin: 'training', modelText, resultText, tokenEnds });
    });
    expect(group.tree.trajectories.map(({ origin, forkNodeId }) => [origin, forkNodeId])).toEqual([
      ['initial', 0],
      ['branch', 1],
    ]);
    expect(group.decisions).toEqual([decision]);
    expect(group.scored).toEqual(groupScored(3, 1, [1, 0]));
  });

  test('of a live run grows', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    const events = groupEvents(createRandom(4), { update: 1, group: 0 }, 3);
    await store.append(events.slice(0, 3));
    const reader = await RunReader.open(disk, runFolder);
    expect((await reader.group(1, 0)).tree.nodes).toHaveLength(2);
    await store.append(events.slice(3));
    expect(await reader.refresh()).toBe(events.length - 3);
    expect(await reader.refresh()).toBe(0);
    expect((await reader.group(1, 0)).tree.nodes).toHaveLength(4);
  });

  test('that is not there is refused with those that are', async () => {
    const reader = await readerOf(groupEvents(createRandom(4), { update: 1, group: 2 }, 1));
    await expect(reader.group(1, 0)).rejects.toThrow(
      new StorageError('notFound', `${runFolder}: expected one of the groups 2, got group 0 of update 1.`),
    );
    await expect(reader.group(2, 0)).rejects.toThrow(
      `${runFolder}: expected an update with groups, got group 0 of update 2.`,
    );
  });

  test('whose events contradict each other is refused with the line', async () => {
    const added = node(createRandom(1), { id: 5, parentId: 0, depth: 1, slot: 0 });
    const [started, trajectory] = groupEvents(createRandom(4), { update: 1, group: 0 }, 1);
    const key = { update: 1, group: 0, origin: 'training' } as const;
    const reader = await readerOf([started, trajectory, { kind: 'nodesAdded', ...key, nodes: [added] }]);
    await expect(reader.group(1, 0)).rejects.toThrow(
      /line 2 \(byte \d+\), nodesAdded: nodes: expected node 1 under 0, got node 5 under 0\.$/,
    );
  });
});

describe('events', () => {
  test('come back by kind and update, in order and with their times', async () => {
    const reader = await readerOf([
      runStarted,
      policyUpdated(1),
      policyUpdated(2),
      { kind: 'runPaused', reason: 'x' },
    ]);
    expect(await reader.events({ kinds: ['policyUpdated'], update: 2 })).toEqual([
      { event: policyUpdated(2), sequence: 2, time: startTime + 2000 },
    ]);
    expect((await reader.events({})).map(({ event }) => event.kind)).toEqual([
      'runStarted',
      'policyUpdated',
      'policyUpdated',
      'runPaused',
    ]);
  });

  test('superseded by a resumption are gone from every answer', async () => {
    const reader = await readerOf([
      runStarted,
      ...groupEvents(createRandom(1), { update: 1, group: 0 }, 2),
      policyUpdated(1, 0.1),
      ...groupEvents(createRandom(2), { update: 2, group: 0 }, 2),
      ...groupEvents(createRandom(3), { update: 2, group: 1 }, 2),
      policyUpdated(2, 0.2),
      { kind: 'resumed', fromUpdate: 1 },
      ...groupEvents(createRandom(4), { update: 2, group: 0 }, 4),
      policyUpdated(2, 0.3),
    ]);
    expect([reader.updates(), reader.groups(1), reader.groups(2)]).toEqual([[1, 2], [0], [0]]);
    expect((await reader.group(2, 0)).tree.nodes).toHaveLength(5);
    const model = await reader.model();
    expect(runSeries(model, 'loss')).toEqual([
      { update: 1, value: 0.1 },
      { update: 2, value: 0.3 },
    ]);
    expect([...model.updates[1].groups.keys()]).toEqual([0]);
    const losses = await reader.events({ kinds: ['policyUpdated'] });
    expect(losses.map(({ event }) => event)).toEqual([policyUpdated(1, 0.1), policyUpdated(2, 0.3)]);
  });

  test('of a kind that a later version added are passed over', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    const later = { kind: 'policyPraised', update: 1 } as unknown as NewRunEvent;
    await store.append([later, policyUpdated(1)]);
    await store.close();
    disk.files.delete(`${runFolder}/index.bin`);
    const reader = await RunReader.open(disk, runFolder);
    expect((await reader.events({})).map(({ event }) => event.kind)).toEqual(['policyUpdated']);
    const { store: next } = await RunStore.openForResume(portsOf(disk, processTable(2)), runFolder);
    expect(next.lines).toBe(2);
  });
});

test('the model tells what a run is at, and its numbers by update', async () => {
  const score = { accuracy: 0.5, reward: 0.4, toolCalls: 6, tokens: 80 };
  const evaluated = { kind: 'evaluated', split: 'heldOut', tasks: 300, greedy: null, seconds: 2 } as const;
  const reroll = groupEvents(createRandom(3), { update: 1, group: 9 }, 1).map((event) =>
    event.kind === 'groupStarted' ? { ...event, origin: 'reroll' as const } : event,
  );
  const events: NewRunEvent[] = [
    runStarted,
    { ...evaluated, update: 0, sampled: score },
    { kind: 'updateStarted', update: 1, groups: 2 },
    ...groupEvents(createRandom(1), { update: 1, group: 0 }, 2),
    groupScored(1, 0, [1, 0]),
    ...groupEvents(createRandom(2), { update: 1, group: 1 }, 2),
    groupScored(1, 1, [1, 1, -1, 1]),
    ...reroll,
    groupScored(1, 9, [-1]),
    policyUpdated(1),
    { ...policyUpdated(2), loss: null },
    { kind: 'checkpointSaved', update: 2, folder: 'checkpoints/update-000002', purpose: 'weights' },
    { ...evaluated, update: 2, sampled: { ...score, accuracy: 0.75 } },
  ];
  const reader = await readerOf([
    ...events,
    { kind: 'runFinished', updates: 2, seconds: 60, summary: 'done' },
  ]);
  const model = await reader.model();
  expect([model.status, model.end?.kind, model.completedUpdates]).toEqual(['finished', 'runFinished', 2]);
  expect(model.started?.environment).toBe('directory-hunt/B');
  // The clock was looked at for the manifest, for the lock, and for the events.
  expect(model.lastTime).toBe(startTime + 2000);
  expect(model.checkpoints.map(({ folder }) => folder)).toEqual(['checkpoints/update-000002']);
  const [first] = model.updates;
  expect([first.groups.get(0)?.rewardMean, first.groups.get(1)?.accuracy]).toEqual([0.5, 0.75]);
  // (1 + 0 + 1 + 1 − 1 + 1) / 6 and 4 right of 6: the reroll does not count.
  expect(runSeries(model, 'rewardMean')).toEqual([{ update: 1, value: 0.5 }]);
  expect(runSeries(model, 'accuracy')).toEqual([{ update: 1, value: 4 / 6 }]);
  expect(runSeries(model, 'paidCalls')).toEqual([{ update: 1, value: 10 }]);
  expect(runSeries(model, 'loss')).toEqual([{ update: 1, value: 0.25 }]);
  expect(runSeries(model, 'learningRate').map(({ update }) => update)).toEqual([1, 2]);
  expect(runSeries(model, 'heldOutSampledAccuracy')).toEqual([
    { update: 0, value: 0.5 },
    { update: 2, value: 0.75 },
  ]);
  expect(runSeries(model, 'heldOutGreedyAccuracy')).toEqual([]);
});

test('the manifest comes back whole', async () => {
  const reader = await readerOf([]);
  expect(reader.manifest).toEqual({
    formatVersion: 1,
    id: 'quick-20261123-101500-seed0',
    name: 'quick',
    createdAt: '2026-11-23T10:15:00.000Z',
    seed: 0,
    versions: { arpo: '0.1.0' },
    parent: null,
    config: defaultRunConfig,
  });
});

test('who writes a run is known while the process lives', async () => {
  const disk = memoryDisk();
  const store = await createStore(disk);
  const holder = await runLockHolder(disk, processTable(2, [1, 2]), runFolder);
  expect(holder).toEqual({ processId: 1, hostName: 'here', since: startTime + 1000 });
  expect(await runLockHolder(disk, processTable(2), runFolder)).toBeNull();
  await store.close();
  expect(await runLockHolder(disk, processTable(2, [1, 2]), runFolder)).toBeNull();
});

test('one group of a long run is read without the rest', async () => {
  const disk = memoryDisk();
  const store = await createStore(disk);
  await store.append([runStarted]);
  for (let update = 1; update <= 60; update += 1) {
    for (let group = 0; group < 4; group += 1) {
      await store.append(groupEvents(createRandom(update), { update, group }, 40));
    }
  }
  let bytesRead = 0;
  const counting: FileSystem = Object.assign(Object.create(disk), {
    readFile: async (...given: Parameters<FileSystem['readFile']>) => {
      const bytes = await disk.readFile(...given);
      bytesRead += bytes.length;
      return bytes;
    },
  });
  const total = [...disk.files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const reader = await RunReader.open(counting, runFolder);
  expect(reader.groups(30)).toEqual([0, 1, 2, 3]);
  expect((await reader.group(30, 2)).tree.nodes).toHaveLength(41);
  // The index is 32 bytes per line; the rest is the manifest, the newest lines and the group itself.
  expect(bytesRead - 32 * reader.lines).toBeLessThan(total / 50);
});

test('appends that overlap are carried out in order', async () => {
  for (const seed of [11, 12, 13]) {
    const events = randomBatches(seed, 4).flat();
    const disk = memoryDisk();
    const store = await createStore(disk);
    await Promise.all(randomBatches(seed, 4).map((batch) => store.append(batch)));
    const text = new TextDecoder().decode(disk.files.get(`${runFolder}/events.jsonl`));
    const kinds = text
      .split('\n')
      .slice(0, -1)
      .map((line): string => JSON.parse(line).kind);
    expect(kinds).toEqual(events.map(({ kind }) => kind));
  }
});

import { expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { isResumable, RunCatalog } from '#extension/runCatalog';
import type { RunEntry } from '#extension/runCatalog';
import { RunStore } from '#runs/runStore';
import {
  createStore,
  groupEvents,
  groupScored,
  memoryDisk,
  newRun,
  policyUpdated,
  portsOf,
  processTable,
  runFolder,
  runStarted,
} from '../runs/runFixture';

test('a folder that is not there has no runs', async () => {
  expect(await new RunCatalog(memoryDisk(), processTable(1)).list('runs')).toEqual([]);
});

test('status, progress and accuracy follow the record', async () => {
  const disk = memoryDisk();
  const store = await createStore(disk);
  const catalog = new RunCatalog(disk, processTable(1));
  const now = async (): Promise<RunEntry> => await catalog.entry(runFolder);
  await store.append([runStarted, { kind: 'updateStarted', update: 1, groups: 1 }]);
  expect(await now()).toMatchObject({ status: 'running', completedUpdates: 0, accuracy: null });
  const score = { accuracy: 0.75, reward: 1, toolCalls: 3, tokens: 30 };
  await store.append([
    policyUpdated(1),
    { kind: 'evaluated', update: 1, split: 'heldOut', tasks: 4, sampled: score, greedy: null, seconds: 1 },
  ]);
  expect(await now()).toMatchObject({ status: 'running', completedUpdates: 1, accuracy: 0.75 });
  await store.append([{ kind: 'runStopped', reason: 'test' }]);
  expect(await now()).toMatchObject({ status: 'stopped' });
  expect(isResumable(await now())).toBe(true);
});

test('a run whose writer died is interrupted, and can be gone on with', async () => {
  const disk = memoryDisk();
  await (await createStore(disk)).append([runStarted, { kind: 'updateStarted', update: 1, groups: 1 }]);
  const entry = await new RunCatalog(disk, processTable(2, [2])).entry(runFolder);
  expect(entry.status).toBe('interrupted');
  expect(isResumable(entry)).toBe(true);
});

test('runs are listed newest first, and an unreadable one says why', async () => {
  const disk = memoryDisk();
  const first = await createStore(disk);
  const later = { ...portsOf(disk), now: () => Date.UTC(2026, 10, 24) };
  const second = await RunStore.create(later, newRun);
  await disk.makeFolder('runs/broken');
  await disk.writeFile('runs/broken/run.json', new TextEncoder().encode('{'));
  const runs = await new RunCatalog(disk, processTable(1)).list('runs');
  expect(runs.map(({ folder }) => folder)).toEqual([second.folder, first.folder, 'runs/broken']);
  expect(runs[2]).toMatchObject({ problem: expect.stringContaining('expected JSON') as string });
});

test('updates come newest first, their groups with scores as far as there are any', async () => {
  const disk = memoryDisk();
  const store = await createStore(disk);
  await store.append([
    runStarted,
    ...groupEvents(createRandom(1), { update: 1, group: 1 }, 3),
    ...groupEvents(createRandom(1), { update: 1, group: 0 }, 3),
    groupScored(1, 0, [1, 0]),
    policyUpdated(1),
  ]);
  const catalog = new RunCatalog(disk, processTable(1));
  expect(await catalog.updates(runFolder)).toEqual([1]);
  const entry = await catalog.update(runFolder, 1);
  expect(entry.groups.map(({ started, scored }) => [started.group, scored?.rewards.length])).toEqual([
    [0, 2],
    [1, undefined],
  ]);
  expect(entry.policy?.update).toBe(1);
  await store.append(groupEvents(createRandom(2), { update: 2, group: 0 }, 3));
  expect(await catalog.updates(runFolder)).toEqual([2, 1]);
});

import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { TreeFeed } from '#extension/panels/treeFeed';
import { readScopeSource } from '#extension/panels/treeScope';
import type { ScopeSource } from '#extension/panels/treeScope';
import type { RunState, TreePatch } from '#protocol/treeViewProtocol';
import type { NewRunEvent } from '#runs/runEvent';
import { RunReader } from '#runs/runReader';
import type { RunStore } from '#runs/runStore';
import { createStore, groupEvents, groupScored, memoryDisk, runFolder, runStarted } from '../runs/runFixture';
import { PatchedGroups } from './patchedGroups';

/** A feed and a view at its end, over a run that is being written. */
interface Bench {
  readonly store: RunStore;
  readonly feed: TreeFeed;
  readonly view: PatchedGroups;
  readonly patches: TreePatch[];
  state: RunState;
  open(): Promise<RunReader>;
}

async function createBench(source: ScopeSource): Promise<Bench> {
  const disk = memoryDisk();
  const store = await createStore(disk);
  await store.append([runStarted]);
  const view = new PatchedGroups();
  const patches: TreePatch[] = [];
  const bench = {
    store,
    view,
    patches,
    state: 'running' as RunState,
    open: () => RunReader.open(disk, runFolder),
  };
  const feed = new TreeFeed({
    reader: await bench.open(),
    source,
    title: ({ kind }) => kind,
    runState: () => bench.state,
    actions: [],
    onPatch: (patch) => {
      patches.push(patch);
      view.apply(patch);
    },
  });
  view.replace(await feed.snapshot());
  return Object.assign(bench, { feed });
}

function updateEvents(update: number, groups = 2, steps = 6): NewRunEvent[] {
  const grown = Array.from({ length: groups }, (_, group) => [
    ...groupEvents(createRandom(update, group), { update, group }, steps),
    groupScored(update, group, [1, 0]),
  ]);
  const longest = Math.max(...grown.map(({ length }) => length));
  const interleaved = Array.from({ length: longest }, (_, at) =>
    grown.flatMap((events) => events.slice(at, at + 1)),
  );
  return [{ kind: 'updateStarted', update, groups }, ...interleaved.flat()];
}

/** What a view that starts now would show. */
async function freshView(bench: Bench, source: ScopeSource): Promise<PatchedGroups> {
  const reader = await bench.open();
  const options = {
    reader,
    source,
    title: () => '',
    runState: () => bench.state,
    actions: [],
    onPatch: () => undefined,
  };
  const view = new PatchedGroups();
  view.replace(await new TreeFeed(options).snapshot());
  return view;
}

describe('a view that is fed while the run is written', () => {
  test('shows after any event what a view opened then would show', async () => {
    const bench = await createBench({ kind: 'newest' });
    for (const event of updateEvents(1)) {
      await bench.store.append([event]);
      await bench.feed.refresh();
      expect(bench.view.groups).toEqual((await freshView(bench, { kind: 'newest' })).groups);
    }
    expect(bench.patches.map(({ sequence }) => sequence)).toEqual(bench.patches.map((_, index) => index + 1));
    expect(bench.view.nodeCount).toBe(14);
  });

  test('follows the newest update, unless it is held', async () => {
    const bench = await createBench({ kind: 'newest' });
    await bench.store.append(updateEvents(1));
    await bench.feed.refresh();
    await bench.store.append(updateEvents(2));
    await bench.feed.refresh();
    expect(bench.view.groupIds).toEqual(['2/0', '2/1']);
    bench.feed.hold(true);
    await bench.store.append(updateEvents(3));
    await bench.feed.refresh();
    expect(bench.view.groupIds).toEqual(['2/0', '2/1']);
    bench.feed.hold(false);
    await bench.feed.refresh();
    expect(bench.view.groupIds).toEqual(['3/0', '3/1']);
  });

  test('sends nothing when nothing happened that it shows', async () => {
    const bench = await createBench({ kind: 'group', update: 1, group: 1 });
    await bench.store.append(updateEvents(1));
    await bench.feed.refresh();
    expect(bench.view.groups).toHaveLength(1);
    const sent = bench.patches.length;
    await bench.store.append(updateEvents(2));
    await bench.feed.refresh();
    expect(bench.patches).toHaveLength(sent);
  });

  test('shows a group anew that a resumed run does again', async () => {
    const bench = await createBench({ kind: 'update', update: 1 });
    await bench.store.append(updateEvents(1));
    await bench.feed.refresh();
    await bench.store.append([{ kind: 'resumed', fromUpdate: 0 }]);
    await bench.feed.refresh();
    expect(bench.view.groups).toEqual([]);
    await bench.store.append(updateEvents(1, 2, 3));
    await bench.feed.refresh();
    expect(bench.view.groups).toEqual((await freshView(bench, { kind: 'update', update: 1 })).groups);
    expect(bench.view.nodeCount).toBe(8);
  });

  test('notices a group that was done again between two refreshes', async () => {
    const bench = await createBench({ kind: 'update', update: 1 });
    await bench.store.append(updateEvents(1));
    await bench.feed.refresh();
    await bench.store.append([{ kind: 'resumed', fromUpdate: 0 }, ...updateEvents(1, 2, 4)]);
    await bench.feed.refresh();
    expect(bench.view.groups).toEqual((await freshView(bench, { kind: 'update', update: 1 })).groups);
    expect(bench.view.nodeCount).toBe(10);
  });

  test('marks groups as failed that a dead run left without scores', async () => {
    const bench = await createBench({ kind: 'newest' });
    await bench.store.append(updateEvents(1).slice(0, -2));
    await bench.feed.refresh();
    expect(bench.view.groups.map(({ status }) => status)).toEqual(['sampling', 'sampling']);
    bench.state = 'failed';
    await bench.feed.refresh();
    expect(bench.view.runState).toBe('failed');
    expect(bench.view.groups.map(({ status }) => status)).toEqual(['failed', 'failed']);
  });
});

test('the trees of one task over several updates', async () => {
  const bench = await createBench({ kind: 'task', taskId: 'directory-hunt/B/train/1' });
  await bench.store.append([...updateEvents(1), ...updateEvents(2)]);
  await bench.feed.refresh();
  expect(bench.view.groupIds).toEqual(['1/1', '2/1']);
});

test('details and search read the record, not the clipped texts', async () => {
  const bench = await createBench({ kind: 'newest' });
  await bench.store.append(updateEvents(1));
  await bench.feed.refresh();
  const recorded = await (await bench.open()).group(1, 0);
  const { modelText, resultText } = recorded.texts[3];
  const detail = await bench.feed.nodeDetail({ groupId: '1/0', nodeId: 3 });
  expect(detail.text).toBe(modelText + resultText);
  const signal = new AbortController().signal;
  const found = await bench.feed.findText('AGE OF BOSS', 10, signal);
  expect(found).toEqual({
    matches: [
      { groupId: '1/0', nodeId: 0 },
      { groupId: '1/1', nodeId: 0 },
    ],
    isComplete: true,
  });
  expect(await bench.feed.findText('age of boss', 1, signal)).toMatchObject({ isComplete: false });
  await expect(bench.feed.findText('x', 1, AbortSignal.abort())).rejects.toThrow();
  await expect(bench.feed.nodeDetail({ groupId: 'nonsense', nodeId: 0 })).rejects.toThrow(
    /expected update\/group/,
  );
});

test('stored scopes are read back, and anything else is refused', () => {
  const sources: ScopeSource[] = [
    { kind: 'newest' },
    { kind: 'update', update: 3 },
    { kind: 'group', update: 3, group: 1 },
    { kind: 'task', taskId: 'a' },
  ];
  for (const source of sources) expect(readScopeSource(JSON.parse(JSON.stringify(source)))).toEqual(source);
  for (const value of [null, 3, {}, { kind: 'update' }, { kind: 'group', update: '3', group: 1 }])
    expect(readScopeSource(value)).toBeNull();
});

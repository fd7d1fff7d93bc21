import { expect, test } from 'vitest';
import type { TreeChange, TreeSnapshot } from '#protocol/treeViewProtocol';
import { pathTo, slotsThrough, trajectoryOf, TreeState } from '../../webview/tree/treeState';
import { createDemo, snapshotOf } from './demoGroups';

const [demo] = createDemo({ seed: 3, groups: 1, trajectories: 16, initialTrajectories: 8 });
if (demo === undefined) throw new Error('no demo');
const { group } = demo;
const { nodes, trajectories, decisions, scores, ...header } = group;

function emptySnapshot(): TreeSnapshot {
  return {
    ...snapshotOf([]),
    groups: [{ ...group, nodes: nodes.slice(0, 1), trajectories: [], decisions: [], scores: null }],
  };
}

test('a tree grown by patches equals the snapshot of the whole tree', () => {
  const grown = new TreeState();
  grown.replace(emptySnapshot());
  let sequence = 0;
  for (let first = 1; first < nodes.length; first += 7) {
    const changes: TreeChange[] = [
      { kind: 'nodesAdded', groupId: header.groupId, nodes: nodes.slice(first, first + 7) },
    ];
    sequence += 1;
    expect(grown.apply({ sequence, changes })).toBe('applied');
  }
  if (scores === null) throw new Error('the demo is scored');
  const rest: TreeChange[] = [
    { kind: 'trajectoriesChanged', groupId: header.groupId, trajectories },
    { kind: 'decisionsAdded', groupId: header.groupId, decisions },
    { kind: 'groupScored', header, scores },
    { kind: 'runStateChanged', runState: 'finished' },
  ];
  grown.apply({ sequence: sequence + 1, changes: rest });
  const whole = new TreeState();
  whole.replace(snapshotOf([demo]));
  const strip = (state: TreeState) =>
    state.groups.map(({ version: _version, shapeVersion: _shape, ...group }) => group);
  expect(strip(grown)).toEqual(strip(whole));
  expect(grown.runState).toBe('finished');
});

test('a lost patch is a gap and changes nothing; an old one is ignored', () => {
  const state = new TreeState();
  state.replace({ ...emptySnapshot(), sequence: 5 });
  const changes: TreeChange[] = [{ kind: 'nodesAdded', groupId: header.groupId, nodes: nodes.slice(1, 3) }];
  expect(state.apply({ sequence: 5, changes })).toBe('ignored');
  expect(state.apply({ sequence: 7, changes })).toBe('gap');
  expect(state.nodeCount).toBe(1);
  expect(state.apply({ sequence: 6, changes })).toBe('applied');
  expect(state.nodeCount).toBe(3);
});

test('groups can be added and removed', () => {
  const state = new TreeState();
  state.replace(snapshotOf([]));
  state.apply({ sequence: 1, changes: [{ kind: 'groupAdded', group }] });
  expect(state.groups.map((model) => model.header.groupId)).toEqual([group.groupId]);
  state.apply({ sequence: 2, changes: [{ kind: 'groupsRemoved', groupIds: [group.groupId] }] });
  expect(state.groups).toEqual([]);
});

test('a node without its parent is refused with what was expected', () => {
  const state = new TreeState();
  state.replace(emptySnapshot());
  const changes: TreeChange[] = [{ kind: 'nodesAdded', groupId: header.groupId, nodes: nodes.slice(3, 4) }];
  expect(() => state.apply({ sequence: 1, changes })).toThrow(
    /expected id 1 below an earlier node, got id 3/,
  );
  const lost: TreeChange[] = [{ kind: 'headerChanged', header: { ...header, groupId: 'nowhere' } }];
  expect(() => state.apply({ sequence: 2, changes: lost })).toThrow(
    /expected a group of the view, got "nowhere"/,
  );
});

test('paths and sharing follow the parents', () => {
  const state = new TreeState();
  state.replace(snapshotOf([demo]));
  const [model] = state.groups;
  if (model === undefined) throw new Error('no group');
  const branch = trajectories.find(({ origin }) => origin === 'branch');
  if (branch === undefined) throw new Error('the demo branches');
  const path = pathTo(model, branch.lastNodeId);
  expect(path[0]).toBe(0);
  for (let index = 1; index < path.length; index += 1) {
    expect(nodes[path[index]].parentId).toBe(path[index - 1]);
  }
  expect(path).toContain(branch.forkNodeId);
  const sharing = slotsThrough(model, branch.forkNodeId);
  expect(sharing).toContain(branch.slot);
  expect(sharing).toContain(branch.sourceSlot);
  expect(trajectoryOf(model, branch.lastNodeId)?.slot).toBe(branch.slot);
});

import { describe, expect, test } from 'vitest';
import { RolloutTree } from '#arpo/rolloutTree';
import { calling, ended } from './steps';

function grown(): RolloutTree {
  const tree = new RolloutTree(Int32Array.of(3, 4));
  tree.startTrajectory('initial');
  tree.startTrajectory('initial');
  tree.appendStep(0, calling());
  tree.appendStep(1, calling({ tokens: [6, 7], result: 1 }));
  tree.branchTrajectory(0, 1);
  tree.appendStep(0, ended());
  tree.appendStep(2, calling({ tokens: [2] }));
  return tree;
}

describe('a restored tree', () => {
  test('is the tree it came from', () => {
    const tree = grown();
    const copy = RolloutTree.restore(structuredClone(tree.nodes), structuredClone(tree.trajectories));
    expect(copy.nodes).toEqual(tree.nodes);
    expect(copy.trajectories).toEqual(tree.trajectories);
    for (const { id } of tree.nodes) {
      expect(copy.childrenOf(id)).toEqual(tree.childrenOf(id));
      expect(copy.pathTokens(id)).toEqual(tree.pathTokens(id));
      expect(copy.callsOnPath(id)).toBe(tree.callsOnPath(id));
    }
    for (const { slot } of tree.trajectories) expect(copy.costOf(slot)).toEqual(tree.costOf(slot));
  });

  test('shares the arrays and grows on its own', () => {
    const tree = grown();
    const copy = RolloutTree.restore(tree.nodes, tree.trajectories);
    expect(copy.node(1).tokens).toBe(tree.node(1).tokens);
    copy.appendStep(2, ended());
    copy.startTrajectory('topUp');
    expect(copy.nodes).toHaveLength(tree.nodes.length + 1);
    expect(copy.childrenOf(4)).toEqual([5]);
    expect(tree.trajectories).toHaveLength(3);
    expect(tree.trajectory(2).isFinished).toBe(false);
    expect(tree.childrenOf(4)).toEqual([]);
  });

  test('needs a root, dense ids, and parents before their children', () => {
    const { nodes, trajectories } = grown();
    expect(() => RolloutTree.restore([], [])).toThrow('nodes: expected at least the root, got none');
    expect(() => RolloutTree.restore([nodes[0], nodes[2]], trajectories)).toThrow(
      'nodes: expected node 1 behind its parent, got 2',
    );
    const backwards = nodes.map((node) => (node.id === 1 ? { ...node, parentId: 3 } : node));
    expect(() => RolloutTree.restore(backwards, trajectories)).toThrow('expected node 1 behind its parent');
    const orphan = nodes.map((node) => (node.id === 2 ? { ...node, parentId: null } : node));
    expect(() => RolloutTree.restore(orphan, trajectories)).toThrow('expected node 2 behind its parent');
  });
});

import { describe, expect, test } from 'vitest';
import { calling, ended, step } from './steps';
import { padAlternatives, RolloutTree } from '#arpo/rolloutTree';

/** Prompt [1, 2]; slot 0 calls twice and ends; slot 1 branches behind the first call and ends. */
function smallTree(): RolloutTree {
  const tree = new RolloutTree(Int32Array.of(1, 2));
  tree.startTrajectory('initial');
  const first = tree.appendStep(0, calling({ tokens: [10, 11], result: 3 }));
  tree.appendStep(0, calling({ tokens: [12], result: 1 }));
  tree.branchTrajectory(0, first.id);
  tree.appendStep(0, ended());
  tree.appendStep(1, step({ tokens: [13, 14] }));
  return tree;
}

describe('paths', () => {
  test('a path is exactly what the model saw', () => {
    const tree = smallTree();
    expect([...tree.pathTokens(tree.trajectory(0).lastNodeId)]).toEqual([1, 2, 10, 11, 8, 8, 8, 12, 8, 9]);
    expect([...tree.pathTokens(tree.trajectory(1).lastNodeId)]).toEqual([1, 2, 10, 11, 8, 8, 8, 13, 14]);
    expect(tree.pathLength(tree.trajectory(1).forkNodeId)).toBe(7);
  });
  test('ids are dense, depths count steps, children point back', () => {
    const tree = smallTree();
    expect(tree.nodes.map(({ id, parentId, depth, slot }) => [id, parentId, depth, slot])).toEqual([
      [0, null, 0, -1],
      [1, 0, 1, 0],
      [2, 1, 2, 0],
      [3, 2, 3, 0],
      [4, 1, 2, 1],
    ]);
    expect(tree.childrenOf(1)).toEqual([2, 4]);
  });
  test('calls on a path', () => {
    const tree = smallTree();
    expect([0, 1, 2, 3, 4].map((id) => tree.callsOnPath(id))).toEqual([0, 1, 2, 2, 1]);
  });
});

test('costs: own and inherited, without the prompt', () => {
  const tree = smallTree();
  expect(tree.costOf(0)).toEqual({
    calls: 2,
    inheritedCalls: 0,
    modelTokens: 4,
    inheritedModelTokens: 0,
    toolTokens: 4,
    inheritedToolTokens: 0,
  });
  expect(tree.costOf(1)).toEqual({
    calls: 1,
    inheritedCalls: 1,
    modelTokens: 4,
    inheritedModelTokens: 2,
    toolTokens: 3,
    inheritedToolTokens: 3,
  });
});

describe('refusals', () => {
  test('a finished trajectory takes no more steps', () => {
    expect(() => smallTree().appendStep(0, ended())).toThrow(/slot 0: expected a live trajectory/);
  });
  test('a fork has to lie on the path of its source', () => {
    expect(() => smallTree().branchTrajectory(1, 2)).toThrow(/on the path of slot 1, got 2/);
  });
  test('arrays of different lengths are named', () => {
    const tree = new RolloutTree(new Int32Array(0));
    tree.startTrajectory('initial');
    expect(() => tree.appendStep(0, { ...ended(), logProbs: new Float32Array(3) })).toThrow(
      /logProbs: expected \[1\], got \[3\]/,
    );
  });
  test('unknown nodes and slots', () => {
    expect(() => smallTree().node(9)).toThrow(/expected 0..4, got 9/);
    expect(() => smallTree().trajectory(2)).toThrow(/expected 0..1, got 2/);
  });
});

test('a result that fills the response ends the trajectory but its call counts', () => {
  const tree = new RolloutTree(new Int32Array(0));
  tree.startTrajectory('initial');
  tree.appendStep(0, { ...calling(), stopReason: 'length' });
  expect(tree.trajectory(0).isFinished).toBe(true);
  expect(tree.costOf(0).calls).toBe(1);
});

test('alternatives get empty rows for the tokens that were not sampled', () => {
  const sampled = { count: 2, ids: Int32Array.of(4, 5), logProbs: Float32Array.of(-0.5, -1) };
  expect(padAlternatives(sampled, 2)).toEqual({
    count: 2,
    ids: Int32Array.of(4, 5, -1, -1),
    logProbs: Float32Array.of(-0.5, -1, -Infinity, -Infinity),
  });
  expect(padAlternatives(sampled, 1)).toBe(sampled);
  expect(padAlternatives(null, 3)).toBeNull();
});

import { expect, test } from 'vitest';
import { calling, step } from './steps';
import { RolloutTree } from '#arpo/rolloutTree';
import { spreadAdvantages } from '#arpo/nodeAdvantage';
import { trajectoryTokens } from '#arpo/trajectoryTokens';

const endToken = 2;

/** A prompt that contains the end token, a call, and a response that goes on behind its end token. */
function treeWithEnds(): RolloutTree {
  const tree = new RolloutTree(Int32Array.of(1, endToken));
  tree.startTrajectory('initial');
  tree.appendStep(0, calling({ tokens: [10], result: 1 }));
  tree.appendStep(0, step({ tokens: [11, endToken, 12] }));
  return tree;
}

test('lays out the path; the mask ends with the first end token of the response', () => {
  const laid = trajectoryTokens(treeWithEnds(), 0, endToken);
  expect([...laid.tokens]).toEqual([1, 2, 10, 8, 11, 2, 12]);
  expect([...laid.lossMask]).toEqual([0, 0, 1, 0, 1, 1, 0]);
  expect([...laid.logProbs]).toEqual([0, 0, -1, -0, -1, -1, -1]);
  expect([...laid.entropies]).toEqual([0, 0, 0.5, 0, 0.5, 0.5, 0.5]);
  expect([...laid.nodeIds]).toEqual([0, 0, 1, 1, 2, 2, 2]);
});
test('without an end token the whole response counts', () => {
  expect([...trajectoryTokens(treeWithEnds(), 0, 99).lossMask]).toEqual([0, 0, 1, 0, 1, 1, 1]);
});
test('advantages of nodes reach their tokens, the prompt gets 0', () => {
  const { nodeIds } = trajectoryTokens(treeWithEnds(), 0, endToken);
  const advantages = [
    { nodeId: 1, advantage: 0.5 },
    { nodeId: 2, advantage: -2 },
  ];
  expect([...spreadAdvantages(nodeIds, advantages)]).toEqual([0, 0, 0.5, 0.5, -2, -2, -2]);
});

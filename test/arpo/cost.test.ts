import { describe, expect, test } from 'vitest';
import { branchingPresets, releasedPreset } from '#arpo/branchingOptions';
import { calling, ended } from './steps';
import { expectedCost, groupCost, simulateGroup } from '#arpo/cost';
import { RolloutTree } from '#arpo/rolloutTree';
import { createRandom } from '#base/random';

test('a branch pays only what it adds; the rest is what independent sampling would have paid', () => {
  const tree = new RolloutTree(Int32Array.of(1, 1, 1));
  tree.startTrajectory('initial');
  const first = tree.appendStep(0, calling({ tokens: [5, 5], result: 3 }));
  tree.branchTrajectory(0, first.id);
  for (const slot of [0, 1]) tree.appendStep(slot, ended());
  expect(groupCost(tree)).toEqual({
    generatedTokens: 4,
    totalTokens: 6,
    tokenRatio: 4 / 6,
    executedCalls: 1,
    totalCalls: 2,
    callRatio: 0.5,
    fedToolTokens: 3,
    totalToolTokens: 6,
    prefillRatio: 0.5,
  });
});
test('without calls there is no call ratio', () => {
  const tree = new RolloutTree(new Int32Array(0));
  tree.startTrajectory('initial');
  tree.appendStep(0, ended());
  expect(groupCost(tree)).toMatchObject({ tokenRatio: 1, callRatio: null, prefillRatio: null });
});

describe('simulation', () => {
  test('plain GRPO pays every call, in one turn per call and one for the answer', () => {
    const simulation = { options: branchingPresets.none, callsPerTrajectory: 3, callLimit: 3 };
    expect(expectedCost({ ...simulation, random: createRandom(1) }, 2)).toEqual({
      callRatio: 1,
      meanBranches: 0,
      meanTopUps: 0,
      meanTurns: 4,
    });
  });
  test('the paper’s rule branches at every rise, as early as it can: 2·8 + 8 of 32 calls', () => {
    const options = branchingPresets.paper;
    const random = createRandom(1);
    const scheduler = simulateGroup({
      options,
      callsPerTrajectory: 2,
      callLimit: 2,
      random,
      entropyAfterCall: 1,
    });
    expect(groupCost(scheduler.tree)).toMatchObject({ executedCalls: 24, totalCalls: 32 });
    expect(scheduler.budget).toMatchObject({ branches: 8, topUps: 0 });
    expect(scheduler.turn).toBe(4); // the copies start one turn later than the released ones
  });
  test('the paper’s top-up is made at once', () => {
    const options = branchingPresets.paper;
    const scheduler = simulateGroup({
      options,
      callsPerTrajectory: 2,
      callLimit: 2,
      random: createRandom(1),
    });
    expect(scheduler.budget).toMatchObject({ branches: 0, topUps: 8 });
    expect(scheduler.turn).toBe(6);
  });
  test('more calls than the limit cannot be simulated', () => {
    const simulation = {
      options: releasedPreset,
      callsPerTrajectory: 4,
      callLimit: 3,
      random: createRandom(1),
    };
    expect(() => simulateGroup(simulation)).toThrow(/at most callLimit \(3\), got 4/);
  });
});

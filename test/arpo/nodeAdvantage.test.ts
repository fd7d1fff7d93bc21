import { describe, expect, test } from 'vitest';
import { calling, ended } from './steps';
import { defaultAdvantageOptions, estimateAll, nodeAdvantages } from '#arpo/nodeAdvantage';
import { branchingPresets } from '#arpo/branchingOptions';
import type { RolloutTree } from '#arpo/rolloutTree';
import { RolloutTree as Tree } from '#arpo/rolloutTree';
import { createRandom } from '#base/random';
import { estimateAdvantages } from '#arpo/advantage';
import fc from 'fast-check';
import { simulateGroup } from '#arpo/cost';

const drGrpo = { ...defaultAdvantageOptions, estimator: 'drGrpo' } as const;

/**
 * root ─ 1 ─ 2 ─ 3 (slot 0, reward 1)
 *         │    └ 4 ─ 5 (slot 1, branch at 2, reward 0)
 *         └ none
 * root ─ 6 (slot 2, reward 0.5)
 */
function threeSlots(): RolloutTree {
  const tree = new Tree(Int32Array.of(1));
  tree.startTrajectory('initial');
  tree.appendStep(0, calling());
  const second = tree.appendStep(0, calling());
  tree.appendStep(0, ended());
  tree.branchTrajectory(0, second.id);
  tree.appendStep(1, calling());
  tree.appendStep(1, ended());
  tree.startTrajectory('topUp');
  tree.appendStep(2, ended());
  return tree;
}

const rewards = [1, 0, 0.5]; // mean 0.5; Dr.GRPO advantages 0.5, −0.5, 0

describe('estimateAll', () => {
  const estimate = estimateAll(threeSlots(), rewards, drGrpo);

  test('owners and values: each trajectory counts once', () => {
    expect(estimate.owners).toEqual([3, 2, 2, 1, 1, 1, 1]);
    expect(estimate.values).toEqual([0.5, 0.5, 0.5, 1, 0, 0, 0.5]);
  });
  test('hard: the mean over the owners', () => {
    expect(estimate.soft).toEqual([0.5, -0.5, 0]);
    expect(estimate.hard).toEqual([0, 0, 0, 0.5, -0.5, -0.5, 0]);
  });
  test('step: only the first node behind a fork changes the value', () => {
    expect(estimate.step).toEqual([0, 0, 0, 0.5, -0.5, 0, 0]);
  });
  test('segment: the whole chain behind a fork carries it', () => {
    expect(estimate.segment).toEqual([0, 0, 0, 0.5, -0.5, -0.5, 0]);
  });
  test('values that differ at the root: the shared chain is credited against it', () => {
    const other = estimateAll(threeSlots(), [1, 1, -0.5], drGrpo); // V(root) 0.5, V(1) = V(2) = 1
    expect(other.step).toEqual([0, 0.5, 0, 0, 0, 0, -1]);
    expect(other.segment).toEqual([0, 0.5, 0.5, 0, 0, 0, -1]);
    expect(other.isZeroVariance).toBe(false);
  });
  test('equal rewards are flagged and give nothing', () => {
    const flat = estimateAll(threeSlots(), [0.1, 0.1, 0.1]);
    expect(flat.isZeroVariance).toBe(true);
    for (const list of [flat.soft, flat.hard, flat.step, flat.segment]) {
      for (const advantage of list) expect(Math.abs(advantage)).toBeLessThan(1e-9);
    }
  });
  test('one reward per slot is required', () => {
    expect(() => estimateAll(threeSlots(), [1, 0])).toThrow(/expected \[3\] \(one per slot\), got \[2\]/);
  });
});

describe('nodeAdvantages', () => {
  test('soft: a shared node carries each trajectory’s own advantage', () => {
    const [first, second, third] = nodeAdvantages(threeSlots(), rewards, drGrpo);
    expect(first).toEqual([1, 2, 3].map((nodeId) => ({ nodeId, advantage: 0.5 })));
    expect(second).toEqual([1, 2, 4, 5].map((nodeId) => ({ nodeId, advantage: -0.5 })));
    expect(third).toEqual([{ nodeId: 6, advantage: 0 }]);
  });
  test('hard: a shared node carries the same in both', () => {
    const [first, second] = nodeAdvantages(threeSlots(), rewards, { ...drGrpo, attribution: 'hard' });
    expect(first.map(({ advantage }) => advantage)).toEqual([0, 0, 0.5]);
    expect(second.map(({ advantage }) => advantage)).toEqual([0, 0, -0.5, -0.5]);
  });
});

describe('on random trees', () => {
  const estimators = fc.constantFrom('grpo' as const, 'drGrpo' as const, 'rloo' as const);
  const grown = fc.record({ seed: fc.integer({ min: 0, max: 1e6 }), estimator: estimators });

  /** A tree grown by the released rule, with random rewards. */
  function grow(seed: number): { tree: RolloutTree; bySlot: number[] } {
    const random = createRandom(seed);
    const options = {
      ...branchingPresets.random,
      randomProbability: 0.5,
      globalRollouts: 8,
      initialRollouts: 3,
    };
    const { tree } = simulateGroup({ options, callsPerTrajectory: 4, callLimit: 4, random });
    return { tree, bySlot: tree.trajectories.map(() => random.next()) };
  }

  test('step advantages of a path add up to the trajectory’s own advantage', () => {
    fc.assert(
      fc.property(grown, ({ seed, estimator }) => {
        const { tree, bySlot } = grow(seed);
        const own = estimateAdvantages(bySlot, estimator);
        nodeAdvantages(tree, bySlot, { ...defaultAdvantageOptions, estimator, attribution: 'step' }).forEach(
          (path, slot) =>
            expect(path.reduce((sum, { advantage }) => sum + advantage, 0)).toBeCloseTo(own[slot], 9),
        );
      }),
      { seed: 6 },
    );
  });
  test('segment advantages add up to it over the chains, whose nodes all carry the same', () => {
    fc.assert(
      fc.property(grown, ({ seed, estimator }) => {
        const { tree, bySlot } = grow(seed);
        const own = estimateAdvantages(bySlot, estimator);
        const { owners } = estimateAll(tree, bySlot, { ...defaultAdvantageOptions, estimator });
        const options = { ...defaultAdvantageOptions, estimator, attribution: 'segment' } as const;
        nodeAdvantages(tree, bySlot, options).forEach((path, slot) => {
          const byOwners = new Map(path.map(({ nodeId, advantage }) => [owners[nodeId], advantage]));
          for (const { nodeId, advantage } of path) expect(byOwners.get(owners[nodeId])).toBe(advantage);
          expect([...byOwners.values()].reduce((sum, advantage) => sum + advantage, 0)).toBeCloseTo(
            own[slot],
            9,
          );
        });
      }),
      { seed: 9 },
    );
  });
  test('soft and hard give every node the same total', () => {
    fc.assert(
      fc.property(grown, ({ seed, estimator }) => {
        const { tree, bySlot } = grow(seed);
        const totals = (attribution: 'soft' | 'hard'): number[] => {
          const sums = tree.nodes.map(() => 0);
          const paths = nodeAdvantages(tree, bySlot, { ...defaultAdvantageOptions, estimator, attribution });
          for (const { nodeId, advantage } of paths.flat()) sums[nodeId] += advantage;
          return sums;
        };
        const hard = totals('hard');
        totals('soft').forEach((sum, id) => expect(sum).toBeCloseTo(hard[id], 9));
      }),
      { seed: 7 },
    );
  });
});

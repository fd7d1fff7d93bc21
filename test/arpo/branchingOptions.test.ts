import { describe, expect, test } from 'vitest';
import {
  branchingPresets,
  checkBranchingOptions,
  releasedPreset,
  withoutBranching,
} from '#arpo/branchingOptions';
import type { BranchingOptions } from '#arpo/branchingOptions';

const problemPaths = (change: Partial<BranchingOptions>): string[] =>
  checkBranchingOptions({ ...releasedPreset, ...change }).map(({ path }) => path);

describe('presets', () => {
  test('each is usable and has the rule of its name', () => {
    for (const [name, options] of Object.entries(branchingPresets)) {
      expect(options.rule).toBe(name);
      expect(checkBranchingOptions(options), name).toEqual([]);
    }
  });
  test('plain GRPO starts all trajectories at the question', () => {
    expect(branchingPresets.none.initialRollouts).toBe(branchingPresets.none.globalRollouts);
  });
  test('validation: one trajectory, no branching, whatever the training options', () => {
    for (const options of Object.values(branchingPresets)) {
      const validation = withoutBranching(options);
      expect(validation).toMatchObject({ rule: 'none', globalRollouts: 1, initialRollouts: 1, beamSize: 1 });
      expect(checkBranchingOptions(validation)).toEqual([]);
    }
  });
});

describe('checkBranchingOptions', () => {
  test.each<[Partial<BranchingOptions>, string]>([
    [{ initialRollouts: 17 }, 'initialRollouts'],
    [{ initialRollouts: 0 }, 'initialRollouts'],
    [{ globalRollouts: 16.5 }, 'globalRollouts'],
    [{ beamSize: 1 }, 'beamSize'],
    [{ rule: 'none' }, 'initialRollouts'],
    [{ alpha: Number.NaN }, 'alpha'],
    [{ tau: Infinity }, 'tau'],
    [{ branchProbability: 1.1 }, 'branchProbability'],
    [{ randomProbability: -0.1 }, 'randomProbability'],
    [{ penaltyPerBranch: Number.NaN }, 'penaltyPerBranch'],
    [{ quantile: 0 }, 'quantile'],
    [{ historyLength: 10, minimumHistory: 11 }, 'minimumHistory'],
    [{ entropy: { ...releasedPreset.entropy, window: 0 } }, 'entropy.window'],
    [{ entropy: { ...releasedPreset.entropy, topK: 0 } }, 'entropy.topK'],
    [{ entropy: { ...releasedPreset.entropy, difference: 'vector' } }, 'entropy.difference'],
  ])('%j is one problem, at %s', (change, path) => {
    expect(problemPaths(change)).toEqual([path]);
  });
  test('all problems are reported at once, each with what was expected and what came', () => {
    expect(problemPaths({ beamSize: 0, branchProbability: 2, quantile: 2 })).toEqual([
      'beamSize',
      'branchProbability',
      'quantile',
    ]);
    expect(checkBranchingOptions({ ...releasedPreset, initialRollouts: 20 })).toEqual([
      { path: 'initialRollouts', expected: 'at most globalRollouts (16)', got: '20' },
    ]);
  });
});

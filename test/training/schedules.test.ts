import { describe, expect, test } from 'vitest';
import { RolloutTree } from '#arpo/rolloutTree';
import type { NodeContent } from '#arpo/rolloutTree';
import { createRandom } from '#base/random';
import type { Random } from '#base/random';
import { entropyStatistics } from '#training/entropyStatistics';
import * as streams from '#training/seedStreams';
import { shuffled } from '#training/shuffle';
import { trainingTaskIndex } from '#training/taskOrder';
import {
  evaluationBranching,
  evaluationSampling,
  learningRateAt,
  trainingSampling,
  updateOptions,
} from '#training/trainerOptions';
import { formatTrainingState, initialTrainingState, parseTrainingState } from '#training/trainingState';
import { letterConfig } from './letters';

describe('the learning rate', () => {
  const rates = (optimizer: Record<string, unknown>, updates: number): number[] => {
    const config = letterConfig({ updates, optimizer: { learningRate: 8, minibatches: 2, ...optimizer } });
    return Array.from({ length: updates }, (_, index) =>
      Number(learningRateAt(config, index + 1).toFixed(6)),
    );
  };

  test('stays', () => expect(rates({ schedule: 'constant' }, 3)).toEqual([8, 8, 8]));

  test('rises over the warm-up to its peak', () =>
    expect(rates({ schedule: 'constant', warmUpUpdates: 4 }, 6)).toEqual([2, 4, 6, 8, 8, 8]));

  test('falls linearly, to its final share at the last update', () => {
    expect(rates({ schedule: 'linear', finalShare: 0 }, 5)).toEqual([8, 6, 4, 2, 0]);
    expect(rates({ schedule: 'linear', finalShare: 0.5, warmUpUpdates: 2 }, 5)).toEqual([4, 8, 8, 6, 4]);
  });

  test('falls along a cosine: half way in the middle', () => {
    expect(rates({ schedule: 'cosine', finalShare: 0 }, 5)).toEqual([8, 6.828427, 4, 1.171573, 0]);
    expect(rates({ schedule: 'cosine', finalShare: 0.25 }, 3)).toEqual([8, 5, 2]);
  });

  test('of a run of one update is its peak', () =>
    expect(rates({ schedule: 'linear', finalShare: 0 }, 1)).toEqual([8]));
});

describe('options from the configuration', () => {
  test('of an update', () => {
    const config = letterConfig({
      seed: 9,
      optimizer: { learningRate: 1, beta1: 0.8, minibatches: 3, epochs: 2 },
      objective: { klCoefficient: 0.1, aggregation: 'seqMeanTokenSumNorm', constantLength: 10 },
      advantage: { estimator: 'rloo', attribution: 'step', entropyWeight: 0.3 },
      rollout: { temperature: 0.7, topP: 0.9 },
    });
    const options = updateOptions(config, 5, 0.25);
    expect(options).toMatchObject({
      advantage: { estimator: 'rloo', attribution: 'step', epsilon: 1e-6 },
      entropyWeight: 0.3,
      aggregation: { mode: 'seqMeanTokenSumNorm', constantLength: 10 },
      temperature: 0.7,
      isSamplingTruncated: true,
      minibatches: 3,
      epochs: 2,
    });
    expect(options.objective).toEqual({
      clipLow: 0.2,
      clipHigh: expect.any(Number),
      dualClip: config.objective.dualClip,
      klCoefficient: 0.1,
      gradientRule: 'ppo',
    });
    expect(options.optimizer).toMatchObject({ learningRate: 0.25, beta1: 0.8 });
    expect(draws(options.shuffleRandom(1))).toEqual(draws(streams.minibatchStream(9, 5, 1)));
  });

  test('of sampling: evaluations do without alternatives unless the released table needs them', () => {
    const plain = letterConfig({ rollout: { temperature: 0.7, alternatives: 5 } });
    expect(trainingSampling(plain)).toEqual({
      temperature: 0.7,
      topP: 1,
      topK: 0,
      isGreedy: false,
      alternatives: 5,
    });
    expect(evaluationSampling(plain, true)).toMatchObject({ isGreedy: true, alternatives: 0 });
    expect(evaluationBranching(plain)).toMatchObject({ rule: 'none', globalRollouts: 1, initialRollouts: 1 });
    const released = letterConfig({ rollout: { branching: { preset: 'released' } } });
    expect(evaluationSampling(released, false).alternatives).toBe(10);
    expect(evaluationBranching(released).entropy.estimator).toBe('topK');
  });
});

function draws(random: Random, count = 6): number[] {
  return Array.from({ length: count }, () => random.next());
}

describe('streams of random numbers', () => {
  test('are the same for the same purpose and differ for every other', () => {
    const all: (() => Random)[] = [
      () => streams.tokenStream(0, 1, 0, 0),
      () => streams.tokenStream(1, 1, 0, 0),
      () => streams.tokenStream(0, 2, 0, 0),
      () => streams.tokenStream(0, 1, 1, 0),
      () => streams.tokenStream(0, 1, 0, 1),
      () => streams.branchStream(0, 1, 0),
      () => streams.evaluationStream(0, 1),
      () => streams.evaluationStream(0, 2),
      () => streams.minibatchStream(0, 1, 0),
      () => streams.minibatchStream(0, 1, 1),
      () => streams.initializationStream(0),
      () => streams.demonstrationStream(0, 1),
      () => streams.taskStream(0, 1),
    ];
    for (const stream of all) expect(draws(stream())).toEqual(draws(stream()));
    expect(new Set(all.map((stream) => draws(stream()).join())).size).toBe(all.length);
  });
});

describe('shuffling', () => {
  test('keeps every item and leaves the original alone', () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const result = shuffled(items, createRandom(3));
    expect(result).not.toEqual(items);
    expect([...result].sort((left, right) => left - right)).toEqual(items);
    expect(items[0]).toBe(0);
  });

  test('draws from the last place down, as Fisher and Yates say', () => {
    const numbers = [0.5, 0];
    const random = { next: () => numbers.shift() ?? 0 };
    // Last place 2: swap with floor(0.5 · 3) = 1 → a c b; place 1: swap with 0 → c a b.
    expect(shuffled(['a', 'b', 'c'], random)).toEqual(['c', 'a', 'b']);
  });

  test('gives every order about equally often', () => {
    const random = createRandom(11);
    const counts = new Map<string, number>();
    for (let trial = 0; trial < 6000; trial += 1) {
      const order = shuffled([1, 2, 3], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('the order of tasks', () => {
  test('of a finite set: every task once per pass, in another order each time', () => {
    const pass = (epoch: number, seed: number): number[] =>
      Array.from({ length: 7 }, (_, index) => trainingTaskIndex(seed, 7 * epoch + index, 7));
    for (const epoch of [0, 1])
      expect([...pass(epoch, 4)].sort((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(pass(0, 4)).not.toEqual(pass(1, 4));
    expect(pass(0, 4)).not.toEqual(pass(0, 5));
  });

  test('of generated tasks: another one for every position and seed', () => {
    const indices = [0, 1].flatMap((seed) =>
      Array.from({ length: 100 }, (_, position) => trainingTaskIndex(seed, position, Infinity)),
    );
    expect(new Set(indices).size).toBe(200);
    expect(indices.every((index) => Number.isSafeInteger(index) && index >= 0)).toBe(true);
  });
});

function content(mask: readonly number[], entropies: readonly number[], isCall: boolean): NodeContent {
  const call = {
    tool: 'search',
    input: 'q',
    output: 'r',
    failure: null,
    latencyMs: 0,
    cached: false,
    attempts: 1,
  };
  return {
    tokens: new Int32Array(mask.length),
    mask: Uint8Array.from(mask),
    logProbs: new Float32Array(mask.length),
    entropies: Float32Array.from(entropies),
    alternatives: null,
    toolCall: isCall ? call : null,
    stopReason: isCall ? 'toolCall' : 'end',
  };
}

describe('entropy statistics', () => {
  test('split the sampled tokens behind a result from all others, each node once', () => {
    const tree = new RolloutTree(Int32Array.of(7, 7));
    tree.startTrajectory('initial');
    tree.appendStep(0, content([1, 1, 0], [0.5, 1.5, 9], true));
    tree.branchTrajectory(0, 1);
    tree.appendStep(0, content([1, 1, 1], [2, 4, 1], false));
    tree.appendStep(1, content([1], [3], false));
    // Behind the result: 2, 4 (window 2) and 3; elsewhere: 0.5, 1.5 once, and 1 behind the window.
    expect(entropyStatistics([tree], 2)).toEqual({ afterTools: 3, elsewhere: 1 });
  });

  test('are null without such tokens', () => {
    expect(entropyStatistics([], 2)).toEqual({ afterTools: null, elsewhere: null });
  });
});

describe('the stored state', () => {
  test('comes back as it was', () => {
    const state = {
      ...initialTrainingState,
      update: 3,
      entropyHistory: [0.1, -0.25],
      samplers: [{ slotBaselines: [[0, 1.5] as const] }],
      heldOut: { update: 2, accuracy: { sampled: 0.5, greedy: null } },
    };
    expect(parseTrainingState(formatTrainingState(state))).toMatchObject(state);
  });

  test('of another version, or none at all, is refused with what to do', () => {
    expect(() => parseTrainingState('')).toThrow('trainer.json: expected JSON, got 0 bytes that are not');
    const newer = formatTrainingState(initialTrainingState).replace('"version":1', '"version":2');
    expect(() => parseTrainingState(newer)).toThrow(
      'Resume with the version of ARPO that wrote the checkpoint',
    );
    const { update: _update, ...others } = initialTrainingState;
    expect(() => parseTrainingState(JSON.stringify({ version: 1, ...others }))).toThrow(
      'expected a training state',
    );
  });
});

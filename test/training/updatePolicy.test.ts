import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AggregationMode } from '#arpo/aggregation';
import { tokenWeights } from '#arpo/aggregation';
import { nodeAdvantages, spreadAdvantages } from '#arpo/nodeAdvantage';
import type { AdvantageAttribution } from '#arpo/nodeAdvantage';
import { policyObjective } from '#arpo/objective';
import type { ObjectiveSequence } from '#arpo/objective';
import { trajectoryTokens } from '#arpo/trajectoryTokens';
import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import type { NamedTensors, PolicyTrainer, TrainingSequence } from '#engine/policy';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import type { LossStatistics } from '#runs/runEvent';
import { scoreGroup, type ScoredGroup } from '#training/scoredGroup';
import { updateOptions } from '#training/trainerOptions';
import { splitEvenly, updatePolicy, type UpdateOptions } from '#training/updatePolicy';
import { endToken, letterConfig, letterPolicy, letterRollouts, never, practisedPolicy } from './letters';

const attributions: readonly AdvantageAttribution[] = ['soft', 'hard', 'step', 'segment'];
const aggregations: readonly AggregationMode[] = [
  'tokenMean',
  'seqMeanTokenMean',
  'seqMeanTokenSum',
  'seqMeanTokenSumNorm',
];

let executor: Executor;
let reference: Executor;
/** Weights that sampled the trees, and weights a little away from them: ratios differ from 1. */
let sampled: NamedTensors;
let moved: NamedTensors;
let groups: readonly ScoredGroup[];
/** In ONNX Runtime, and in the float64 interpreter for differences. */
let policy: LlamaPolicy;
let exact: LlamaPolicy;

beforeAll(async () => {
  executor = await createOnnxExecutor({ intraOpThreads: 1 });
  reference = createReferenceExecutor();
  policy = await practisedPolicy(executor);
  exact = letterPolicy({ executor: reference });
  sampled = policy.exportWeights();
  moved = shifted(sampled, direction(sampled, 5), 0.02);
  const config = letterConfig({
    rollout: {
      temperature: 0.9,
      branching: { preset: 'random', globalRollouts: 5, initialRollouts: 2, randomProbability: 0.5 },
    },
  });
  const rollouts = letterRollouts({ config, policy });
  const requests = Array.from({ length: 3 }, (_, index) => ({ groupIndex: index, taskIndex: index }));
  const job = { update: 1, groups: requests, entropyHistory: [] };
  groups = (await rollouts.rollOut(job, () => undefined, never)).groups.map(scoreGroup);
});
afterAll(async () => {
  await policy.dispose();
  await exact.dispose();
  await executor.dispose();
  await reference.dispose();
});

function direction(weights: NamedTensors, seed: number): NamedTensors {
  const random = createRandom(seed);
  return new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map(() => 2 * random.next() - 1) },
    ]),
  );
}

function shifted(weights: NamedTensors, step: NamedTensors, size: number): NamedTensors {
  return new Map(
    [...weights].map(([name, { shape, data }]) => {
      const by = step.get(name)?.data ?? new Float32Array(0);
      return [name, { shape, data: data.map((value, index) => value + size * by[index]) }];
    }),
  );
}

function dot(left: NamedTensors, right: NamedTensors): number {
  let sum = 0;
  for (const [name, { data }] of left) {
    data.forEach((value, index) => (sum += value * (right.get(name)?.data[index] ?? 0)));
  }
  return sum;
}

interface Choice {
  readonly attribution?: AdvantageAttribution;
  readonly mode?: AggregationMode;
  readonly clip?: number;
}

/** All groups in one mini-batch, and an optimizer whose step is the negative gradient (Adam with a huge ε). */
function optionsFor({ attribution = 'soft', mode = 'tokenMean', clip = 0.2 }: Choice): UpdateOptions {
  const config = letterConfig({
    advantage: { attribution, dropZeroVariance: false },
    objective: { aggregation: mode, constantLength: 64, clipLow: clip, clipHigh: clip, dualClip: 3 },
    rollout: { temperature: 0.9 },
  });
  const epsilon = 1e5;
  const optimizer = {
    beta1: 0,
    beta2: 0,
    epsilon,
    weightDecay: 0,
    maxGradientNorm: null,
    learningRate: epsilon,
  };
  return { ...updateOptions(config, 1, 0), minibatches: 1, epochs: 1, optimizer };
}

/** The specification, put together from the pure parts: loss of the given log-probs. */
function objectiveOf(
  options: UpdateOptions,
  logProbs: readonly Float32Array[],
): ReturnType<typeof policyObjective> {
  const laidOut = groups.flatMap(({ tree, rewards }) => {
    const byNode = nodeAdvantages(tree, rewards, options.advantage);
    return tree.trajectories.map(({ slot }) => {
      const tokens = trajectoryTokens(tree, slot, endToken);
      return { ...tokens, old: tokens.logProbs, advantages: spreadAdvantages(tokens.nodeIds, byNode[slot]) };
    });
  });
  const weights = tokenWeights(
    laidOut.map(({ lossMask }) => lossMask),
    options.aggregation,
  );
  const sequences = laidOut.map(({ old, advantages }, index): ObjectiveSequence => ({
    logProbs: logProbs[index],
    oldLogProbs: old,
    advantages,
    weights: weights[index],
    referenceLogProbs: null,
  }));
  return policyObjective(sequences, options.objective);
}

function paths(): Int32Array[] {
  return groups.flatMap(({ tree }) => tree.trajectories.map(({ lastNodeId }) => tree.pathTokens(lastNodeId)));
}

async function updateOnce(
  own: LlamaPolicy,
  options: UpdateOptions,
): Promise<{ loss: LossStatistics; gradient: NamedTensors }> {
  const before = own.exportWeights();
  const models = { policy: own, trainer: await own.createTrainer(), reference: null };
  const { loss } = await updatePolicy(models, groups, options, never);
  if (loss === null) throw new Error('nothing was trained');
  return { loss, gradient: shifted(before, own.exportWeights(), -1) };
}

test('the trees are trees: branches share prefixes, and rewards differ', () => {
  const branches = groups.flatMap(({ tree }) =>
    tree.trajectories.filter(({ origin }) => origin === 'branch'),
  );
  expect(branches.length).toBeGreaterThan(3);
  expect(groups.every(({ isZeroVariance }) => !isZeroVariance)).toBe(true);
});

describe('the loss of the engine', () => {
  const choices = attributions.flatMap((attribution) => aggregations.map((mode) => ({ attribution, mode })));

  test.each(choices)('is the pure objective, $attribution, $mode', async ({ attribution, mode }) => {
    policy.importWeights(moved);
    const options = optionsFor({ attribution, mode, clip: 0.05 });
    const { logProbs } = await policy.scoreTokens(paths(), options.temperature, never);
    const expected = objectiveOf(options, logProbs);
    const { loss } = await updateOnce(policy, options);
    const tolerance = 1e-5 * Math.max(1, Math.abs(expected.loss));
    expect(Math.abs(loss.loss - expected.loss)).toBeLessThan(tolerance);
    expect(Math.abs(expected.loss)).toBeGreaterThan(1e-4);
    expect(loss.clipFractionLow + loss.clipFractionHigh).toBeGreaterThan(0);
    expect(loss.ratioMean).toBeCloseTo(expected.statistics.meanRatio, 5);
    expect(loss.ratioMax).toBeCloseTo(expected.statistics.maxRatio, 4);
    expect(loss.clipFractionLow).toBeCloseTo(expected.statistics.clipFractionLower, 6);
    expect(loss.clipFractionHigh).toBeCloseTo(expected.statistics.clipFractionUpper, 6);
    expect(loss.approximateKl).toBeCloseTo(expected.statistics.approximateKl3, 5);
  });
});

describe('the gradient of the engine', () => {
  const choices: Choice[] = [
    ...attributions.map((attribution) => ({ attribution, mode: 'tokenMean' as const })),
    ...aggregations.slice(1).map((mode) => ({ attribution: 'soft' as const, mode })),
  ];

  test.each(choices)('is that of finite differences, $attribution, $mode', async (choice) => {
    const options = optionsFor(choice);
    exact.importWeights(moved);
    const { gradient, loss } = await updateOnce(exact, options);
    expect(Math.sqrt(dot(gradient, gradient)) / loss.gradientNorm).toBeCloseTo(1, 3);
    const along = direction(moved, 11);
    const size = 1e-4;
    const lossAt = async (step: number): Promise<number> => {
      exact.importWeights(shifted(moved, along, step));
      const { logProbs } = await exact.scoreTokens(paths(), options.temperature, never);
      return objectiveOf(options, logProbs).loss;
    };
    const difference = ((await lossAt(size)) - (await lossAt(-size))) / (2 * size);
    const slope = dot(gradient, along);
    expect(Math.abs(slope)).toBeGreaterThan(1e-3);
    expect(Math.abs(slope - difference)).toBeLessThan(0.01 * Math.abs(difference) + 2e-3 * loss.gradientNorm);
  });

  test('of soft and hard attribution is the same at ratio 1, and that of steps is not', async () => {
    const gradients = new Map<AdvantageAttribution, NamedTensors>();
    for (const attribution of ['soft', 'hard', 'step'] as const) {
      policy.importWeights(sampled);
      gradients.set(attribution, (await updateOnce(policy, optionsFor({ attribution }))).gradient);
    }
    const [soft, hard, step] = [...gradients.values()];
    const norm = Math.sqrt(dot(soft, soft));
    const distance = (other: NamedTensors): number => {
      const difference = shifted(soft, other, -1);
      return Math.sqrt(dot(difference, difference));
    };
    expect(distance(hard)).toBeLessThan(1e-4 * norm);
    expect(distance(step)).toBeGreaterThan(0.05 * norm);
  });
});

/** Keeps what it is given and moves nothing. */
function recordingTrainer(): PolicyTrainer & { batches: (readonly TrainingSequence[])[]; steps: number } {
  const recorder = {
    batches: [] as (readonly TrainingSequence[])[],
    steps: 0,
    updates: 0,
    accumulate: async (sequences: readonly TrainingSequence[]) => {
      recorder.batches.push(sequences);
      return { loss: 0, logProbs: sequences.map(({ oldLogProbs }) => oldLogProbs), entropies: [] };
    },
    accumulateLikelihood: async () => ({ loss: 0, logProbs: [], entropies: [] }),
    step: async () => {
      recorder.steps += 1;
      return { gradientNorm: recorder.steps };
    },
    exportState: () => ({ updates: 0, firstMoments: new Map(), secondMoments: new Map() }),
    importState: () => undefined,
  };
  return recorder;
}

describe('mini-batches', () => {
  test('hold whole groups, every group once per epoch, in an order of its own', async () => {
    policy.importWeights(sampled);
    const trainer = recordingTrainer();
    const options = { ...optionsFor({}), minibatches: 2, epochs: 3 };
    const result = await updatePolicy({ policy, trainer, reference: null }, groups, options, never);
    expect(trainer.batches.map(({ length }) => length)).toEqual([5, 10, 5, 10, 5, 10]);
    expect(trainer.steps).toBe(6);
    expect(result.loss?.gradientNorm).toBe(6);
    const orders = [0, 1, 2].map((epoch) =>
      trainer.batches
        .slice(2 * epoch, 2 * epoch + 2)
        .flat()
        .filter((_, index) => index % 5 === 0)
        .map(({ tokens }) =>
          groups.findIndex(
            ({ tree }) => tree.pathTokens(tree.trajectory(0).lastNodeId).join() === tokens.join(),
          ),
        ),
    );
    for (const order of orders) expect([...order].sort((left, right) => left - right)).toEqual([0, 1, 2]);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
  });

  test('are split evenly and never empty', () => {
    expect(splitEvenly([1, 2, 3, 4, 5], 2)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect(splitEvenly([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6, 7],
    ]);
    expect(splitEvenly([1, 2], 5)).toEqual([[1], [2]]);
    expect(splitEvenly([], 2)).toEqual([]);
  });

  test('leave out groups with equal rewards, and report them', async () => {
    policy.importWeights(sampled);
    const equal = { ...groups[0], rewards: groups[0].rewards.map(() => 0.5), isZeroVariance: true };
    const trainer = recordingTrainer();
    const options = { ...optionsFor({}), dropZeroVariance: true };
    const models = { policy, trainer, reference: null };
    const some = await updatePolicy(models, [equal, groups[1], groups[2]], options, never);
    expect(some.droppedGroups).toBe(1);
    expect(trainer.batches.map(({ length }) => length)).toEqual([10]);
    const none = await updatePolicy(models, [equal, equal], options, never);
    expect(none).toEqual({ loss: null, trainedTokens: 0, droppedGroups: 2 });
    expect(trainer.steps).toBe(1);
  });
});

describe('log-probs', () => {
  test('of a cut distribution are replaced by those of the policy', async () => {
    policy.importWeights(moved);
    const trainer = recordingTrainer();
    const options = { ...optionsFor({}), isSamplingTruncated: true };
    await updatePolicy({ policy, trainer, reference: null }, groups, options, never);
    const { logProbs } = await policy.scoreTokens([trainer.batches[0][0].tokens], options.temperature, never);
    expect(trainer.batches[0][0].oldLogProbs).toEqual(logProbs[0]);
  });

  test('of the reference are those of its weights', async () => {
    policy.importWeights(sampled);
    const frozen = letterPolicy({ executor });
    frozen.importWeights(moved);
    const trainer = recordingTrainer();
    const options = optionsFor({});
    const withKl = { ...options, objective: { ...options.objective, klCoefficient: 0.1 } };
    const { loss } = await updatePolicy({ policy, trainer, reference: frozen }, groups, withKl, never);
    const { logProbs } = await frozen.scoreTokens([trainer.batches[0][0].tokens], options.temperature, never);
    expect(trainer.batches[0][0].referenceLogProbs).toEqual(logProbs[0]);
    expect(loss?.referenceKl).toBeGreaterThan(0);
    await frozen.dispose();
  });
});

test("AEPO's entropy-aware advantages change trained tokens only, and keep their sign pattern at weight 0", async () => {
  policy.importWeights(sampled);
  const plain = recordingTrainer();
  const weighted = recordingTrainer();
  const options = optionsFor({});
  await updatePolicy({ policy, trainer: plain, reference: null }, [groups[0]], options, never);
  const models = { policy, trainer: weighted, reference: null };
  await updatePolicy(models, [groups[0]], { ...options, entropyWeight: 0.3 }, never);
  let changed = 0;
  for (const [row, sequence] of weighted.batches[0].entries()) {
    for (const [index, weight] of sequence.weights.entries()) {
      const difference = sequence.advantages[index] - plain.batches[0][row].advantages[index];
      if (weight === 0) expect(difference).toBe(0);
      else if (difference !== 0) changed += 1;
    }
  }
  expect(changed).toBeGreaterThan(10);
});

test('an update is stopped between mini-batches by its signal', async () => {
  policy.importWeights(sampled);
  const abort = new AbortController();
  const trainer = recordingTrainer();
  const stopping = {
    ...trainer,
    step: async () => {
      abort.abort(new Error('enough'));
      return { gradientNorm: 1 };
    },
  };
  const options = { ...optionsFor({}), minibatches: 3 };
  const update = updatePolicy({ policy, trainer: stopping, reference: null }, groups, options, abort.signal);
  await expect(update).rejects.toThrow('enough');
  expect(trainer.batches).toHaveLength(1);
});

import { describe, expect, test } from 'vitest';
import { policyObjective } from '#arpo/objective';
import { createRandom } from '#base/random';
import { EngineError } from '#engine/engineError';
import { openEngine } from '#engine/engines';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type {
  NamedTensors,
  ObjectiveOptions,
  OptimizerOptions,
  PolicyTrainer,
  TrainingSequence,
} from '#engine/policy';
import { smallPolicy } from './smallPolicy';

const never = new AbortController().signal;
const objective: ObjectiveOptions & { temperature: number } = {
  clipLow: 0.2,
  clipHigh: 0.3,
  dualClip: 3,
  klCoefficient: 0.1,
  gradientRule: 'ppo',
  temperature: 0.8,
};
const adam: OptimizerOptions = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradientNorm: 0.5,
};
/** Adam that only leaves the direction: the first moment after one step is (1 − beta1) · gradient. */
const readGradient: OptimizerOptions = { ...adam, learningRate: 0, weightDecay: 0, maxGradientNorm: null };

const lengths = [7, 2, 12, 1, 5, 12, 9];

/** Random sequences with old log-probs near the current ones, so that some ratios are clipped. */
async function randomSequences(policy: LlamaPolicy): Promise<TrainingSequence[]> {
  const random = createRandom(21);
  const tokens = lengths.map((length) => Int32Array.from({ length }, () => Math.floor(random.next() * 11)));
  const { logProbs } = await policy.scoreTokens(tokens, objective.temperature, never);
  return tokens.map((row, index) => ({
    tokens: row,
    weights: Float32Array.from(row, (_, at) => (at === 0 || random.next() < 0.3 ? 0 : random.next())),
    advantages: Float32Array.from(row, () => 4 * random.next() - 2),
    oldLogProbs: logProbs[index].map((logProb) => logProb + 1.6 * random.next() - 0.8),
    referenceLogProbs: logProbs[index].map((logProb) => logProb + random.next() - 0.5),
  }));
}

async function firstMoments(trainer: PolicyTrainer): Promise<NamedTensors> {
  await trainer.step(readGradient);
  return trainer.exportState().firstMoments;
}

function largestDifference(first: NamedTensors, second: NamedTensors): number {
  let largest = 0;
  for (const [name, { data }] of first) {
    const other = second.get(name)?.data;
    if (other === undefined) throw new Error(`no ${name}`);
    for (const [index, value] of data.entries()) largest = Math.max(largest, Math.abs(value - other[index]));
  }
  return largest;
}

function largest(tensors: NamedTensors): number {
  return largestDifference(
    tensors,
    new Map(
      [...tensors].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
    ),
  );
}

describe.each(['reference', 'onnx'] as const)('the loss (%s)', (engine) => {
  test.each([
    ['clipped', {}],
    ['without dual clip', { dualClip: null }],
    ['without reference policy', { klCoefficient: 0 }],
    ['of AEPO', { gradientRule: 'aepo' as const }],
  ])('equals the plain-number objective: %s', async (_, change) => {
    const executor = await openEngine(engine, { threads: 1 });
    const policy = smallPolicy({ executor });
    const trainer = await policy.createTrainer();
    const options = { ...objective, ...change };
    const sequences = (await randomSequences(policy)).map((sequence) =>
      options.klCoefficient === 0 ? { ...sequence, referenceLogProbs: null } : sequence,
    );
    const report = await trainer.accumulate(sequences, options, never);
    const expected = policyObjective(
      sequences.map((sequence, index) => ({ ...sequence, logProbs: report.logProbs[index] })),
      options,
    );
    expect(Math.abs(expected.loss)).toBeGreaterThan(0.1);
    expect(Math.abs(report.loss - expected.loss)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected.loss)));
    const scored = await policy.scoreTokens(
      sequences.map(({ tokens }) => tokens),
      options.temperature,
      never,
    );
    expect(report.logProbs.map(({ length }) => length)).toEqual(lengths);
    expect(report.entropies.map(([first]) => first)).toEqual(lengths.map(() => 0));
    for (const index of lengths.keys()) {
      expect(report.logProbs[index]).toEqual(scored.logProbs[index]);
      expect(report.entropies[index]).toEqual(scored.entropies[index]);
    }
    await policy.dispose();
    await executor.dispose();
  });
});

describe('the gradient', () => {
  test('is that of the plain-number objective: a small step changes the loss as it says', async () => {
    const policy = smallPolicy();
    const trainer = await policy.createTrainer();
    const sequences = await randomSequences(policy);
    await trainer.accumulate(sequences, objective, never);
    const gradient = new Map(
      [...(await firstMoments(trainer))].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((value) => value * 10) },
      ]),
    );
    const squaredNorm = [...gradient.values()].reduce(
      (sum, { data }) => sum + data.reduce((s, g) => s + g * g, 0),
      0,
    );
    const weights = policy.exportWeights();
    const lossAt = async (step: number): Promise<number> => {
      const moved = new Map(
        [...weights].map(([name, { shape, data }]) => {
          const direction = gradient.get(name)?.data ?? new Float32Array(0);
          return [name, { shape, data: data.map((value, index) => value + step * direction[index]) }];
        }),
      );
      policy.importWeights(moved);
      const { logProbs } = await policy.scoreTokens(
        sequences.map(({ tokens }) => tokens),
        objective.temperature,
        never,
      );
      return policyObjective(
        sequences.map((sequence, index) => ({ ...sequence, logProbs: logProbs[index] })),
        objective,
      ).loss;
    };
    const step = 1e-3 / Math.sqrt(squaredNorm);
    const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    expect(slope / squaredNorm).toBeCloseTo(1, 2);
  });

  test('accumulates over micro-batches and calls as over one batch', async () => {
    const whole = smallPolicy();
    const sequences = await randomSequences(whole);
    const one = await whole.createTrainer();
    const expected = await one.accumulate(sequences, objective, never);
    const small = smallPolicy({ microBatchTokens: 12 });
    const many = await small.createTrainer();
    const first = await many.accumulate(sequences.slice(0, 3), objective, never);
    const second = await many.accumulate(sequences.slice(3), objective, never);
    expect(first.loss + second.loss).toBeCloseTo(expected.loss, 5);
    expect([...first.logProbs, ...second.logProbs]).toEqual(expected.logProbs);
    const moments = await firstMoments(one);
    expect(largest(moments)).toBeGreaterThan(0.01);
    expect(largestDifference(moments, await firstMoments(many))).toBeLessThan(1e-6);
  });

  test('of demonstrations is that of the log-likelihood', async () => {
    const policy = smallPolicy();
    const trainer = await policy.createTrainer();
    const sequences = await randomSequences(policy);
    const { loss, logProbs } = await trainer.accumulateLikelihood(sequences, never);
    let expected = 0;
    for (const [index, { weights }] of sequences.entries()) {
      for (const [at, weight] of weights.entries()) expected -= weight * logProbs[index][at];
    }
    expect(loss).toBeCloseTo(expected, 4);
    const before = loss;
    for (let update = 0; update < 20; update += 1) {
      await trainer.step({ ...adam, weightDecay: 0 });
      await trainer.accumulateLikelihood(sequences, never);
    }
    expect((await trainer.accumulateLikelihood(sequences, never)).loss).toBeLessThan(0.7 * before);
  });
});

describe('an update', () => {
  /** AdamW in plain numbers, float64 (arXiv:1711.05101, as in PyTorch). */
  function adamW(
    state: { weight: number; first: number; second: number },
    gradient: number,
    update: number,
  ): void {
    state.weight -= adam.learningRate * adam.weightDecay * state.weight;
    state.first = adam.beta1 * state.first + (1 - adam.beta1) * gradient;
    state.second = adam.beta2 * state.second + (1 - adam.beta2) * gradient ** 2;
    const first = state.first / (1 - adam.beta1 ** update);
    const second = state.second / (1 - adam.beta2 ** update);
    state.weight -= (adam.learningRate * first) / (Math.sqrt(second) + adam.epsilon);
  }

  test.each(['reference', 'onnx'] as const)(
    'is AdamW with a clipped gradient, three times (%s)',
    async (engine) => {
      const executor = await openEngine(engine, { threads: 1 });
      const policy = smallPolicy({ executor });
      const trainer = await policy.createTrainer();
      const sequences = await randomSequences(policy);
      const states = new Map(
        [...policy.exportWeights()].map(([name, { data }]) => [
          name,
          Array.from(data, (weight) => ({ weight, first: 0, second: 0 })),
        ]),
      );
      for (let update = 1; update <= 3; update += 1) {
        const probe = await policy.createTrainer();
        await probe.accumulate(sequences, objective, never);
        const gradients = await firstMoments(probe);
        let norm = 0;
        for (const { data } of gradients.values()) for (const moment of data) norm += (10 * moment) ** 2;
        norm = Math.sqrt(norm);
        expect(norm).toBeGreaterThan(0.5);
        await trainer.accumulate(sequences, objective, never);
        const { gradientNorm } = await trainer.step(adam);
        expect(gradientNorm / norm).toBeCloseTo(1, 5);
        const scale = 0.5 / (norm + 1e-6);
        for (const [name, numbers] of states) {
          const moments = gradients.get(name)?.data ?? new Float32Array(0);
          numbers.forEach((state, index) => adamW(state, 10 * moments[index] * scale, update));
        }
      }
      expect(trainer.updates).toBe(3);
      for (const [name, { data }] of policy.exportWeights()) {
        const numbers = states.get(name) ?? [];
        for (const [index, value] of data.entries())
          expect(Math.abs(value - numbers[index].weight)).toBeLessThan(1e-5);
      }
      await policy.dispose();
      await executor.dispose();
    },
  );

  test('leaves earlier snapshots as they were', async () => {
    const policy = smallPolicy();
    const trainer = await policy.createTrainer();
    const snapshot = policy.exportWeights();
    const copy = new Map(
      [...snapshot].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    );
    const state = trainer.exportState();
    await trainer.accumulate(await randomSequences(policy), objective, never);
    await trainer.step(adam);
    expect(largestDifference(snapshot, copy)).toBe(0);
    expect(largestDifference(snapshot, policy.exportWeights())).toBeGreaterThan(1e-3);
    expect([state.updates, largest(state.firstMoments)]).toEqual([0, 0]);
  });

  test('goes on where an exported state left off', async () => {
    const [first, second] = [smallPolicy(), smallPolicy()];
    const sequences = await randomSequences(first);
    const trainer = await first.createTrainer();
    await trainer.accumulate(sequences, objective, never);
    await trainer.step(adam);
    second.importWeights(first.exportWeights());
    const resumed = await second.createTrainer();
    resumed.importState(trainer.exportState());
    for (const one of [trainer, resumed]) {
      await one.accumulate(sequences, objective, never);
      await one.step(adam);
    }
    expect(resumed.updates).toBe(2);
    expect(largestDifference(first.exportWeights(), second.exportWeights())).toBe(0);
  });
});

describe('failures', () => {
  async function codeOf(run: Promise<unknown>): Promise<string> {
    const error: unknown = await run.catch((reason: unknown) => reason);
    return error instanceof EngineError ? error.code : String(error);
  }

  test('a loss or gradient that is not finite leaves weights and moments as they were', async () => {
    const executor = await openEngine('onnx', { threads: 1 });
    const policy = smallPolicy({ executor });
    const trainer = await policy.createTrainer();
    const sequences = await randomSequences(policy);
    const weights = policy.exportWeights();
    await trainer.accumulate(sequences, objective, never);
    const infinite = sequences.map((sequence) => ({
      ...sequence,
      advantages: sequence.advantages.map(() => Infinity),
    }));
    expect(await codeOf(trainer.accumulate(infinite, objective, never))).toBe('notFinite');
    // The loss is finite, but the squares of the gradient are not in float32.
    const huge = sequences.map((sequence) => ({
      ...sequence,
      weights: sequence.weights.map((weight) => weight * 1e30),
    }));
    await trainer.accumulate(huge, objective, never);
    expect(await codeOf(trainer.step(adam))).toBe('notFinite');
    expect([trainer.updates, largestDifference(weights, policy.exportWeights())]).toEqual([0, 0]);
    expect(largest(trainer.exportState().firstMoments)).toBe(0);
    await expect(trainer.step(adam)).rejects.toThrow('no gradients');
    await policy.dispose();
    await executor.dispose();
  });

  test('a call that fails or is aborted adds nothing to what was accumulated', async () => {
    const policy = smallPolicy({ microBatchTokens: 12 });
    const [disturbed, calm] = [await policy.createTrainer(), await policy.createTrainer()];
    const sequences = await randomSequences(policy);
    for (const trainer of [disturbed, calm]) await trainer.accumulate(sequences, objective, never);
    const abort = new AbortController();
    const run = disturbed.accumulate(sequences, objective, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(run).rejects.toThrow('stopped');
    expect(largestDifference(await firstMoments(disturbed), await firstMoments(calm))).toBe(0);
  });

  test('wrong input is named', async () => {
    const policy = smallPolicy();
    const trainer = await policy.createTrainer();
    const [sequence] = await randomSequences(policy);
    const short = { ...sequence, advantages: new Float32Array(3) };
    await expect(trainer.accumulate([sequence, short], objective, never)).rejects.toThrow(
      'Sequence 1 has 7 tokens, but 3 advantages',
    );
    const noReference = { ...sequence, referenceLogProbs: null };
    await expect(trainer.accumulate([noReference], objective, never)).rejects.toThrow('referenceLogProbs');
    const long = [new Int32Array(49)];
    expect(await codeOf(policy.scoreTokens(long, 1, never))).toBe('contextOverflow');
    await expect(trainer.step(adam)).rejects.toThrow(RangeError);
  });
});

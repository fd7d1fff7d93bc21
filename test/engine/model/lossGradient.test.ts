import { describe, expect, test } from 'vitest';
import type { Graph } from '#engine/graph/graph';
import type { Value } from '#engine/graph/operationRule';
import { buildLossGraph, type LossKind } from '#engine/model/lossGraph';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';
import { evaluateOutput, largestError, numericalGradient } from '../graph/finiteDifferences';
import { floats, policyInputs, scalar, tinyConfig, variants, type Inputs } from './tinyModel';

const SIZE = [2, 3] as const;

function widen(inputs: Inputs): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]),
  );
}

function checkModel(config: LlamaConfig, kind: LossKind, changes: Inputs = {}): void {
  const graph = buildLossGraph(config, kind);
  const all = { ...policyInputs(config, SIZE, 7), ...changes };
  const inputs = widen(Object.fromEntries([...graph.inputs.keys()].map((name) => [name, all[name]])));
  for (const name of weightShapes(config).keys()) {
    const actual = evaluateOutput(graph, inputs, `gradient.${name}`);
    expect(
      actual.data.some((x) => Math.abs(x) > 1e-4),
      `${name} has a gradient`,
    ).toBe(true);
    expect(largestError(actual.data, numericalGradient(graph, inputs, name)), name).toBeLessThan(1e-6);
  }
}

/** What one token's log-prob would have to be for its ratio to be the given one. */
function logProbsOf(graph: Graph, inputs: Inputs): Float64Array {
  return evaluateOutput(graph, widen(inputs), 'logProbs').data;
}

describe('the gradient of the whole model is that of finite differences', () => {
  for (const [name, config] of Object.entries(variants)) {
    test(`policy: ${name}`, () => checkModel(config, 'policy'));
    test(`likelihood: ${name}`, () => checkModel(config, 'likelihood'));
  }
  test('policy without dual clip, KL or clipping in reach', () => {
    checkModel(tinyConfig, 'policy', {
      dualClip: scalar(1e9),
      klCoefficient: scalar(0),
      clipHigh: scalar(50),
    });
  });
  test('policy at temperature 0.7', () => checkModel(tinyConfig, 'policy', { temperature: scalar(0.7) }));
});

describe('every branch of the policy objective', () => {
  const graph = buildLossGraph(tinyConfig, 'policy');
  const base = policyInputs(tinyConfig, [1, 1], 3);
  const current = logProbsOf(graph, base)[0];

  /** Loss of one token and d loss / d log-prob, read off the gradient of the last bias-free layer. */
  function tokenLoss(ratio: number, advantage: number, changes: Inputs = {}) {
    const inputs = widen({
      ...base,
      weights: floats([1, 1], [1]),
      advantages: floats([1, 1], [advantage]),
      klCoefficient: scalar(0),
      ...changes,
    });
    inputs['oldLogProbs'] = { shape: [1, 1], data: Float64Array.of(current - Math.log(ratio)) };
    const name = 'gradient.lm_head.weight';
    const likelihood = evaluateOutput(buildLossGraph(tinyConfig, 'likelihood'), inputs, name).data;
    const policy = evaluateOutput(graph, inputs, name).data;
    const largest = likelihood.reduce(
      (best, x, index) => (Math.abs(x) > Math.abs(likelihood[best]) ? index : best),
      0,
    );
    return {
      loss: evaluateOutput(graph, inputs, 'loss').data[0],
      slope: -policy[largest] / likelihood[largest],
    };
  }

  test.each([
    // ratio, advantage, loss, d loss / d logp; clip range [0.8, 1.3], c = 3 (float32 inputs: 1e-6)
    ['on policy', 1, 2, -2, -2],
    ['inside the range', 1.2, 1, -1.2, -1.2],
    ['clipped above, A > 0', 1.5, 2, -2.6, 0],
    ['not clipped below, A > 0', 0.5, 2, -1, -1],
    ['clipped below, A < 0', 0.5, -2, 1.6, 0],
    ['not clipped above, A < 0', 2, -1, 2, 2],
    ['dual clip, A < 0', 4, -1, 3, 0],
    ['no advantage', 2, 0, 0, 0],
  ])('%s', (...[, ratio, advantage, loss, slope]) => {
    const actual = tokenLoss(ratio, advantage);
    expect(actual.loss).toBeCloseTo(loss, 6);
    expect(actual.slope).toBeCloseTo(slope, 6);
  });

  test.each([
    // arXiv:2510.14545 as in the released code: value 1 + ε_h, coefficient 1 + ε_h instead of 0
    ['clipped above, A > 0', 1.5, 2, -2.6, -2.6],
    ['inside the range', 1.2, 1, -1.2, -1.2],
    ['clipped below, A < 0', 0.5, -2, 1.6, 0],
    ['not clipped above, A < 0', 2, -1, 2, 2],
    ['dual clip, A < 0', 4, -1, 3, 0],
  ])('AEPO: %s', (...[, ratio, advantage, loss, slope]) => {
    const actual = tokenLoss(ratio, advantage, { aepo: scalar(1) });
    expect(actual.loss).toBeCloseTo(loss, 6);
    expect(actual.slope).toBeCloseTo(slope, 6);
  });

  test('without dual clip a negative advantage is unbounded', () => {
    expect(tokenLoss(4, -1, { dualClip: scalar(1e9) }).loss).toBeCloseTo(4, 6);
  });

  test('k3: coefficient · (e^d − d − 1) with d = ref − logp', () => {
    for (const d of [-0.2, 0.2, 2]) {
      const reference = floats([1, 1], [current + d]);
      const actual = tokenLoss(1, 0, { klCoefficient: scalar(0.5), referenceLogProbs: reference });
      expect(actual.loss).toBeCloseTo(0.5 * (Math.exp(d) - d - 1), 5);
      expect(actual.slope).toBeCloseTo(0.5 * (1 - Math.exp(d)), 5);
    }
  });

  test('k3: at most 10 nats, where it has no slope', () => {
    for (const d of [-30, 3, 200]) {
      const reference = floats([1, 1], [current + d]);
      const actual = tokenLoss(1, 0, { klCoefficient: scalar(1), referenceLogProbs: reference });
      expect(actual.loss).toBeCloseTo(10, 6);
      expect(actual.slope).toBeCloseTo(0, 9);
    }
  });
});

describe('weights and accumulation', () => {
  test('a token of weight 0 contributes nothing, whatever its numbers', () => {
    const graph = buildLossGraph(tinyConfig, 'policy');
    const base = { ...policyInputs(tinyConfig, [1, 3], 11), weights: floats([1, 3], [0.5, 0, 1]) };
    const wild = { oldLogProbs: [-2, -1e4, -2], referenceLogProbs: [-2, 1e4, -2], advantages: [1, 1e9, -1] };
    const tame = { oldLogProbs: [-2, -2, -2], referenceLogProbs: [-2, -2, -2], advantages: [1, 0, -1] };
    const run = (values: Record<string, number[]>) => {
      const inputs = Object.fromEntries(
        Object.entries(values).map(([name, data]) => [name, floats([1, 3], data)]),
      );
      const name = 'gradient.model.embed_tokens.weight';
      return evaluateOutput(graph, widen({ ...base, ...inputs }), name).data;
    };
    expect([...run(wild)]).toEqual([...run(tame)]);
    expect(run(wild).some((x) => x !== 0)).toBe(true);
  });

  test('gradients are added to what was accumulated', () => {
    const graph = buildLossGraph(tinyConfig, 'policy');
    const base = policyInputs(tinyConfig, SIZE, 13);
    const name = 'gradient.model.layers.1.mlp.up_proj.weight';
    const alone = evaluateOutput(graph, widen(base), name);
    const before = floats(
      alone.shape,
      Array.from(alone.data, (_, index) => index),
    );
    const sum = evaluateOutput(graph, widen({ ...base, [name]: before }), name);
    expect(
      largestError(
        sum.data,
        alone.data.map((x, index) => x + index),
      ),
    ).toBeLessThan(1e-12);
  });
});

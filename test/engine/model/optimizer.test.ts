import { describe, expect, test } from 'vitest';
import type { HostTensor } from '#engine/executor';
import { buildOptimizerGraph } from '#engine/model/optimizerGraph';
import { weightShapes } from '#engine/model/llamaWeights';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { floats, randomWeights, scalar, tinyConfig, type Inputs } from './tinyModel';

const config = { ...tinyConfig, num_hidden_layers: 1 };
const settings = {
  learningRate: scalar(0.01),
  beta1: scalar(0.9),
  beta2: scalar(0.99),
  epsilon: scalar(1e-8),
  weightDecay: scalar(0.1),
  maxGradientNorm: scalar(1e9),
};

function prefixed(prefix: string, tensors: Inputs): Inputs {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
}

function filled(value: number): Inputs {
  return Object.fromEntries(
    [...weightShapes(config)].map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, floats(shape, new Float32Array(count).fill(value))];
    }),
  );
}

async function update(inputs: Inputs): Promise<Record<string, HostTensor>> {
  const executable = await createReferenceExecutor().compile(buildOptimizerGraph(config));
  return executable.run({ ...settings, ...inputs });
}

describe('AdamW', () => {
  test('two updates follow the published rule', async () => {
    const name = 'model.layers.0.self_attn.q_proj.weight';
    let [weight, first, second] = [0.5, 0, 0];
    let state: Inputs = {
      ...filled(weight),
      ...prefixed('firstMoment', filled(0)),
      ...prefixed('secondMoment', filled(0)),
    };
    for (const [index, gradient] of [0.3, -0.2].entries()) {
      const corrections = [1 - 0.9 ** (index + 1), 1 - 0.99 ** (index + 1)];
      // torch.optim.AdamW: decay, moments, bias correction, move.
      weight *= 1 - 0.01 * 0.1;
      first = 0.9 * first + 0.1 * gradient;
      second = 0.99 * second + 0.01 * gradient ** 2;
      weight -= (0.01 * (first / corrections[0])) / (Math.sqrt(second / corrections[1]) + 1e-8);
      const outputs = await update({
        ...state,
        ...prefixed('gradient', filled(gradient)),
        biasCorrection1: scalar(corrections[0]),
        biasCorrection2: scalar(corrections[1]),
      });
      expect(outputs[`next.${name}`].data[0]).toBeCloseTo(weight, 6);
      expect(outputs[`next.firstMoment.${name}`].data[0]).toBeCloseTo(first, 6);
      expect(outputs[`next.secondMoment.${name}`].data[0]).toBeCloseTo(second, 7);
      state = Object.fromEntries(
        Object.entries(outputs)
          .filter(([output]) => output.startsWith('next.'))
          .map(([output, tensor]) => [output.slice('next.'.length), tensor]),
      );
    }
  });

  test('gradients are scaled down to the largest norm and not up', async () => {
    const gradients = randomWeights(config, 3);
    const squares = Object.values(gradients).flatMap(({ data }) => Array.from(data, (x) => x * x));
    const norm = Math.sqrt(squares.reduce((sum, x) => sum + x, 0));
    const inputs = {
      ...filled(0),
      ...prefixed('gradient', gradients),
      ...prefixed('firstMoment', filled(0)),
      ...prefixed('secondMoment', filled(0)),
      biasCorrection1: scalar(0.1),
      biasCorrection2: scalar(0.01),
    };
    const name = 'lm_head.weight';
    for (const [limit, factor] of [
      [norm / 4, 0.25],
      [norm * 4, 1],
    ]) {
      const outputs = await update({ ...inputs, maxGradientNorm: scalar(limit) });
      expect(outputs['gradientNorm'].data[0]).toBeCloseTo(norm, 4);
      const expected = 0.1 * factor * gradients[name].data[5];
      expect(outputs[`next.firstMoment.${name}`].data[5]).toBeCloseTo(expected, 6);
    }
  });
});

import { describe, expect, test } from 'vitest';
import type { Executor, HostTensor } from '#engine/executor';
import type { Graph, GraphNode } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import { buildDecodeGraph } from '#engine/model/decodeGraph';
import { buildLossGraph } from '#engine/model/lossGraph';
import { buildOptimizerGraph } from '#engine/model/optimizerGraph';
import { buildScoreGraph } from '#engine/model/scoreGraph';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { largestError } from '../graph/finiteDifferences';
import { appendToCache, decodeInputs, emptyCache } from '../model/decodeSteps';
import {
  floats,
  integers,
  policyInputs,
  randomWeights,
  scalar,
  scoreInputs,
  tinyConfig,
  uniform,
  variants,
  type Inputs,
} from '../model/tinyModel';

const reference = createReferenceExecutor();
const onnx = await createOnnxExecutor({ intraOpThreads: 1 });

async function runOn(executor: Executor, graph: Graph, inputs: Inputs): Promise<Record<string, HostTensor>> {
  const executable = await executor.compile(graph);
  const outputs = await executable.run(inputs);
  await executable.dispose();
  return outputs;
}

/** Both executors, all outputs, relative to the larger of 1 and the value. */
async function compare(graph: Graph, inputs: Inputs): Promise<void> {
  const expected = await runOn(reference, graph, inputs);
  const actual = await runOn(onnx, graph, inputs);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { shape, type, data }] of Object.entries(expected)) {
    expect({ name, shape: actual[name].shape, type: actual[name].type }).toEqual({ name, shape, type });
    expect(largestError(actual[name].data, data), name).toBeLessThan(1e-5);
  }
}

describe('the onnx engine agrees with the reference', () => {
  for (const [name, config] of Object.entries(variants)) {
    // Weights of half the size of the gradient tests': float32 has to follow float64 to 1e-5.
    const mild = randomWeights(config, 51, 0.4);
    test(`policy loss, gradients, log-probs and entropies: ${name}`, async () => {
      await compare(buildLossGraph(config, 'policy'), { ...policyInputs(config, [3, 5], 51), ...mild });
    });
    test(`likelihood and scores: ${name}`, async () => {
      const inputs = { ...policyInputs(config, [2, 4], 61), ...mild, temperature: scalar(0.8) };
      await compare(buildLossGraph(config, 'likelihood'), inputs);
      await compare(buildScoreGraph(config), inputs);
    });
    test(`decoding from an empty cache and from a filled one: ${name}`, async () => {
      const whole = { ...scoreInputs(config, [2, 4], 71), ...mild };
      const graph = buildDecodeGraph(config);
      const cache = emptyCache(config, 2);
      const prefill = decodeInputs(config, { whole, cache, start: 0, end: 3 });
      await compare(graph, prefill);
      appendToCache(config, cache, await runOn(reference, graph, prefill));
      await compare(graph, decodeInputs(config, { whole, cache, start: 3, end: 4 }));
    });
  }

  test('one session serves many sizes', async () => {
    const graph = buildScoreGraph(tinyConfig);
    const executable = await onnx.compile(graph);
    for (const size of [
      [1, 1],
      [4, 2],
      [1, 9],
      [4, 2],
    ] as const) {
      const inputs = scoreInputs(tinyConfig, size, 81);
      const expected = await runOn(reference, graph, inputs);
      const actual = await executable.run(inputs);
      expect(actual['logProbs'].shape).toEqual([...size]);
      expect(largestError(actual['logProbs'].data, expected['logProbs'].data)).toBeLessThan(1e-4);
    }
    await executable.dispose();
  });

  test('AdamW', async () => {
    const config = { ...tinyConfig, num_hidden_layers: 1 };
    const prefixed = (prefix: string, tensors: Inputs) =>
      Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
    const positive = Object.entries(randomWeights(config, 93)).map(([name, { shape, data }]) => [
      `secondMoment.${name}`,
      floats(
        shape,
        data.map((x) => x * x),
      ),
    ]);
    await compare(buildOptimizerGraph(config), {
      ...randomWeights(config, 91),
      ...prefixed('gradient', randomWeights(config, 92)),
      ...prefixed('firstMoment', randomWeights(config, 94)),
      ...Object.fromEntries(positive),
      learningRate: scalar(1e-2),
      beta1: scalar(0.9),
      beta2: scalar(0.95),
      epsilon: scalar(1e-8),
      weightDecay: scalar(0.01),
      biasCorrection1: scalar(0.1),
      biasCorrection2: scalar(0.05),
      maxGradientNorm: scalar(1),
    });
  });
});

describe('operations that the model does not use', () => {
  const x = floats([2, 3, 4], uniform(24, 5, [0.5, 2]));
  const y = floats([3, 1], uniform(3, 6, [0.5, 2]));
  const ids = integers([2, 3], [4, 0, 4, 2, 1, 0]);
  type Build = (b: GraphBuilder, inputs: { x: GraphNode; y: GraphNode; ids: GraphNode }) => GraphNode;
  const cases: Readonly<Record<string, Build>> = {
    'log, tanh, squareRoot': (b, { x }) => b.squareRoot(b.add(b.log(x), b.scale(b.tanh(x), 3))),
    'reduceMax, reduceMean': (b, { x }) => b.subtract(b.reduceMax(x, [1]), b.reduceMean(x, [1])),
    'reduction of no axes': (b, { x }) => b.reduceSum(x, []),
    'comparison as a bool output': (b, { x, y }) => b.greater(x, y),
    'cast of a comparison': (b, { x, y }) => b.cast(b.equal(x, b.maximum(x, y)), 'float32'),
    scatterAddRows: (b, { x, ids }) => b.scatterAddRows(ids, x, 6),
    'scatterAddRows of symbolic width': (b, { x, ids }) => b.scatterAddRows(ids, b.slice(x, 2, 0, 4), 'rows'),
    broadcastTo: (b, { y }) => b.broadcastTo(y, ['batch', 3, 2]),
    'reshape that ONNX cannot say': (b, { x }) => b.reshape(b.reshape(x, ['12*batch']), [3, 'batch', 4]),
    'batched matmul with both transposes': (b, { x, y }) =>
      b.matmul(b.multiply(x, y), x, { transposeA: true }),
    oneHot: (b, { ids }) => b.oneHot(ids, 5),
    constant: (b, { x }) => b.add(x, b.constant('float32', [4], [1, 2, 3, 4])),
  };
  for (const [name, build] of Object.entries(cases)) {
    test(name, async () => {
      const builder = new GraphBuilder();
      builder.input('table', 'float32', ['rows', 1]);
      const nodes = {
        x: builder.input('x', 'float32', ['batch', 3, 4]),
        y: builder.input('y', 'float32', [3, 1]),
        ids: builder.input('ids', 'int32', ['batch', 3]),
      };
      const graph = builder.finish('case', { result: build(builder, nodes) });
      await compare(graph, { x, y, ids, table: floats([6, 1], new Float32Array(6)) });
    });
  }
});

test('inputs that do not fit are refused before they reach the native library', async () => {
  const executable = await onnx.compile(buildScoreGraph(tinyConfig));
  const { temperature: _, ...inputs } = scoreInputs(tinyConfig, [1, 2], 1);
  await expect(executable.run(inputs)).rejects.toThrow('input "temperature" is missing');
  await executable.dispose();
});

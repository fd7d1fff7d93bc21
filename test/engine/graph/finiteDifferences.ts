import { evaluateDimension, isName } from '#engine/graph/dimension';
import { gradients } from '#engine/graph/gradients';
import type { Graph, GraphNode } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import type { Value } from '#engine/graph/operationRule';
import { interpret } from '#engine/reference/referenceExecutor';
import { createRandom } from '#base/random';
import { expect } from 'vitest';

/** Uniform numbers in [−1, 1) by default. */
export function randomValue(
  shape: readonly number[],
  seed: number,
  { low = -1, high = 1 }: { low?: number; high?: number } = {},
): Value {
  const random = createRandom(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float64Array.from({ length: count }, () => low + (high - low) * random.next()) };
}

/** Sizes of the symbolic dimensions, read off the inputs' values. */
export function sizesOf(graph: Graph, inputs: Readonly<Record<string, Value>>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [name, node] of graph.inputs) {
    if (inputs[name] === undefined) continue;
    node.shape.forEach((dimension, axis) => {
      if (isName(dimension)) sizes.set(dimension, inputs[name].shape[axis]);
    });
  }
  return sizes;
}

/** The part of a graph that one output depends on. */
function restrictTo(graph: Graph, name: string): Graph {
  const output = graph.outputs.get(name);
  if (output === undefined) throw new Error(`no output ${name}`);
  const needed = new Set([output.id]);
  for (const node of graph.nodes.toReversed()) {
    if (needed.has(node.id)) for (const input of node.inputs) needed.add(input.id);
  }
  const nodes = graph.nodes.filter(({ id }) => needed.has(id));
  return { ...graph, nodes, outputs: new Map([[name, output]]) };
}

/** One output of a graph in float64. */
export function evaluateOutput(graph: Graph, inputs: Readonly<Record<string, Value>>, name: string): Value {
  const output = interpret(restrictTo(graph, name), inputs, sizesOf(graph, inputs)).get(name);
  if (output === undefined) throw new Error(`no output ${name}`);
  return output.value;
}

/** Central differences of the output `loss` with respect to one input. */
export function numericalGradient(
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  name: string,
): Float64Array {
  const step = 1e-5;
  const { shape, data } = inputs[name];
  const lossGraph = restrictTo(graph, 'loss');
  const lossWith = (index: number, change: number): number => {
    const moved = data.slice();
    moved[index] += change;
    return evaluateOutput(lossGraph, { ...inputs, [name]: { shape, data: moved } }, 'loss').data[0];
  };
  return data.map((_, index) => (lossWith(index, step) - lossWith(index, -step)) / (2 * step));
}

/** Largest |actual − expected| / max(1, |expected|). */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let index = 0; index < expected.length; index += 1) {
    const error = Math.abs(actual[index] - expected[index]) / Math.max(1, Math.abs(expected[index]));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/**
 * Checks the gradient rules of an expression: its sum with random weights is differentiated by graph and
 * by finite differences, with respect to every float32 input.
 */
export function checkGradients(
  build: (builder: GraphBuilder, inputs: Readonly<Record<string, GraphNode>>) => GraphNode,
  values: Readonly<Record<string, Value>>,
  options: {
    readonly symbolic?: Readonly<Record<string, readonly (string | number)[]>>;
    readonly integers?: readonly string[];
  } = {},
): void {
  const builder = new GraphBuilder();
  const nodes: Record<string, GraphNode> = {};
  for (const [name, { shape }] of Object.entries(values)) {
    const type = options.integers?.includes(name) ? 'int32' : 'float32';
    nodes[name] = builder.input(name, type, options.symbolic?.[name] ?? shape);
  }
  const result = build(builder, nodes);
  const weights = builder.input('lossWeights', 'float32', result.shape);
  const loss = builder.reduceSum(builder.multiply(result, weights), [...result.shape.keys()]);
  const names = Object.keys(values).filter((name) => !options.integers?.includes(name));
  const derived = gradients(
    builder,
    loss,
    names.map((name) => nodes[name]),
  );
  const outputs = Object.fromEntries(names.map((name, index) => [`gradient.${name}`, derived[index]]));
  const graph = builder.finish('check', { loss, ...outputs });
  const sizes = sizesOf(graph, values);
  const size = result.shape.map((dimension) => evaluateDimension(dimension, sizes));
  const all: Readonly<Record<string, Value>> = { ...values, lossWeights: randomValue(size, 99) };
  for (const name of names) {
    const actual = evaluateOutput(graph, all, `gradient.${name}`);
    expect(actual.shape).toEqual(all[name].shape);
    expect(largestError(actual.data, numericalGradient(graph, all, name)), name).toBeLessThan(1e-7);
  }
}

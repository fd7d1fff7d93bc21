/**
 * Runs a graph node by node in float64: slow, obvious, and the standard the other engines are tested
 * against. `--engine reference` uses it.
 */
import type { Executable, Executor, HostTensor } from '#engine/executor';
import { bindDimensions } from '#engine/graph/bindDimensions';
import { evaluateDimension } from '#engine/graph/dimension';
import {
  GraphError,
  type DataType,
  type Graph,
  type GraphNode,
  type OperationKind,
} from '#engine/graph/graph';
import type { OperationRule, Value } from '#engine/graph/operationRule';
import { operationRules, type OperationAttributes } from '#engine/graph/operations';

type Sizes = ReadonlyMap<string, number>;

function evaluateNode<Kind extends OperationKind>(
  node: GraphNode<Kind>,
  inputs: readonly Value[],
  sizes: Sizes,
): Value {
  const rule: OperationRule<OperationAttributes[Kind]> = operationRules[node.kind];
  const shape = node.shape.map((dimension) => evaluateDimension(dimension, sizes));
  const data = rule.evaluate(inputs, {
    attributes: node.attributes,
    shape,
    sizeOf: (dimension) => evaluateDimension(dimension, sizes),
  });
  return { shape, data };
}

function toHostTensor({ shape, data }: Value, type: DataType): HostTensor {
  if (type === 'float32') return { type, shape, data: Float32Array.from(data) };
  return { type: 'int32', shape, data: Int32Array.from(data) };
}

/**
 * The graph's outputs in float64, which finite differences need; `Executable.run` gives float32.
 *
 * @param inputs One per graph input, already checked against the graph.
 * @param sizes Size of every symbolic dimension.
 */
export function interpret(
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  sizes: Sizes,
): ReadonlyMap<string, { readonly value: Value; readonly type: DataType }> {
  const values = new Map<number, Value>();
  for (const [name, node] of graph.inputs) values.set(node.id, inputs[name]);
  for (const node of graph.nodes) {
    if (node.kind === 'input') continue;
    const operands = node.inputs.map(({ id }) => valueOf(values, id));
    values.set(node.id, evaluateNode(node, operands, sizes));
  }
  return new Map(
    [...graph.outputs].map(([name, { id, type }]) => [name, { value: valueOf(values, id), type }]),
  );
}

function valueOf(values: ReadonlyMap<number, Value>, id: number): Value {
  const value = values.get(id);
  if (value === undefined) throw new GraphError(`node ${id} is used before it is computed`);
  return value;
}

function runGraph(graph: Graph, inputs: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  const sizes = bindDimensions(graph, inputs);
  const wide = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]),
  );
  const outputs = interpret(graph, wide, sizes);
  return Object.fromEntries([...outputs].map(([name, { value, type }]) => [name, toHostTensor(value, type)]));
}

/** The executor named `reference`. Bool outputs come as int32. */
export function createReferenceExecutor(): Executor {
  return {
    name: 'reference',
    compile: async (graph): Promise<Executable> => ({
      run: async (inputs) => runGraph(graph, inputs),
      dispose: async () => {},
    }),
    dispose: async () => {},
  };
}

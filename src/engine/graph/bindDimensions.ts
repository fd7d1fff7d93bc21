import { evaluateDimension, isName, printShape } from '#engine/graph/dimension';
import { GraphError, type Dimension, type Graph, type GraphNode } from '#engine/graph/graph';
import type { HostTensor } from '#engine/executor';

type Sizes = Map<string, number>;

function mismatch(graph: Graph, node: GraphNode<'input'>, tensor: HostTensor): GraphError {
  return new GraphError(
    `${graph.name} graph: input "${node.attributes.name}" must be ${node.type} ${printShape(node.shape)}, ` +
      `but is ${tensor.type} ${printShape(tensor.shape)} with ${tensor.data.length} elements`,
  );
}

/** Whether a size fits; a bare name that is still free takes it. */
function fits(dimension: Dimension, size: number, sizes: Sizes): boolean {
  if (typeof dimension === 'string' && dimension.endsWith('?')) {
    return size === 1 || fits(dimension.slice(0, -1), size, sizes);
  }
  if (isName(dimension) && !sizes.has(dimension)) sizes.set(dimension, size);
  return evaluateDimension(dimension, sizes) === size;
}

function bindInput(graph: Graph, node: GraphNode<'input'>, tensor: HostTensor, sizes: Sizes): void {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  const isFitting =
    tensor.type === node.type &&
    tensor.shape.length === node.shape.length &&
    tensor.data.length === count &&
    node.shape.every((dimension, axis) => fits(dimension, tensor.shape[axis], sizes));
  if (!isFitting) throw mismatch(graph, node, tensor);
}

/** Inputs whose dimensions give names their sizes come before those that only use the names. */
function isDefining(node: GraphNode<'input'>): boolean {
  return node.shape.every((dimension) => typeof dimension === 'number' || isName(dimension));
}

/**
 * The size of every symbolic dimension in one run.
 *
 * @throws GraphError when an input is missing, or has another type or shape than the graph says.
 */
export function bindDimensions(
  graph: Graph,
  inputs: Readonly<Record<string, HostTensor>>,
): ReadonlyMap<string, number> {
  const sizes: Sizes = new Map();
  const nodes = [...graph.inputs.values()];
  for (const node of [...nodes.filter(isDefining), ...nodes.filter((other) => !isDefining(other))]) {
    const tensor = inputs[node.attributes.name];
    if (tensor === undefined) {
      throw new GraphError(`${graph.name} graph: input "${node.attributes.name}" is missing`);
    }
    bindInput(graph, node, tensor, sizes);
  }
  return sizes;
}

import { isSameShape, multiplyDimensions, printShape } from '#engine/graph/dimension';
import {
  GraphError,
  type DataType,
  type Dimension,
  type Graph,
  type GraphNode,
  type OperationKind,
  type Shape,
} from '#engine/graph/graph';
import { operationRules, type OperationAttributes } from '#engine/graph/operations';
import type { OperationRule } from '#engine/graph/operationRule';

/** Which of an operation's inputs matter to its value; what identifies it beside them. */
interface NodeRequest<Kind extends OperationKind> {
  readonly id: number;
  readonly kind: Kind;
  readonly inputs: readonly GraphNode[];
  readonly attributes: OperationAttributes[Kind];
}

function createNode<Kind extends OperationKind>(request: NodeRequest<Kind>): GraphNode<Kind> {
  const rule: OperationRule<OperationAttributes[Kind]> = operationRules[request.kind];
  return { ...request, ...rule.infer(request.inputs, request.attributes) };
}

/** Every node that the outputs depend on, in order of creation. */
function reachableNodes(outputs: Iterable<GraphNode>): GraphNode[] {
  const found = new Map<number, GraphNode>();
  const pending = [...outputs];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (found.has(node.id)) continue;
    found.set(node.id, node);
    pending.push(...node.inputs);
  }
  return [...found.values()].toSorted((a, b) => a.id - b.id);
}

/**
 * Makes the nodes of one graph. Equal operations on equal inputs are one node, so writing an expression
 * twice costs nothing. Operands of element-wise operations broadcast as in NumPy.
 */
export class GraphBuilder {
  private readonly nodes = new Map<string, GraphNode>();
  private readonly inputs = new Map<string, GraphNode<'input'>>();

  private get nextId(): number {
    return this.nodes.size;
  }

  /** The node itself, or an equal one that exists already. */
  private unique(node: GraphNode): GraphNode {
    const key = `${node.kind} ${JSON.stringify(node.attributes)} ${node.inputs.map(({ id }) => id).join(' ')}`;
    const existing = this.nodes.get(key);
    if (existing !== undefined) return existing;
    this.nodes.set(key, node);
    return node;
  }

  private binary(
    kind: 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum' | 'equal' | 'greater',
    left: GraphNode,
    right: GraphNode,
  ): GraphNode {
    // An operand that was repeated only to fit the other one is taken as it was.
    const inputs = [withoutRepetition(left, right), withoutRepetition(right, left)];
    return this.unique(createNode({ id: this.nextId, kind, inputs, attributes: {} }));
  }

  private unary(
    kind:
      | 'exp'
      | 'log'
      | 'squareRoot'
      | 'reciprocalSquareRoot'
      | 'tanh'
      | 'sigmoid'
      | 'silu'
      | 'stopGradient',
    x: GraphNode,
  ): GraphNode {
    return this.unique(createNode({ id: this.nextId, kind, inputs: [x], attributes: {} }));
  }

  /** @throws GraphError when the name is taken. */
  input(name: string, type: DataType, shape: Shape): GraphNode<'input'> {
    if (this.inputs.has(name)) throw new GraphError(`the graph already has an input "${name}"`);
    const node = createNode({
      id: this.nextId,
      kind: 'input',
      inputs: [],
      attributes: { name, type, shape },
    });
    this.unique(node);
    this.inputs.set(name, node);
    return node;
  }

  /** A float32 constant of shape `[]`. */
  scalar(value: number): GraphNode {
    return this.constant('float32', [], [value]);
  }

  /** @param values Row-major, as many as the shape has elements. */
  constant(type: DataType, shape: readonly number[], values: readonly number[]): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'constant', inputs: [], attributes: { type, shape, values } }),
    );
  }

  add(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('add', left, right);
  }

  subtract(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('subtract', left, right);
  }

  multiply(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('multiply', left, right);
  }

  divide(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('divide', left, right);
  }

  minimum(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('minimum', left, right);
  }

  maximum(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('maximum', left, right);
  }

  /** bool: where equal. */
  equal(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('equal', left, right);
  }

  /** bool: where left > right. */
  greater(left: GraphNode, right: GraphNode): GraphNode {
    return this.binary('greater', left, right);
  }

  /** condition ? whenTrue : whenFalse, element by element. */
  where(condition: GraphNode, whenTrue: GraphNode, whenFalse: GraphNode): GraphNode {
    const inputs = [condition, whenTrue, whenFalse];
    return this.unique(createNode({ id: this.nextId, kind: 'where', inputs, attributes: {} }));
  }

  /** x · factor, a number known now; 1 gives x itself. */
  scale(x: GraphNode, factor: number): GraphNode {
    if (factor === 1) return x;
    return this.unique(createNode({ id: this.nextId, kind: 'scale', inputs: [x], attributes: { factor } }));
  }

  exp(x: GraphNode): GraphNode {
    return this.unary('exp', x);
  }

  /** Natural logarithm. */
  log(x: GraphNode): GraphNode {
    return this.unary('log', x);
  }

  squareRoot(x: GraphNode): GraphNode {
    return this.unary('squareRoot', x);
  }

  reciprocalSquareRoot(x: GraphNode): GraphNode {
    return this.unary('reciprocalSquareRoot', x);
  }

  tanh(x: GraphNode): GraphNode {
    return this.unary('tanh', x);
  }

  sigmoid(x: GraphNode): GraphNode {
    return this.unary('sigmoid', x);
  }

  /** x · sigmoid(x). */
  silu(x: GraphNode): GraphNode {
    return this.unary('silu', x);
  }

  /** x / √(mean x² + epsilon) · weight over the last axis; weight `[D]`. */
  rmsNormalize(x: GraphNode, weight: GraphNode, epsilon: number): GraphNode {
    const inputs = [x, weight];
    return this.unique(
      createNode({ id: this.nextId, kind: 'rmsNormalize', inputs, attributes: { epsilon } }),
    );
  }

  /** 1 / √(mean x² + epsilon) of each row: `[…, D]` → `[…, 1]`. */
  reciprocalRms(x: GraphNode, epsilon: number): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'reciprocalRms', inputs: [x], attributes: { epsilon } }),
    );
  }

  /** The value of x as if it were a constant. */
  stopGradient(x: GraphNode): GraphNode {
    return this.unary('stopGradient', x);
  }

  cast(x: GraphNode, to: DataType): GraphNode {
    if (x.type === to) return x;
    return this.unique(createNode({ id: this.nextId, kind: 'cast', inputs: [x], attributes: { to } }));
  }

  /** a · b over the last two axes, each transposed first where its flag says so. */
  matmul(
    left: GraphNode,
    right: GraphNode,
    { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
  ): GraphNode {
    const attributes = { transposeA, transposeB };
    return this.unique(createNode({ id: this.nextId, kind: 'matmul', inputs: [left, right], attributes }));
  }

  reduceSum(x: GraphNode, axes: readonly number[], { keepAxes = false } = {}): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'reduceSum', inputs: [x], attributes: { axes, keepAxes } }),
    );
  }

  /** The reduced axes must have fixed sizes. */
  reduceMean(x: GraphNode, axes: readonly number[], { keepAxes = false } = {}): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'reduceMean', inputs: [x], attributes: { axes, keepAxes } }),
    );
  }

  reduceMax(x: GraphNode, axes: readonly number[], { keepAxes = false } = {}): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'reduceMax', inputs: [x], attributes: { axes, keepAxes } }),
    );
  }

  /** Over the last axis. */
  softmax(x: GraphNode): GraphNode {
    return this.unique(createNode({ id: this.nextId, kind: 'softmax', inputs: [x], attributes: {} }));
  }

  /** Over the last axis, nats. */
  logSoftmax(x: GraphNode): GraphNode {
    return this.unique(createNode({ id: this.nextId, kind: 'logSoftmax', inputs: [x], attributes: {} }));
  }

  reshape(x: GraphNode, shape: Shape): GraphNode {
    const origin = x.kind === 'reshape' ? x.inputs[0] : x;
    if (isSameShape(origin.shape, shape)) return origin;
    return this.unique(
      createNode({ id: this.nextId, kind: 'reshape', inputs: [origin], attributes: { shape } }),
    );
  }

  /** `[…, D]` as `[N, D]`. */
  flatten(x: GraphNode): GraphNode {
    return this.reshape(x, [multiplyDimensions(...x.shape.slice(0, -1)), ...x.shape.slice(-1)]);
  }

  /** Axis i of the result is axis `permutation[i]` of x. */
  transpose(x: GraphNode, permutation: readonly number[]): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'transpose', inputs: [x], attributes: { permutation } }),
    );
  }

  broadcastTo(x: GraphNode, shape: Shape): GraphNode {
    if (isSameShape(x.shape, shape)) return x;
    return this.unique(
      createNode({ id: this.nextId, kind: 'broadcastTo', inputs: [x], attributes: { shape } }),
    );
  }

  /** Elements start ≤ index < end along an axis. */
  slice(x: GraphNode, axis: number, start: Dimension, end: Dimension): GraphNode {
    if (start === 0 && end === x.shape[axis]) return x;
    const attributes = { axis, start, end };
    return this.unique(createNode({ id: this.nextId, kind: 'slice', inputs: [x], attributes }));
  }

  concat(parts: readonly GraphNode[], axis: number): GraphNode {
    if (parts.length === 1) return parts[0];
    return this.unique(createNode({ id: this.nextId, kind: 'concat', inputs: parts, attributes: { axis } }));
  }

  /** table `[V, …]`, indices int32 `[…]` → `[…indices, …]`. */
  gatherRows(table: GraphNode, indices: GraphNode): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'gatherRows', inputs: [table, indices], attributes: {} }),
    );
  }

  /** indices int32 `[…]`, updates `[…indices, D]` → `[rows, D]`. */
  scatterAddRows(indices: GraphNode, updates: GraphNode, rows: Dimension): GraphNode {
    const inputs = [indices, updates];
    return this.unique(createNode({ id: this.nextId, kind: 'scatterAddRows', inputs, attributes: { rows } }));
  }

  /** values `[…, V]`, indices int32 `[…]` → `[…]`. */
  gatherLast(values: GraphNode, indices: GraphNode): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'gatherLast', inputs: [values, indices], attributes: {} }),
    );
  }

  /** indices int32 `[…]` → float32 `[…, depth]`. */
  oneHot(indices: GraphNode, depth: Dimension): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'oneHot', inputs: [indices], attributes: { depth } }),
    );
  }

  /** x `[B, H, T, D]`, cos and sin `[B, T, D/2]`: rotary positions. */
  rotate(x: GraphNode, cos: GraphNode, sin: GraphNode): GraphNode {
    return this.unique(
      createNode({ id: this.nextId, kind: 'rotate', inputs: [x, cos, sin], attributes: {} }),
    );
  }

  /** Sums x over the axes along which an operand of `shape` was repeated: the gradient of broadcasting. */
  reduceTo(x: GraphNode, shape: Shape): GraphNode {
    if (isSameShape(x.shape, shape)) return x;
    const offset = x.shape.length - shape.length;
    const axes = [...x.shape.keys()].filter(
      (axis) => axis < offset || shape[axis - offset] !== x.shape[axis],
    );
    if (axes.some((axis) => axis >= offset && shape[axis - offset] !== 1)) {
      throw new GraphError(`no gradient from ${printShape(x.shape)} to ${printShape(shape)}`);
    }
    return this.reshape(this.reduceSum(x, axes), shape);
  }

  /** The graph of what the outputs depend on. All inputs stay, used or not. */
  finish(name: string, outputs: Readonly<Record<string, GraphNode>>): Graph {
    const named = new Map(Object.entries(outputs));
    return { name, inputs: this.inputs, outputs: named, nodes: reachableNodes(named.values()) };
  }
}

/** The operand below a `broadcastTo`, when the other operand alone already has the shape of the result. */
function withoutRepetition(operand: GraphNode, other: GraphNode): GraphNode {
  return operand.kind === 'broadcastTo' &&
    isSameShape(operand.shape, other.shape) &&
    other.kind !== 'broadcastTo'
    ? operand.inputs[0]
    : operand;
}

/**
 * The tensor graph: what is computed, without saying by what. A graph is built with `GraphBuilder`,
 * differentiated with `gradients` and run by an `Executor`. Nodes are immutable and shared.
 */
import type { OperationAttributes } from '#engine/graph/operations';

export type DataType = 'float32' | 'int32' | 'bool';

/**
 * A size: a number, or a canonical sum of products of names such as `batch`, `batch*length`,
 * `chunk+past`, `24*length` (see `dimension.ts`). A name that ends in `?` is a size that may also be 1
 * and then broadcasts (`batch?`).
 */
export type Dimension = number | string;

/** Row-major; `[]` is a scalar. */
export type Shape = readonly Dimension[];

/** The name of an operation: a key of the registry in `operations.ts`. */
export type OperationKind = keyof OperationAttributes;

interface NodeOf<Kind extends OperationKind> {
  /** Position in order of creation: every input of a node has a smaller id. */
  readonly id: number;
  readonly kind: Kind;
  readonly inputs: readonly GraphNode[];
  readonly attributes: OperationAttributes[Kind];
  readonly type: DataType;
  readonly shape: Shape;
}

/** One value of the graph and the operation that makes it, discriminated by `kind`. */
export type GraphNode<Kind extends OperationKind = OperationKind> = { [K in Kind]: NodeOf<K> }[Kind];

/** A finished computation: named inputs to named outputs. */
export interface Graph {
  /** For messages and traces: `loss`, `decode`, … */
  readonly name: string;
  /** All inputs, also those that no output depends on. */
  readonly inputs: ReadonlyMap<string, GraphNode<'input'>>;
  readonly outputs: ReadonlyMap<string, GraphNode>;
  /** Every node that an output depends on, inputs first used first: a valid order of execution. */
  readonly nodes: readonly GraphNode[];
}

/** A graph that cannot be built: a programming error, with the shapes that do not fit. */
export class GraphError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GraphError';
  }
}

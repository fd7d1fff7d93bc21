import type { DataType, GraphNode, Shape } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';

/** An array of the interpreter: row-major, float64 whatever the node's type; bools are 0 and 1. */
export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What the gradient rule of one node may use. */
export interface GradientStep<Attributes> {
  readonly builder: GraphBuilder;
  readonly inputs: readonly GraphNode[];
  readonly attributes: Attributes;
  /** The node itself, where its value helps (softmax, exp). */
  readonly output: GraphNode;
  /** Gradient of the loss with respect to the node, in the node's shape. */
  readonly upstream: GraphNode;
}

/** Builds the gradient with respect to one input, in that input's shape; only called when needed. */
export type InputGradient = () => GraphNode;

/** What the interpreter knows when it evaluates a node. */
export interface EvaluationStep<Attributes> {
  readonly attributes: Attributes;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Size of a symbolic dimension of this run. */
  readonly sizeOf: (dimension: string | number) => number;
}

/** All there is to know about one operation except how an executor runs it. */
export interface OperationRule<Attributes> {
  /** @throws GraphError when inputs do not fit. */
  infer(inputs: readonly GraphNode[], attributes: Attributes): { type: DataType; shape: Shape };
  /**
   * Vector–Jacobian products, one per input; `null` in place of an input that is not differentiable.
   * `null` as a whole: the result does not depend smoothly on anything.
   */
  readonly gradient: ((step: GradientStep<Attributes>) => readonly (InputGradient | null)[]) | null;
  /** @returns The result's data, newly allocated or an input's own (never modified). */
  evaluate(inputs: readonly Value[], step: EvaluationStep<Attributes>): Float64Array;
}

/** One rule per operation of a family. */
export type OperationRules<AttributesByName> = {
  readonly [Name in keyof AttributesByName]: OperationRule<AttributesByName[Name]>;
};

/** Operations that need no attributes. */
export type NoAttributes = Readonly<Record<never, never>>;

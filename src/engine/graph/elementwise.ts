/** Operations that work on each element by itself. */
import { broadcastShapes } from '#engine/graph/dimension';
import { GraphError, type DataType, type GraphNode, type Shape } from '#engine/graph/graph';
import { broadcastStrides, countOf, readStrided } from '#engine/graph/layout';
import type { NoAttributes, OperationRule, OperationRules, Value } from '#engine/graph/operationRule';

export interface ElementwiseAttributes {
  add: NoAttributes;
  subtract: NoAttributes;
  multiply: NoAttributes;
  divide: NoAttributes;
  minimum: NoAttributes;
  maximum: NoAttributes;
  /** 1 where equal; bool. */
  equal: NoAttributes;
  /** 1 where the first is above the second; bool. */
  greater: NoAttributes;
  /** condition ? a : b. */
  where: NoAttributes;
  scale: { readonly factor: number };
  exp: NoAttributes;
  log: NoAttributes;
  squareRoot: NoAttributes;
  /** 1 / √x. */
  reciprocalSquareRoot: NoAttributes;
  tanh: NoAttributes;
  /** 1 / (1 + e^−x). */
  sigmoid: NoAttributes;
  /** x · sigmoid(x). @see Elfwing et al., arXiv:1702.03118. */
  silu: NoAttributes;
  cast: { readonly to: DataType };
  /** The value without a gradient. */
  stopGradient: NoAttributes;
}

function inferBroadcast(inputs: readonly GraphNode[]): { type: DataType; shape: Shape } {
  const [left, right] = inputs;
  if (left.type !== right.type) {
    throw new GraphError(`operands must have one type, but have ${left.type} and ${right.type}`);
  }
  return { type: left.type, shape: broadcastShapes(left.shape, right.shape) };
}

function inferSame(inputs: readonly GraphNode[]): { type: DataType; shape: Shape } {
  return { type: inputs[0].type, shape: inputs[0].shape };
}

function broadcastTo(value: Value, shape: readonly number[]): Float64Array {
  if (value.data.length === countOf(shape)) return value.data;
  return readStrided(value.data, shape, broadcastStrides(value.shape, shape));
}

function zip(
  inputs: readonly Value[],
  shape: readonly number[],
  combine: (left: number, right: number) => number,
): Float64Array {
  const right = broadcastTo(inputs[1], shape);
  return broadcastTo(inputs[0], shape).map((left, index) => combine(left, right[index]));
}

type BinaryGradient = OperationRule<NoAttributes>['gradient'];

function binary(combine: (left: number, right: number) => number, gradient: BinaryGradient) {
  const rule: OperationRule<NoAttributes> = {
    infer: inferBroadcast,
    gradient,
    evaluate: (inputs, { shape }) => zip(inputs, shape, combine),
  };
  return rule;
}

function comparison(holds: (left: number, right: number) => boolean) {
  const rule: OperationRule<NoAttributes> = {
    infer: (inputs) => ({ type: 'bool', shape: inferBroadcast(inputs).shape }),
    gradient: null,
    evaluate: (inputs, { shape }) => zip(inputs, shape, (left, right) => (holds(left, right) ? 1 : 0)),
  };
  return rule;
}

/**
 * Gradient of minimum and maximum: all of it goes to the operand that was taken, the first when equal.
 * Hence loss terms that tie (a ratio of exactly 1) keep their full gradient.
 */
function selectionGradient(isSecondTaken: 'secondBelow' | 'secondAbove'): BinaryGradient {
  return ({ builder, inputs: [left, right], upstream }) => {
    const takesRight =
      isSecondTaken === 'secondBelow' ? builder.greater(left, right) : builder.greater(right, left);
    const zero = builder.scalar(0);
    return [
      () => builder.reduceTo(builder.where(takesRight, zero, upstream), left.shape),
      () => builder.reduceTo(builder.where(takesRight, upstream, zero), right.shape),
    ];
  };
}

/** A function of one number; `derivative` builds f′(x) · upstream. */
function unary(apply: (x: number) => number, gradient: BinaryGradient) {
  const rule: OperationRule<NoAttributes> = {
    infer: inferSame,
    gradient,
    evaluate: ([x]) => x.data.map((element) => apply(element)),
  };
  return rule;
}

const arithmeticRules: OperationRules<
  Pick<ElementwiseAttributes, 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum'>
> = {
  add: binary(
    (left, right) => left + right,
    ({ builder, inputs: [left, right], upstream }) => [
      () => builder.reduceTo(upstream, left.shape),
      () => builder.reduceTo(upstream, right.shape),
    ],
  ),
  subtract: binary(
    (left, right) => left - right,
    ({ builder, inputs: [left, right], upstream }) => [
      () => builder.reduceTo(upstream, left.shape),
      () => builder.scale(builder.reduceTo(upstream, right.shape), -1),
    ],
  ),
  multiply: binary(
    (left, right) => left * right,
    ({ builder, inputs: [left, right], upstream }) => [
      () => builder.reduceTo(builder.multiply(upstream, right), left.shape),
      () => builder.reduceTo(builder.multiply(upstream, left), right.shape),
    ],
  ),
  divide: binary(
    (left, right) => left / right,
    ({ builder, inputs: [left, right], output, upstream }) => [
      () => builder.reduceTo(builder.divide(upstream, right), left.shape),
      () => {
        const slope = builder.multiply(upstream, builder.divide(output, right));
        return builder.scale(builder.reduceTo(slope, right.shape), -1);
      },
    ],
  ),
  minimum: binary(Math.min, selectionGradient('secondBelow')),
  maximum: binary(Math.max, selectionGradient('secondAbove')),
};

const functionRules: OperationRules<
  Pick<
    ElementwiseAttributes,
    'exp' | 'log' | 'squareRoot' | 'reciprocalSquareRoot' | 'tanh' | 'sigmoid' | 'silu' | 'stopGradient'
  >
> = {
  exp: unary(Math.exp, ({ builder, output, upstream }) => [() => builder.multiply(upstream, output)]),
  log: unary(Math.log, ({ builder, inputs: [x], upstream }) => [() => builder.divide(upstream, x)]),
  squareRoot: unary(Math.sqrt, ({ builder, output, upstream }) => [
    () => builder.scale(builder.divide(upstream, output), 0.5),
  ]),
  reciprocalSquareRoot: unary(
    (x) => 1 / Math.sqrt(x),
    ({ builder, output, upstream }) => [
      () => {
        const cube = builder.multiply(builder.multiply(output, output), output);
        return builder.multiply(upstream, builder.scale(cube, -0.5));
      },
    ],
  ),
  tanh: unary(Math.tanh, ({ builder, output, upstream }) => [
    () => builder.subtract(upstream, builder.multiply(upstream, builder.multiply(output, output))),
  ]),
  sigmoid: unary(
    (x) => 1 / (1 + Math.exp(-x)),
    ({ builder, output, upstream }) => [
      () => builder.multiply(upstream, builder.subtract(output, builder.multiply(output, output))),
    ],
  ),
  silu: unary(
    (x) => x / (1 + Math.exp(-x)),
    ({ builder, inputs: [x], output, upstream }) => [
      () => {
        // σ + y − y·σ: fewer passes than differentiating the product.
        const sigmoid = builder.sigmoid(x);
        const rest = builder.subtract(output, builder.multiply(output, sigmoid));
        return builder.multiply(upstream, builder.add(sigmoid, rest));
      },
    ],
  ),
  stopGradient: { infer: inferSame, gradient: null, evaluate: ([x]) => x.data },
};

const whereRule: OperationRule<NoAttributes> = {
  infer([condition, ...branches]) {
    if (condition.type !== 'bool')
      throw new GraphError(`where needs a bool condition, not ${condition.type}`);
    const { type, shape } = inferBroadcast(branches);
    return { type, shape: broadcastShapes(condition.shape, shape) };
  },
  gradient({ builder, inputs: [condition, whenTrue, whenFalse], upstream }) {
    const zero = builder.scalar(0);
    return [
      null,
      () => builder.reduceTo(builder.where(condition, upstream, zero), whenTrue.shape),
      () => builder.reduceTo(builder.where(condition, zero, upstream), whenFalse.shape),
    ];
  },
  evaluate([condition, whenTrue, whenFalse], { shape }) {
    const first = broadcastTo(whenTrue, shape);
    const second = broadcastTo(whenFalse, shape);
    return broadcastTo(condition, shape).map((holds, index) => (holds === 0 ? second[index] : first[index]));
  },
};

const scaleRule: OperationRule<ElementwiseAttributes['scale']> = {
  infer: inferSame,
  gradient: ({ builder, attributes, upstream }) => [() => builder.scale(upstream, attributes.factor)],
  evaluate: ([x], { attributes }) => x.data.map((element) => element * attributes.factor),
};

const castRule: OperationRule<ElementwiseAttributes['cast']> = {
  infer: ([x], { to }) => ({ type: to, shape: x.shape }),
  gradient: null,
  evaluate([x], { attributes: { to } }) {
    if (to === 'float32') return x.data;
    return x.data.map((element) => (to === 'bool' ? Number(element !== 0) : Math.trunc(element)));
  },
};

export const elementwiseRules: OperationRules<ElementwiseAttributes> = {
  ...arithmeticRules,
  ...functionRules,
  equal: comparison((left, right) => left === right),
  greater: comparison((left, right) => left > right),
  where: whereRule,
  scale: scaleRule,
  cast: castRule,
};

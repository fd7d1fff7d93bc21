/** Sums, means and maxima over axes, and the softmax pair over the last axis. */
import { GraphError, type GraphNode, type Shape } from '#engine/graph/graph';
import { broadcastStrides, countOf, forEachOffset } from '#engine/graph/layout';
import type {
  EvaluationStep,
  GradientStep,
  InputGradient,
  NoAttributes,
  OperationRule,
  OperationRules,
  Value,
} from '#engine/graph/operationRule';

/** Axes are counted from 0; reduced axes stay with size 1 when `keepAxes`, else they go. */
interface ReductionAttributes {
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}

export interface ReductionFamilyAttributes {
  reduceSum: ReductionAttributes;
  /** The reduced axes have fixed sizes. */
  reduceMean: ReductionAttributes;
  reduceMax: ReductionAttributes;
  /** Over the last axis. */
  softmax: NoAttributes;
  /** Over the last axis, nats. */
  logSoftmax: NoAttributes;
}

function keptShape<Size>(shape: readonly Size[], axes: readonly number[]): (Size | 1)[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

function inferReduction([x]: readonly GraphNode[], { axes, keepAxes }: ReductionAttributes) {
  for (const axis of axes) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= x.shape.length) {
      throw new GraphError(`axis ${axis} is not an axis of [${x.shape.join(', ')}]`);
    }
  }
  const shape: Shape = keepAxes
    ? keptShape(x.shape, axes)
    : x.shape.filter((_, axis) => !axes.includes(axis));
  return { type: x.type, shape };
}

/** How many elements go into one of the result. */
function reducedCount(x: GraphNode, axes: readonly number[]): number {
  let count = 1;
  for (const axis of axes) {
    const size = x.shape[axis];
    if (typeof size !== 'number') throw new GraphError(`reduceMean over an axis of unknown size "${size}"`);
    count *= size;
  }
  return count;
}

/** A reduced value, repeated over the axes it was reduced along. */
function spread(step: GradientStep<ReductionAttributes>, reduced: GraphNode): GraphNode {
  const [x] = step.inputs;
  const kept = step.builder.reshape(reduced, keptShape(x.shape, step.attributes.axes));
  return step.builder.broadcastTo(kept, x.shape);
}

function reduce(
  [x]: readonly Value[],
  { attributes, shape }: EvaluationStep<ReductionAttributes>,
  fold: { readonly start: number; readonly combine: (left: number, right: number) => number },
): Float64Array {
  const result = new Float64Array(countOf(shape)).fill(fold.start);
  const kept = keptShape(x.shape, attributes.axes);
  forEachOffset(x.shape, broadcastStrides(kept, x.shape), (offset, index) => {
    result[offset] = fold.combine(result[offset], x.data[index]);
  });
  return result;
}

const plus = { start: 0, combine: (left: number, right: number) => left + right };

const reduceSumRule: OperationRule<ReductionAttributes> = {
  infer: inferReduction,
  gradient: (step) => [() => spread(step, step.upstream)],
  evaluate: (inputs, step) => reduce(inputs, step, plus),
};

const reduceMeanRule: OperationRule<ReductionAttributes> = {
  infer(inputs, attributes) {
    reducedCount(inputs[0], attributes.axes);
    return inferReduction(inputs, attributes);
  },
  gradient: (step) => [
    () =>
      spread(step, step.builder.scale(step.upstream, 1 / reducedCount(step.inputs[0], step.attributes.axes))),
  ],
  evaluate(inputs, step) {
    const sums = reduce(inputs, step, plus);
    const count = countOf(inputs[0].shape) / Math.max(1, sums.length);
    return sums.map((sum) => sum / count);
  },
};

const reduceMaxRule: OperationRule<ReductionAttributes> = {
  infer: inferReduction,
  /** Shared evenly among equal maxima, as PyTorch's `amax` does. */
  gradient: (step) => [
    () => {
      const { builder, inputs, attributes, output, upstream } = step;
      const isMaximum = builder.cast(builder.equal(inputs[0], spread(step, output)), 'float32');
      const ties = builder.reduceSum(isMaximum, attributes.axes, { keepAxes: attributes.keepAxes });
      return builder.multiply(spread(step, builder.divide(upstream, ties)), isMaximum);
    },
  ],
  evaluate: (inputs, step) => reduce(inputs, step, { start: -Infinity, combine: Math.max }),
};

function inferLastAxis([x]: readonly GraphNode[]) {
  if (x.shape.length === 0) throw new GraphError('softmax needs at least one axis');
  return { type: x.type, shape: x.shape };
}

/** log Σ exp of each row, exact for large numbers. */
function normalizeRows({ shape, data }: Value, finish: (x: number, logSum: number) => number): Float64Array {
  const width = shape[shape.length - 1];
  const result = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width);
    const maximum = row.reduce((left, right) => Math.max(left, right), -Infinity);
    const logSum = maximum + Math.log(row.reduce((sum, x) => sum + Math.exp(x - maximum), 0));
    row.forEach((x, index) => {
      result[start + index] = finish(x, logSum);
    });
  }
  return result;
}

function sumLast(step: GradientStep<NoAttributes>, x: GraphNode): GraphNode {
  return step.builder.reduceSum(x, [x.shape.length - 1], { keepAxes: true });
}

/**
 * Σ p·u over the last axis. Where u = a · bᵀ, as in attention, it is Σ a ∘ (p · b): p · b is the forward
 * product, which is there already, and a has the width of a head instead of the length of the row.
 *
 * @see Dao et al., FlashAttention, arXiv:2205.14135 appendix B.2.
 */
function sumOfProducts(step: GradientStep<NoAttributes>): GraphNode {
  const { builder, output, upstream } = step;
  const product = upstream.kind === 'reshape' ? upstream.inputs[0] : upstream;
  if (product.kind !== 'matmul' || product.attributes.transposeA || !product.attributes.transposeB) {
    return sumLast(step, builder.multiply(upstream, output));
  }
  const [left, right] = product.inputs;
  const forward = builder.matmul(builder.reshape(output, product.shape), right);
  const sums = sumLast(step, builder.multiply(left, forward));
  return builder.reshape(sums, [...output.shape.slice(0, -1), 1]);
}

/** p · (u − Σ p·u). */
function softmaxGradient(step: GradientStep<NoAttributes>): InputGradient[] {
  const { builder, output, upstream } = step;
  return [() => builder.multiply(output, builder.subtract(upstream, sumOfProducts(step)))];
}

/** u − p · Σ u. */
function logSoftmaxGradient(step: GradientStep<NoAttributes>): InputGradient[] {
  const { builder, output, upstream } = step;
  return [() => builder.subtract(upstream, builder.multiply(builder.exp(output), sumLast(step, upstream)))];
}

export const reductionRules: OperationRules<ReductionFamilyAttributes> = {
  reduceSum: reduceSumRule,
  reduceMean: reduceMeanRule,
  reduceMax: reduceMaxRule,
  softmax: {
    infer: inferLastAxis,
    gradient: softmaxGradient,
    evaluate: ([x]) => normalizeRows(x, (element, logSum) => Math.exp(element - logSum)),
  },
  logSoftmax: {
    infer: inferLastAxis,
    gradient: logSoftmaxGradient,
    evaluate: ([x]) => normalizeRows(x, (element, logSum) => element - logSum),
  },
};

/** Operations that move elements without computing anything. */
import {
  addDimensions,
  broadcastShapes,
  elementCount,
  isSameShape,
  printShape,
  subtractDimensions,
} from '#engine/graph/dimension';
import { GraphError, type Dimension, type GraphNode, type Shape } from '#engine/graph/graph';
import { broadcastStrides, countOf, readStrided, stridesOf } from '#engine/graph/layout';
import type { GradientStep, OperationRule, OperationRules } from '#engine/graph/operationRule';

export interface ShapingAttributes {
  /** The same elements in the same order. */
  reshape: { readonly shape: Shape };
  /** Axis i of the result is axis `permutation[i]` of the input. */
  transpose: { readonly permutation: readonly number[] };
  /** Repeats axes of size 1 (and adds leading ones) up to `shape`. */
  broadcastTo: { readonly shape: Shape };
  /** Elements start ≤ index < end along one axis. */
  slice: { readonly axis: number; readonly start: Dimension; readonly end: Dimension };
  /** One after the other along an axis; any number of inputs. */
  concat: { readonly axis: number };
}

const reshapeRule: OperationRule<ShapingAttributes['reshape']> = {
  infer([x], { shape }) {
    if (elementCount(x.shape) !== elementCount(shape)) {
      throw new GraphError(
        `cannot reshape ${printShape(x.shape)} to ${printShape(shape)}: element counts differ`,
      );
    }
    return { type: x.type, shape };
  },
  gradient: ({ builder, inputs: [x], upstream }) => [() => builder.reshape(upstream, x.shape)],
  evaluate: ([x]) => x.data,
};

const transposeRule: OperationRule<ShapingAttributes['transpose']> = {
  infer([x], { permutation }) {
    const isPermutation = permutation.toSorted((a, b) => a - b).every((axis, index) => axis === index);
    if (!isPermutation || permutation.length !== x.shape.length) {
      throw new GraphError(`[${permutation.join(', ')}] does not permute the axes of ${printShape(x.shape)}`);
    }
    return { type: x.type, shape: permutation.map((axis) => x.shape[axis]) };
  },
  gradient: ({ builder, attributes: { permutation }, upstream }) => [
    () =>
      builder.transpose(
        upstream,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ],
  evaluate([x], { attributes, shape }) {
    const strides = stridesOf(x.shape);
    return readStrided(
      x.data,
      shape,
      attributes.permutation.map((axis) => strides[axis]),
    );
  },
};

const broadcastToRule: OperationRule<ShapingAttributes['broadcastTo']> = {
  infer([x], { shape }) {
    if (!isSameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new GraphError(`${printShape(x.shape)} does not broadcast to ${printShape(shape)}`);
    }
    return { type: x.type, shape };
  },
  gradient: ({ builder, inputs: [x], upstream }) => [() => builder.reduceTo(upstream, x.shape)],
  evaluate: ([x], { shape }) => readStrided(x.data, shape, broadcastStrides(x.shape, shape)),
};

function replaceSize(shape: Shape, axis: number, size: Dimension): Shape {
  return shape.map((old, index) => (index === axis ? size : old));
}

function checkAxis(shape: Shape, axis: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw new GraphError(`axis ${axis} is not an axis of ${printShape(shape)}`);
  }
}

/** The upstream gradient between zeros, so that it has the size of the sliced input again. */
function padSlice({ builder, inputs: [x], attributes, upstream }: GradientStep<ShapingAttributes['slice']>) {
  const { axis, start, end } = attributes;
  const zeros = (size: Dimension) => builder.broadcastTo(builder.scalar(0), replaceSize(x.shape, axis, size));
  const after = subtractDimensions(x.shape[axis], end);
  const parts = [...(start === 0 ? [] : [zeros(start)]), upstream, ...(after === 0 ? [] : [zeros(after)])];
  return builder.concat(parts, axis);
}

const sliceRule: OperationRule<ShapingAttributes['slice']> = {
  infer([x], { axis, start, end }) {
    checkAxis(x.shape, axis);
    subtractDimensions(x.shape[axis], end);
    return { type: x.type, shape: replaceSize(x.shape, axis, subtractDimensions(end, start)) };
  },
  gradient: (step) => [() => padSlice(step)],
  evaluate([x], { attributes, shape, sizeOf }) {
    const strides = stridesOf(x.shape);
    const first = sizeOf(attributes.start) * strides[attributes.axis];
    return readStrided(x.data.subarray(first), shape, strides);
  },
};

function concatGradient({ builder, inputs, attributes: { axis }, upstream }: GradientStep<{ axis: number }>) {
  let start: Dimension = 0;
  return inputs.map((input: GraphNode) => {
    const from = start;
    const to = addDimensions(from, input.shape[axis]);
    start = to;
    return () => builder.slice(upstream, axis, from, to);
  });
}

const concatRule: OperationRule<ShapingAttributes['concat']> = {
  infer(inputs, { axis }) {
    const [first] = inputs;
    checkAxis(first.shape, axis);
    let total: Dimension = 0;
    for (const { shape, type } of inputs) {
      if (
        type !== first.type ||
        !isSameShape(replaceSize(shape, axis, 0), replaceSize(first.shape, axis, 0))
      ) {
        throw new GraphError(
          `cannot join ${first.type} ${printShape(first.shape)} and ${type} ${printShape(shape)} along axis ${axis}`,
        );
      }
      total = addDimensions(total, shape[axis]);
    }
    return { type: first.type, shape: replaceSize(first.shape, axis, total) };
  },
  gradient: concatGradient,
  evaluate(inputs, { attributes: { axis }, shape }) {
    const result = new Float64Array(countOf(shape));
    const rows = countOf(shape.slice(0, axis));
    const width = countOf(shape.slice(axis));
    let offset = 0;
    for (const input of inputs) {
      const part = countOf(input.shape.slice(axis));
      for (let row = 0; row < rows; row += 1) {
        result.set(input.data.subarray(row * part, (row + 1) * part), row * width + offset);
      }
      offset += part;
    }
    return result;
  },
};

export const shapingRules: OperationRules<ShapingAttributes> = {
  reshape: reshapeRule,
  transpose: transposeRule,
  broadcastTo: broadcastToRule,
  slice: sliceRule,
  concat: concatRule,
};

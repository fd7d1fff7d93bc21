/** Matrix products. */
import { broadcastShapes, printShape } from '#engine/graph/dimension';
import { GraphError, type GraphNode, type Shape } from '#engine/graph/graph';
import { broadcastStrides, countOf, forEachOffset } from '#engine/graph/layout';
import type { GradientStep, OperationRule, OperationRules, Value } from '#engine/graph/operationRule';

export interface MatrixAttributes {
  /** a · b over the last two axes; the axes before them broadcast. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
}

type MatmulAttributes = MatrixAttributes['matmul'];

/** The last two axes, after the transpose that the flag asks for. */
function matrixOf<Size>(shape: readonly Size[], isTransposed: boolean): [Size, Size] {
  const [rows, columns] = shape.slice(-2);
  return isTransposed ? [columns, rows] : [rows, columns];
}

function inferMatmul(inputs: readonly GraphNode[], attributes: MatmulAttributes): Shape {
  const [left, right] = inputs;
  const describe = () =>
    `${printShape(left.shape)}${attributes.transposeA ? 'ᵀ' : ''} · ${printShape(right.shape)}${attributes.transposeB ? 'ᵀ' : ''}`;
  if (left.shape.length < 2 || right.shape.length < 2) {
    throw new GraphError(`matmul needs at least two axes on both sides, but got ${describe()}`);
  }
  const [rows, leftInner] = matrixOf(left.shape, attributes.transposeA);
  const [rightInner, columns] = matrixOf(right.shape, attributes.transposeB);
  if (leftInner !== rightInner) throw new GraphError(`inner sizes differ in matmul ${describe()}`);
  return [...broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2)), rows, columns];
}

/** dA = dC · op(B)ᵀ and dB = op(A)ᵀ · dC, without a transpose of their own. */
function matmulGradient({ builder, inputs, attributes, upstream }: GradientStep<MatmulAttributes>) {
  const [left, right] = inputs;
  const { transposeA, transposeB } = attributes;
  const gradientA = () =>
    transposeA
      ? builder.matmul(right, upstream, { transposeA: transposeB, transposeB: true })
      : builder.matmul(upstream, right, { transposeB: !transposeB });
  const gradientB = () =>
    transposeB
      ? builder.matmul(upstream, left, { transposeA: true, transposeB: transposeA })
      : builder.matmul(left, upstream, { transposeA: !transposeA });
  return [() => builder.reduceTo(gradientA(), left.shape), () => builder.reduceTo(gradientB(), right.shape)];
}

/** One product of two matrices that start at the given offsets; added to zeros in `result`. */
function multiplyMatrices(
  operands: readonly [Value, Value],
  offsets: readonly [number, number, number],
  attributes: MatmulAttributes,
  result: Float64Array,
): void {
  const [left, right] = operands;
  const [rows, inner] = matrixOf(left.shape, attributes.transposeA);
  const [, columns] = matrixOf(right.shape, attributes.transposeB);
  const [leftRow, leftInner] = attributes.transposeA ? [1, rows] : [inner, 1];
  const [rightInner, rightColumn] = attributes.transposeB ? [1, inner] : [columns, 1];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let k = 0; k < inner; k += 1) {
        sum +=
          left.data[offsets[0] + row * leftRow + k * leftInner] *
          right.data[offsets[1] + k * rightInner + column * rightColumn];
      }
      result[offsets[2] + row * columns + column] = sum;
    }
  }
}

/** Offset of each matrix of a batch, for an operand whose leading axes broadcast to `batch`. */
function matrixOffsets(shape: readonly number[], batch: readonly number[]): number[] {
  const leading = shape.slice(0, -2);
  const size = countOf(shape.slice(-2));
  const offsets: number[] = [];
  forEachOffset(batch, broadcastStrides(leading, batch), (offset) => offsets.push(offset * size));
  return offsets;
}

const matmulRule: OperationRule<MatmulAttributes> = {
  infer: (inputs, attributes) => ({ type: 'float32', shape: inferMatmul(inputs, attributes) }),
  gradient: matmulGradient,
  evaluate([left, right], { attributes, shape }) {
    const result = new Float64Array(countOf(shape));
    const batch = shape.slice(0, -2);
    const size = countOf(shape.slice(-2));
    const rightOffsets = matrixOffsets(right.shape, batch);
    matrixOffsets(left.shape, batch).forEach((leftOffset, index) => {
      multiplyMatrices([left, right], [leftOffset, rightOffsets[index], index * size], attributes, result);
    });
    return result;
  },
};

export const matrixRules: OperationRules<MatrixAttributes> = { matmul: matmulRule };

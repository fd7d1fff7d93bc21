/** The rotation of rotary position embeddings. */
import { isSameShape, printShape } from '#engine/graph/dimension';
import { GraphError, type GraphNode } from '#engine/graph/graph';
import { countOf } from '#engine/graph/layout';
import type { NoAttributes, OperationRule, OperationRules } from '#engine/graph/operationRule';

export interface RotationAttributes {
  /**
   * (x `[B, H, T, D]`, cos `[B, T, D/2]`, sin `[B, T, D/2]`) → `[B, H, T, D]`: turns the pair of elements
   * i and i + D/2 by the angle of cos[i], sin[i]. The tables have no gradient.
   *
   * @see Su et al., RoFormer, arXiv:2104.09864 §3.4.2, in the pairing of transformers' `rotate_half`.
   */
  rotate: NoAttributes;
}

function inferRotate([x, cos, sin]: readonly GraphNode[]) {
  const [batch, , length, width] = x.shape;
  const expected = typeof width === 'number' ? [batch, length, width / 2] : [];
  if (x.shape.length !== 4 || !isSameShape(cos.shape, expected) || !isSameShape(sin.shape, expected)) {
    throw new GraphError(
      `rotate needs x [B, H, T, D] and tables [B, T, D/2], but got ${[x, cos, sin].map(({ shape }) => printShape(shape)).join(', ')}`,
    );
  }
  return { type: x.type, shape: x.shape };
}

const rotateRule: OperationRule<NoAttributes> = {
  infer: inferRotate,
  /** Turned back by the same angle. */
  gradient: ({ builder, inputs: [, cos, sin], upstream }) => [
    () => builder.rotate(upstream, cos, builder.scale(sin, -1)),
    null,
    null,
  ],
  evaluate([x, cos, sin], { shape }) {
    const [batch, heads, length, width] = shape;
    const half = width / 2;
    const result = new Float64Array(countOf(shape));
    for (let row = 0; row < batch * heads * length; row += 1) {
      const table = (Math.floor(row / (heads * length)) * length + (row % length)) * half;
      for (let index = 0; index < half; index += 1) {
        const first = row * width + index;
        const second = first + half;
        const [c, s] = [cos.data[table + index], sin.data[table + index]];
        result[first] = x.data[first] * c - x.data[second] * s;
        result[second] = x.data[second] * c + x.data[first] * s;
      }
    }
    return result;
  },
};

export const rotationRules: OperationRules<RotationAttributes> = { rotate: rotateRule };

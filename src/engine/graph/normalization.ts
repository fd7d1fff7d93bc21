/** RMSNorm over the last axis. */
import { isSameShape, printShape } from '#engine/graph/dimension';
import { GraphError, type GraphNode } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import type { GradientStep, OperationRule, OperationRules, Value } from '#engine/graph/operationRule';

interface NormalizationAttributes {
  readonly epsilon: number;
}

export interface NormalizationFamilyAttributes {
  /** (x `[…, D]`, weight `[D]`) → x / √(mean x² + ε) · weight. @see Zhang & Sennrich, arXiv:1910.07467. */
  rmsNormalize: NormalizationAttributes;
  /** x `[…, D]` → 1 / √(mean x² + ε), `[…, 1]`. */
  reciprocalRms: NormalizationAttributes;
}

/** The last axis' fixed size. */
function widthOf({ shape }: GraphNode): number {
  const width = shape[shape.length - 1];
  if (typeof width !== 'number')
    throw new GraphError(`RMSNorm needs a last axis of fixed size, not ${printShape(shape)}`);
  return width;
}

/** 1 / √(mean x² + ε) of every row. */
function reciprocalRms({ shape, data }: Value, epsilon: number): Float64Array {
  const width = shape[shape.length - 1];
  return Float64Array.from({ length: data.length / width }, (_, row) => {
    const elements = data.subarray(row * width, (row + 1) * width);
    return 1 / Math.sqrt(elements.reduce((sum, x) => sum + x * x, 0) / width + epsilon);
  });
}

/** d rms⁻¹ / dx = −rms⁻³ · x / D; `slope` is `[N, 1]`, the gradient of every row's rms⁻¹. */
function throughRms(
  builder: GraphBuilder,
  { rows, root, slope }: { readonly rows: GraphNode; readonly root: GraphNode; readonly slope: GraphNode },
): GraphNode {
  const cube = builder.multiply(builder.multiply(root, root), root);
  return builder.multiply(rows, builder.scale(builder.multiply(cube, slope), -1 / widthOf(rows)));
}

/**
 * With u the upstream gradient and m = u ∘ x: d weight = rmsᵀ⁻¹ · m and d x = rms⁻¹ ∘ u ∘ weight
 * − rms⁻³ ∘ (m · weight) ∘ x / D. Two thin matrix products take the place of two sums over products.
 */
function rmsNormalizeGradient({
  builder,
  inputs,
  attributes,
  upstream,
}: GradientStep<NormalizationAttributes>) {
  const [x, weight] = inputs;
  const rows = builder.flatten(x);
  const flat = builder.flatten(upstream);
  const root = builder.reciprocalRms(rows, attributes.epsilon);
  const width = widthOf(x);
  const products = () => builder.multiply(flat, rows);
  return [
    () => {
      const slope = builder.matmul(products(), builder.reshape(weight, [width, 1]));
      const direct = builder.multiply(builder.multiply(flat, weight), root);
      return builder.reshape(builder.add(direct, throughRms(builder, { rows, root, slope })), x.shape);
    },
    () => builder.reshape(builder.matmul(root, products(), { transposeA: true }), [width]),
  ];
}

const rmsNormalizeRule: OperationRule<NormalizationAttributes> = {
  infer([x, weight]) {
    if (!isSameShape(weight.shape, [widthOf(x)])) {
      throw new GraphError(
        `rmsNormalize needs one weight per element of ${printShape(x.shape)}, not ${printShape(weight.shape)}`,
      );
    }
    return { type: x.type, shape: x.shape };
  },
  gradient: rmsNormalizeGradient,
  evaluate([x, weight], { attributes }) {
    const roots = reciprocalRms(x, attributes.epsilon);
    const width = weight.data.length;
    return x.data.map(
      (element, index) => element * roots[Math.floor(index / width)] * weight.data[index % width],
    );
  },
};

const reciprocalRmsRule: OperationRule<NormalizationAttributes> = {
  infer([x]) {
    widthOf(x);
    return { type: x.type, shape: [...x.shape.slice(0, -1), 1] };
  },
  gradient: ({ builder, inputs: [x], output, upstream }) => [
    () => throughRms(builder, { rows: x, root: output, slope: upstream }),
  ],
  evaluate: ([x], { attributes }) => reciprocalRms(x, attributes.epsilon),
};

export const normalizationRules: OperationRules<NormalizationFamilyAttributes> = {
  rmsNormalize: rmsNormalizeRule,
  reciprocalRms: reciprocalRmsRule,
};

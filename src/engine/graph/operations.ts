/** The registry of operations: one family per file, each with its shapes, gradients and values. */
import { elementwiseRules, type ElementwiseAttributes } from '#engine/graph/elementwise';
import { indexingRules, type IndexingAttributes } from '#engine/graph/indexing';
import { matrixRules, type MatrixAttributes } from '#engine/graph/matrix';
import { normalizationRules, type NormalizationFamilyAttributes } from '#engine/graph/normalization';
import type { OperationRules } from '#engine/graph/operationRule';
import { reductionRules, type ReductionFamilyAttributes } from '#engine/graph/reduction';
import { rotationRules, type RotationAttributes } from '#engine/graph/rotation';
import { shapingRules, type ShapingAttributes } from '#engine/graph/shaping';
import { sourceRules, type SourceAttributes } from '#engine/graph/source';

/** Attributes of each operation by its name. */
export interface OperationAttributes
  extends
    SourceAttributes,
    ElementwiseAttributes,
    MatrixAttributes,
    ReductionFamilyAttributes,
    NormalizationFamilyAttributes,
    ShapingAttributes,
    IndexingAttributes,
    RotationAttributes {}

export const operationRules: OperationRules<OperationAttributes> = {
  ...sourceRules,
  ...elementwiseRules,
  ...matrixRules,
  ...reductionRules,
  ...normalizationRules,
  ...shapingRules,
  ...indexingRules,
  ...rotationRules,
};

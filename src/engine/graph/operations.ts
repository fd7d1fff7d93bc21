import type { DataType, Shape } from '#engine/graph/graph';

/** Attributes of each operation by its name. */
export interface OperationAttributes {
  input: { readonly name: string };
  constant: { readonly type: DataType; readonly shape: Shape; readonly values: readonly number[] };
}

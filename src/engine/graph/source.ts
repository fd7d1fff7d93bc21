/** Nodes without inputs. */
import type { DataType, Shape } from '#engine/graph/graph';
import type { OperationRule, OperationRules } from '#engine/graph/operationRule';

export interface SourceAttributes {
  /** Given by the caller of the executable. */
  input: { readonly name: string; readonly type: DataType; readonly shape: Shape };
  /** Row-major values; fixed when the graph is built. */
  constant: {
    readonly type: DataType;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  };
}

const inputRule: OperationRule<SourceAttributes['input']> = {
  infer: (_, { type, shape }) => ({ type, shape }),
  gradient: null,
  evaluate(_, { attributes: { name } }) {
    throw new Error(`Broken invariant: input "${name}" has a value before anything is evaluated`);
  },
};

const constantRule: OperationRule<SourceAttributes['constant']> = {
  infer: (_, { type, shape }) => ({ type, shape }),
  gradient: null,
  evaluate: (_, { attributes: { values } }) => Float64Array.from(values),
};

export const sourceRules: OperationRules<SourceAttributes> = { input: inputRule, constant: constantRule };

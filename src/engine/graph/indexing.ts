/** Reading and writing by index. Indices are int32 and have no gradient. */
import { isSameShape, printShape } from '#engine/graph/dimension';
import { GraphError, type Dimension, type GraphNode } from '#engine/graph/graph';
import { countOf } from '#engine/graph/layout';
import type { NoAttributes, OperationRule, OperationRules, Value } from '#engine/graph/operationRule';

export interface IndexingAttributes {
  /** (table `[V, …]`, indices `[…]`) → `[…indices, …]`: an embedding lookup. */
  gatherRows: NoAttributes;
  /** (indices `[…]`, updates `[…indices, D]`) → `[rows, D]`: sums of the updates of each row. */
  scatterAddRows: { readonly rows: Dimension };
  /** (values `[…, V]`, indices `[…]`) → `[…]`: one element of each row. */
  gatherLast: NoAttributes;
  /** indices `[…]` → float32 `[…, depth]`. */
  oneHot: { readonly depth: Dimension };
}

/** Up to this many rows a product with one-hot vectors is quicker than adding rows one by one. */
const LARGEST_ONE_HOT = 2048;

function checkIndices(indices: GraphNode): void {
  if (indices.type !== 'int32') throw new GraphError(`indices must be int32, but are ${indices.type}`);
}

/** @throws RangeError when an index is outside the rows. */
function checkIndex(index: number, size: number): number {
  if (index < 0 || index >= size) throw new RangeError(`index ${index} is outside 0..${size - 1}`);
  return index;
}

const gatherRowsRule: OperationRule<NoAttributes> = {
  infer([table, indices]) {
    checkIndices(indices);
    return { type: table.type, shape: [...indices.shape, ...table.shape.slice(1)] };
  },
  gradient: ({ builder, inputs: [table, indices], upstream }) => [
    () => {
      const [rows, ...row] = table.shape;
      if (row.length !== 1)
        throw new GraphError(`gatherRows is differentiable for [V, D], not ${printShape(table.shape)}`);
      if (typeof rows !== 'number' || rows > LARGEST_ONE_HOT)
        return builder.scatterAddRows(indices, upstream, rows);
      const flat = builder.flatten(upstream);
      const choices = builder.flatten(builder.oneHot(indices, rows));
      return builder.matmul(choices, flat, { transposeA: true });
    },
    null,
  ],
  evaluate([table, indices], { shape }) {
    const result = new Float64Array(countOf(shape));
    const width = countOf(table.shape.slice(1));
    indices.data.forEach((index, row) => {
      const start = checkIndex(index, table.shape[0]) * width;
      result.set(table.data.subarray(start, start + width), row * width);
    });
    return result;
  },
};

const scatterAddRowsRule: OperationRule<IndexingAttributes['scatterAddRows']> = {
  infer([indices, updates], { rows }) {
    checkIndices(indices);
    if (!isSameShape(indices.shape, updates.shape.slice(0, -1))) {
      throw new GraphError(
        `scatterAddRows needs one row of updates per index, but got ${printShape(indices.shape)} and ${printShape(updates.shape)}`,
      );
    }
    return { type: updates.type, shape: [rows, updates.shape[updates.shape.length - 1]] };
  },
  gradient: ({ builder, inputs: [indices], upstream }) => [null, () => builder.gatherRows(upstream, indices)],
  evaluate([indices, updates], { shape }) {
    const result = new Float64Array(countOf(shape));
    const width = shape[1];
    indices.data.forEach((index, row) => {
      const start = checkIndex(index, shape[0]) * width;
      for (let column = 0; column < width; column += 1) {
        result[start + column] += updates.data[row * width + column];
      }
    });
    return result;
  },
};

const gatherLastRule: OperationRule<NoAttributes> = {
  infer([values, indices]) {
    checkIndices(indices);
    const shape = values.shape.slice(0, -1);
    if (!isSameShape(shape, indices.shape)) {
      throw new GraphError(
        `gatherLast needs one index per row, but got ${printShape(values.shape)} and ${printShape(indices.shape)}`,
      );
    }
    return { type: values.type, shape };
  },
  gradient: ({ builder, inputs: [values, indices], upstream }) => [
    () => {
      const choices = builder.oneHot(indices, values.shape[values.shape.length - 1]);
      return builder.multiply(choices, builder.reshape(upstream, [...upstream.shape, 1]));
    },
    null,
  ],
  evaluate([values, indices]) {
    const width = values.shape[values.shape.length - 1];
    return indices.data.map((index, row) => values.data[row * width + checkIndex(index, width)]);
  },
};

const oneHotRule: OperationRule<IndexingAttributes['oneHot']> = {
  infer([indices], { depth }) {
    checkIndices(indices);
    return { type: 'float32', shape: [...indices.shape, depth] };
  },
  gradient: null,
  evaluate([indices]: readonly Value[], { shape }) {
    const result = new Float64Array(countOf(shape));
    const depth = shape[shape.length - 1];
    indices.data.forEach((index, row) => {
      result[row * depth + checkIndex(index, depth)] = 1;
    });
    return result;
  },
};

export const indexingRules: OperationRules<IndexingAttributes> = {
  gatherRows: gatherRowsRule,
  scatterAddRows: scatterAddRowsRule,
  gatherLast: gatherLastRule,
  oneHot: oneHotRule,
};

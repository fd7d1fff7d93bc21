/** Index arithmetic of row-major arrays, for the interpreter. */

/** Number of elements; 1 for a scalar. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Distance in elements between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Strides of an operand read in the shape `target` it broadcasts to: 0 along repeated axes. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const offset = target.length - shape.length;
  const strides = stridesOf(shape);
  return target.map((size, axis) => {
    if (axis < offset || (shape[axis - offset] === 1 && size !== 1)) return 0;
    return strides[axis - offset];
  });
}

/** Calls `visit` with the source offset of every element of `shape`, in row-major order. */
export function forEachOffset(
  shape: readonly number[],
  strides: readonly number[],
  visit: (offset: number, index: number) => void,
): void {
  const count = countOf(shape);
  const position = Array.from(shape, () => 0);
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    visit(offset, index);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      position[axis] += 1;
      offset += strides[axis];
      if (position[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}

/** Elements of an array read through `strides` in the order of `shape`. */
export function readStrided(
  data: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
): Float64Array {
  const result = new Float64Array(countOf(shape));
  forEachOffset(shape, strides, (offset, index) => {
    result[index] = data[offset];
  });
  return result;
}

/**
 * Arithmetic of symbolic sizes. A dimension is a polynomial with whole coefficients, kept in one
 * canonical spelling, so that equal sizes are equal strings: factors and terms sorted, numbers first.
 */
import { GraphError, type Dimension, type Shape } from '#engine/graph/graph';

/** Factors joined by `*` → coefficient; the constant term has the key ''. */
type Polynomial = Map<string, number>;

function parse(dimension: Dimension): Polynomial {
  if (typeof dimension === 'number') return new Map([['', dimension]]);
  const terms: Polynomial = new Map();
  for (const term of dimension.split('+')) {
    const factors = term.split('*');
    const coefficient = /^\d+$/.test(factors[0]) ? Number(factors.shift()) : 1;
    const key = factors.toSorted().join('*');
    terms.set(key, (terms.get(key) ?? 0) + coefficient);
  }
  return terms;
}

function print(terms: Polynomial): Dimension {
  const printed = [...terms]
    .filter(([, coefficient]) => coefficient !== 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, coefficient]) => {
      if (key === '') return String(coefficient);
      return coefficient === 1 ? key : `${coefficient}*${key}`;
    });
  const text = printed.join('+');
  return /^\d*$/.test(text) ? Number(text) : text;
}

/** The sum of two sizes in canonical form. */
export function addDimensions(left: Dimension, right: Dimension): Dimension {
  const terms = parse(left);
  for (const [key, coefficient] of parse(right)) terms.set(key, (terms.get(key) ?? 0) + coefficient);
  return print(terms);
}

/** The product of sizes in canonical form; 1 for none. */
export function multiplyDimensions(...dimensions: readonly Dimension[]): Dimension {
  let product: Polynomial = new Map([['', 1]]);
  for (const dimension of dimensions) {
    const next: Polynomial = new Map();
    for (const [rightKey, rightCoefficient] of parse(dimension)) {
      for (const [key, coefficient] of product) {
        const joined = [...key.split('*'), ...rightKey.split('*')].filter((name) => name !== '');
        const name = joined.toSorted().join('*');
        next.set(name, (next.get(name) ?? 0) + coefficient * rightCoefficient);
      }
    }
    product = next;
  }
  return print(product);
}

/**
 * `left − right` where it is a size again.
 *
 * @throws GraphError when a term would become negative.
 */
export function subtractDimensions(left: Dimension, right: Dimension): Dimension {
  const terms = parse(left);
  for (const [key, coefficient] of parse(right)) terms.set(key, (terms.get(key) ?? 0) - coefficient);
  if ([...terms.values()].some((coefficient) => coefficient < 0)) {
    throw new GraphError(`${left} - ${right} is not a size`);
  }
  return print(terms);
}

/**
 * The number a dimension stands for.
 *
 * @param sizes Size of each name.
 * @throws GraphError when a name has no size.
 */
export function evaluateDimension(dimension: Dimension, sizes: ReadonlyMap<string, number>): number {
  if (typeof dimension === 'number') return dimension;
  let total = 0;
  for (const [key, coefficient] of parse(dimension)) {
    let product = coefficient;
    for (const name of key.split('*').filter((factor) => factor !== '')) {
      const size = sizes.get(name);
      if (size === undefined) throw new GraphError(`dimension "${name}" of "${dimension}" has no size`);
      product *= size;
    }
    total += product;
  }
  return total;
}

/** Whether a dimension is one bare name, to which an input gives its size. */
export function isName(dimension: Dimension): dimension is string {
  return typeof dimension === 'string' && !/[*+?]/.test(dimension);
}

/** Number of elements, symbolic. */
export function elementCount(shape: Shape): Dimension {
  return multiplyDimensions(...shape);
}

/** Same rank and equal dimensions. */
export function isSameShape(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((dimension, axis) => dimension === right[axis]);
}

/** `[batch, length, 24]`. */
export function printShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

function broadcastDimension(left: Dimension, right: Dimension): Dimension | null {
  if (left === right || right === 1) return left;
  if (left === 1) return right;
  if (right === `${left}?`) return left;
  if (left === `${right}?`) return right;
  return null;
}

/**
 * The common shape of two operands under NumPy's broadcasting.
 *
 * @throws GraphError when sizes neither agree nor are 1.
 */
export function broadcastShapes(left: Shape, right: Shape): Shape {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    const common = broadcastDimension(a, b);
    if (common === null) {
      throw new GraphError(`shapes ${printShape(left)} and ${printShape(right)} do not broadcast`);
    }
    return common;
  });
}

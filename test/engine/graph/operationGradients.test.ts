import { describe, expect, test } from 'vitest';
import { operationRules } from '#engine/graph/operations';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import type { GraphNode } from '#engine/graph/graph';
import type { Value } from '#engine/graph/operationRule';
import { checkGradients, randomValue } from './finiteDifferences';

type Inputs = Readonly<Record<string, GraphNode>>;

interface Case {
  readonly build: (builder: GraphBuilder, inputs: Inputs) => GraphNode;
  readonly values: Readonly<Record<string, Value>>;
  readonly integers?: readonly string[];
  readonly symbolic?: Readonly<Record<string, readonly (string | number)[]>>;
}

const matrix = randomValue([3, 4], 1);
const row = randomValue([4], 2);
const positive = { low: 0.5, high: 2 };
const pair = { x: matrix, y: randomValue([3, 4], 3) };
const broadcast = { x: randomValue([2, 1, 4], 4), y: randomValue([3, 1], 5) };
const indices: Value = { shape: [2, 3], data: Float64Array.from([4, 0, 4, 2, 1, 0]) };
const symbolicPair = { symbolic: { x: ['batch', 4], y: ['batch', 4] } };

/** At least one case per differentiable operation; the first word is its name. */
const cases: Readonly<Record<string, Case>> = {
  add: { build: (b, { x, y }) => b.add(x, y), values: pair },
  'add, broadcast': { build: (b, { x, y }) => b.add(x, y), values: broadcast },
  subtract: { build: (b, { x, y }) => b.subtract(x, y), values: pair, ...symbolicPair },
  'subtract, broadcast': { build: (b, { x, y }) => b.subtract(x, y), values: broadcast },
  multiply: { build: (b, { x, y }) => b.multiply(x, y), values: pair },
  'multiply, broadcast': { build: (b, { x, y }) => b.multiply(x, y), values: broadcast },
  'multiply, by itself': { build: (b, { x }) => b.multiply(x, x), values: { x: matrix } },
  divide: { build: (b, { x, y }) => b.divide(x, y), values: { x: matrix, y: randomValue([4], 3, positive) } },
  minimum: { build: (b, { x, y }) => b.minimum(x, y), values: pair },
  'minimum, broadcast': { build: (b, { x, y }) => b.minimum(x, y), values: broadcast },
  maximum: { build: (b, { x, y }) => b.maximum(x, y), values: broadcast },
  where: {
    build: (b, { x, y, z }) => b.where(b.greater(x, b.scalar(0)), y, z),
    values: { x: matrix, y: row, z: randomValue([3, 1], 6) },
  },
  scale: { build: (b, { x }) => b.scale(x, -2.5), values: { x: matrix } },
  exp: { build: (b, { x }) => b.exp(x), values: { x: matrix } },
  log: { build: (b, { x }) => b.log(x), values: { x: randomValue([5], 1, positive) } },
  squareRoot: { build: (b, { x }) => b.squareRoot(x), values: { x: randomValue([5], 1, positive) } },
  reciprocalSquareRoot: {
    build: (b, { x }) => b.reciprocalSquareRoot(x),
    values: { x: randomValue([5], 1, positive) },
  },
  tanh: { build: (b, { x }) => b.tanh(x), values: { x: matrix } },
  sigmoid: { build: (b, { x }) => b.sigmoid(x), values: { x: matrix } },
  reduceSum: { build: (b, { x }) => b.reduceSum(x, [1]), values: { x: matrix } },
  'reduceSum, symbolic, kept': {
    build: (b, { x }) => b.multiply(x, b.reduceSum(x, [0, 1], { keepAxes: true })),
    values: { x: matrix },
    symbolic: { x: ['batch', 4] },
  },
  reduceMean: { build: (b, { x }) => b.reduceMean(x, [1], { keepAxes: true }), values: { x: matrix } },
  'reduceMean, two axes': {
    build: (b, { x }) => b.reduceMean(x, [0, 2]),
    values: { x: randomValue([2, 3, 4], 7) },
  },
  reduceMax: { build: (b, { x }) => b.reduceMax(x, [0]), values: { x: matrix } },
  softmax: { build: (b, { x }) => b.softmax(x), values: { x: matrix } },
  'softmax, times values': {
    build: (b, { x, y }) => b.matmul(b.softmax(x), y),
    values: { x: matrix, y: randomValue([4, 2], 18) },
  },
  'softmax, reshaped, times values': {
    build: (b, { x, y }) => b.matmul(b.reshape(b.softmax(x), [2, 6, 4]), y),
    values: { x: randomValue([2, 2, 3, 4], 19), y: randomValue([2, 4, 2], 18) },
  },
  silu: { build: (b, { x }) => b.silu(x), values: { x: matrix } },
  rmsNormalize: {
    build: (b, { x, y }) => b.rmsNormalize(x, y, 1e-3),
    values: { x: randomValue([2, 3, 4], 7), y: row },
  },
  reciprocalRms: { build: (b, { x }) => b.reciprocalRms(x, 1e-3), values: { x: matrix } },
  logSoftmax: {
    build: (b, { x }) => b.logSoftmax(x),
    values: { x: randomValue([2, 3, 4], 8, { low: -9, high: 9 }) },
  },
  reshape: { build: (b, { x }) => b.exp(b.reshape(x, [2, 6])), values: { x: matrix } },
  'reshape, symbolic': {
    build: (b, { x }) => b.exp(b.reshape(x, ['2*batch', 2])),
    values: { x: matrix },
    symbolic: { x: ['batch', 4] },
  },
  transpose: { build: (b, { x }) => b.transpose(x, [2, 0, 1]), values: { x: randomValue([2, 3, 4], 9) } },
  broadcastTo: { build: (b, { x }) => b.broadcastTo(x, [2, 3, 4]), values: { x: randomValue([3, 1], 10) } },
  slice: { build: (b, { x }) => b.slice(x, 1, 1, 3), values: { x: matrix } },
  'slice, symbolic': {
    build: (b, { x, y }) => b.slice(b.concat([x, y], 0), 0, 'past', 'chunk+past'),
    values: { x: matrix, y: randomValue([2, 4], 3) },
    symbolic: { x: ['past', 4], y: ['chunk', 4] },
  },
  concat: { build: (b, { x, y }) => b.concat([x, y], 1), values: { x: matrix, y: randomValue([3, 2], 11) } },
  gatherRows: {
    build: (b, { x, ids }) => b.gatherRows(x, ids),
    values: { x: randomValue([5, 3], 12), ids: indices },
    integers: ['ids'],
  },
  'gatherRows, large': {
    build: (b, { x, ids }) => b.gatherRows(x, ids),
    values: { x: randomValue([5, 3], 12), ids: indices },
    integers: ['ids'],
    symbolic: { x: ['rows', 3] },
  },
  scatterAddRows: {
    build: (b, { x, ids }) => b.scatterAddRows(ids, x, 5),
    values: { x: randomValue([2, 3, 4], 13), ids: indices },
    integers: ['ids'],
  },
  gatherLast: {
    build: (b, { x, ids }) => b.gatherLast(x, ids),
    values: { x: randomValue([2, 3, 5], 14), ids: indices },
    integers: ['ids'],
  },
};

const matmulShapes: Readonly<Record<string, readonly [number[], number[]]>> = {
  'two axes': [
    [2, 3],
    [3, 4],
  ],
  batched: [
    [5, 2, 3],
    [5, 3, 4],
  ],
  'batch on the left': [
    [2, 5, 2, 3],
    [3, 4],
  ],
  'broadcast batches': [
    [2, 1, 2, 3],
    [4, 3, 2],
  ],
};

function swapLast(shape: readonly number[], isSwapped: boolean): number[] {
  const [rows, columns] = shape.slice(-2);
  return isSwapped ? [...shape.slice(0, -2), columns, rows] : [...shape];
}

describe('gradients agree with finite differences', () => {
  for (const [name, { build, values, ...options }] of Object.entries(cases)) {
    test(name, () => checkGradients(build, values, options));
  }
  for (const [name, [left, right]] of Object.entries(matmulShapes)) {
    for (const flags of [0, 1, 2, 3]) {
      const [transposeA, transposeB] = [(flags & 1) === 1, (flags & 2) === 2];
      test(`matmul, ${name}, transposes ${transposeA} ${transposeB}`, () => {
        const x = randomValue(swapLast(left, transposeA), 20);
        const y = randomValue(swapLast(right, transposeB), 21);
        checkGradients((b, inputs) => b.matmul(inputs.x, inputs.y, { transposeA, transposeB }), { x, y });
      });
    }
  }
  test('rotate', () => {
    const tables = { cos: randomValue([2, 3, 2], 15), sin: randomValue([2, 3, 2], 16) };
    checkGradients(
      (b, { x }) =>
        b.rotate(
          x,
          b.constant('float32', [2, 3, 2], [...tables.cos.data]),
          b.constant('float32', [2, 3, 2], [...tables.sin.data]),
        ),
      { x: randomValue([2, 2, 3, 4], 17) },
    );
  });
  test('every differentiable operation has a case', () => {
    const tested = new Set(['matmul', 'rotate', ...Object.keys(cases).map((name) => name.split(',')[0])]);
    const rules = Object.entries(operationRules);
    const differentiable = rules.filter(([, rule]) => rule.gradient !== null).map(([kind]) => kind);
    expect(differentiable.filter((kind) => !tested.has(kind))).toEqual([]);
    expect(
      rules
        .filter(([, rule]) => rule.gradient === null)
        .map(([kind]) => kind)
        .toSorted(),
    ).toEqual(['cast', 'constant', 'equal', 'greater', 'input', 'oneHot', 'stopGradient']);
  });
});

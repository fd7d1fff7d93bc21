import { describe, expect, test } from 'vitest';
import type { HostTensor } from '#engine/executor';
import { bindDimensions } from '#engine/graph/bindDimensions';
import {
  addDimensions,
  broadcastShapes,
  evaluateDimension,
  multiplyDimensions,
  subtractDimensions,
} from '#engine/graph/dimension';
import { gradients } from '#engine/graph/gradients';
import { GraphError } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';

describe('symbolic sizes', () => {
  test('equal sizes have one spelling', () => {
    expect(multiplyDimensions('length', 2, 'batch', 3)).toBe('6*batch*length');
    expect(multiplyDimensions('batch', '3*length', 2)).toBe('6*batch*length');
    expect(addDimensions('past', 'chunk')).toBe('chunk+past');
    expect(addDimensions('chunk', 'chunk')).toBe('2*chunk');
    expect(multiplyDimensions(2, 'chunk+past')).toBe('2*chunk+2*past');
    expect(subtractDimensions('chunk+past', 'past')).toBe('chunk');
    expect(subtractDimensions('chunk+3', 'chunk')).toBe(3);
    expect(multiplyDimensions()).toBe(1);
  });

  test('numbers come out of the sizes of the names', () => {
    const sizes = new Map([
      ['batch', 2],
      ['past', 5],
    ]);
    expect(evaluateDimension('3*batch*past', sizes)).toBe(30);
    expect(evaluateDimension('batch+past+1', sizes)).toBe(8);
    expect(() => evaluateDimension('other', sizes)).toThrow('has no size');
    expect(() => subtractDimensions('past', 'batch')).toThrow(GraphError);
  });

  test('broadcasting aligns the last axes', () => {
    expect(broadcastShapes(['batch', 1, 4], ['length', 1])).toEqual(['batch', 'length', 4]);
    expect(broadcastShapes(['batch?', 3], ['batch', 3])).toEqual(['batch', 3]);
    expect(() => broadcastShapes(['batch'], ['length'])).toThrow('[batch] and [length] do not broadcast');
  });
});

describe('building', () => {
  test('equal expressions are one node', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    expect(builder.exp(builder.scale(x, 2))).toBe(builder.exp(builder.scale(x, 2)));
    expect(builder.exp(x)).not.toBe(builder.tanh(x));
  });

  test('what does not fit is refused with the shapes', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', ['batch', 3]);
    const ids = builder.input('ids', 'int32', ['batch']);
    expect(() => builder.matmul(x, x)).toThrow('inner sizes differ in matmul [batch, 3] · [batch, 3]');
    expect(() => builder.reshape(x, ['batch', 4])).toThrow('element counts differ');
    expect(() => builder.add(x, ids)).toThrow('float32 and int32');
    expect(() => builder.gatherRows(x, x)).toThrow('indices must be int32');
    expect(() => builder.input('x', 'float32', [])).toThrow('already has an input "x"');
    expect(() => gradients(builder, x, [x])).toThrow('must be a scalar');
  });

  test('only what the outputs depend on is in the graph', () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    builder.tanh(x);
    const graph = builder.finish('test', { y: builder.exp(x) });
    expect(graph.nodes.map(({ kind }) => kind)).toEqual(['input', 'exp']);
  });

  test('stopGradient and unrelated variables have gradient zero', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    const other = builder.input('other', 'float32', [2]);
    const loss = builder.reduceSum(builder.multiply(x, builder.stopGradient(x)), [0]);
    const [slope, zero] = gradients(builder, loss, [x, other]);
    const executable = await createReferenceExecutor().compile(builder.finish('test', { slope, zero }));
    const tensor: HostTensor = { type: 'float32', shape: [2], data: Float32Array.of(3, -5) };
    const outputs = await executable.run({ x: tensor, other: tensor });
    expect([...outputs['slope'].data]).toEqual([3, -5]);
    expect([...outputs['zero'].data]).toEqual([0, 0]);
  });

  test('equal operands of maximum and minimum give all gradient to the first', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1]);
    const y = builder.input('y', 'float32', [1]);
    for (const result of [builder.maximum(x, y), builder.minimum(x, y)]) {
      const [left, right] = gradients(builder, builder.reduceSum(result, [0]), [x, y]);
      const executable = await createReferenceExecutor().compile(builder.finish('test', { left, right }));
      const tensor: HostTensor = { type: 'float32', shape: [1], data: Float32Array.of(2) };
      const outputs = await executable.run({ x: tensor, y: tensor });
      expect([outputs['left'].data[0], outputs['right'].data[0]]).toEqual([1, 0]);
    }
  });
});

describe('running', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['batch', 2]);
  const mask = builder.input('mask', 'float32', ['batch?', 2]);
  const graph = builder.finish('sum', { y: builder.add(x, mask) });
  const floats = (shape: number[], data: number[]): HostTensor => ({
    type: 'float32',
    shape,
    data: Float32Array.from(data),
  });

  test('a size with ? is either the size or 1', () => {
    const rows = floats([2, 2], [1, 2, 3, 4]);
    expect(bindDimensions(graph, { x: rows, mask: floats([1, 2], [0, 0]) })).toEqual(new Map([['batch', 2]]));
    expect(bindDimensions(graph, { x: rows, mask: rows })).toEqual(new Map([['batch', 2]]));
    expect(() => bindDimensions(graph, { x: rows, mask: floats([3, 2], [0, 0, 0, 0, 0, 0]) })).toThrow(
      'input "mask" must be float32 [batch?, 2], but is float32 [3, 2]',
    );
  });

  test('missing and misshapen inputs are named', () => {
    expect(() => bindDimensions(graph, { x: floats([1, 2], [1, 2]) })).toThrow('input "mask" is missing');
    expect(() => bindDimensions(graph, { x: floats([2, 2], [1, 2]), mask: floats([1, 2], [0, 0]) })).toThrow(
      'with 2 elements',
    );
  });
});

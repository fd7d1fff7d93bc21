/** How each graph operation is said in ONNX. */
import type { GraphNode, OperationKind } from '#engine/graph/graph';
import type { OperationAttributes } from '#engine/graph/operations';
import { ELEMENT_TYPES, type OnnxAttribute } from '#engine/onnx/modelProto';
import type { OnnxEmitter } from '#engine/onnx/onnxEmitter';

/** One node to emit: names of its operands, and the nodes behind them for their shapes. */
interface OperatorCall<Attributes> {
  readonly operands: readonly string[];
  readonly inputs: readonly GraphNode[];
  readonly attributes: Attributes;
  readonly output: GraphNode;
}

type OperatorRule<Attributes> = (emitter: OnnxEmitter, call: OperatorCall<Attributes>) => string;

type OperatorRules = { readonly [Kind in OperationKind]: OperatorRule<OperationAttributes[Kind]> };

function int(value: number): OnnxAttribute {
  return { kind: 'int', value };
}

function lastAxis(): Readonly<Record<string, OnnxAttribute>> {
  return { axis: int(-1) };
}

/** An operation that ONNX has under another name. */
function same(operator: string): OperatorRule<unknown> {
  return (emitter, { operands }) => emitter.call(operator, operands);
}

function reduction(operator: string): OperatorRule<OperationAttributes['reduceSum']> {
  return (emitter, { operands: [x], attributes: { axes, keepAxes } }) => {
    if (axes.length === 0) return x;
    return emitter.call(operator, [x, emitter.integers(axes)], {
      attributes: { keepdims: int(keepAxes ? 1 : 0) },
    });
  };
}

/** Gemm for two matrices, ONNX Runtime's FusedMatMul for transposed batches: neither copies a transpose. */
const emitMatmul: OperatorRule<OperationAttributes['matmul']> = (
  emitter,
  { operands, inputs, attributes },
) => {
  const flags = { transA: int(Number(attributes.transposeA)), transB: int(Number(attributes.transposeB)) };
  if (inputs.every(({ shape }) => shape.length === 2))
    return emitter.call('Gemm', operands, { attributes: flags });
  if (!attributes.transposeA && !attributes.transposeB) return emitter.call('MatMul', operands);
  return emitter.call('FusedMatMul', operands, { attributes: flags, domain: 'com.microsoft' });
};

const emitSlice: OperatorRule<OperationAttributes['slice']> = (emitter, { operands: [x], attributes }) => {
  const { axis, start, end } = attributes;
  return emitter.call('Slice', [x, emitter.size(start), emitter.size(end), emitter.integers([axis])]);
};

const emitScale: OperatorRule<OperationAttributes['scale']> = (
  emitter,
  { operands: [x], attributes: { factor } },
) => (factor === -1 ? emitter.call('Neg', [x]) : emitter.call('Mul', [x, emitter.float(factor)]));

const emitReciprocalRms: OperatorRule<OperationAttributes['reciprocalRms']> = (emitter, call) => {
  const [{ shape }] = call.inputs;
  const axes = emitter.integers([shape.length - 1]);
  const squares = emitter.call('ReduceSumSquare', [call.operands[0], axes], {
    attributes: { keepdims: int(1) },
  });
  const mean = emitter.call('Div', [squares, emitter.float(Number(shape[shape.length - 1]))]);
  const shifted = emitter.call('Add', [mean, emitter.float(call.attributes.epsilon)]);
  return emitter.call('Reciprocal', [emitter.call('Sqrt', [shifted])]);
};

/** ScatterND adds rows at int64 positions to zeros. */
const emitScatterAddRows: OperatorRule<OperationAttributes['scatterAddRows']> = (emitter, call) => {
  const [indices, updates] = call.operands;
  const width = call.inputs[1].shape.slice(-1);
  const zeros = emitter.call('Expand', [emitter.float(0), emitter.shape(call.output.shape)]);
  const wide = emitter.call('Cast', [indices], { attributes: { to: int(ELEMENT_TYPES.int64) } });
  const column = emitter.call('Reshape', [wide, emitter.integers([-1, 1])]);
  const lastSize = typeof width[0] === 'number' ? emitter.integers([-1, width[0]]) : null;
  const rows =
    lastSize ??
    emitter.call('Concat', [emitter.integers([-1]), emitter.shape(width)], { attributes: { axis: int(0) } });
  const flat = emitter.call('Reshape', [updates, rows]);
  return emitter.call('ScatterND', [zeros, column, flat], {
    attributes: { reduction: { kind: 'string', value: 'add' } },
  });
};

const emitGatherLast: OperatorRule<unknown> = (emitter, { operands: [values, indices] }) => {
  const last = emitter.integers([-1]);
  const column = emitter.call('Unsqueeze', [indices, last]);
  const picked = emitter.call('GatherElements', [values, column], { attributes: lastAxis() });
  return emitter.call('Squeeze', [picked, last]);
};

/** A comparison with 0, 1, 2, …: quicker on the CPU than ONNX's OneHot. */
const emitOneHot: OperatorRule<OperationAttributes['oneHot']> = (
  emitter,
  { operands: [indices], attributes },
) => {
  const column = emitter.call('Unsqueeze', [indices, emitter.integers([-1])]);
  const last = emitter.call('Squeeze', [emitter.size(attributes.depth), emitter.integers([0])]);
  const count = emitter.call('Cast', [last], { attributes: { to: int(ELEMENT_TYPES.int32) } });
  const [first, step] = [0, 1].map((value) => emitter.constant('int32', [], [value]));
  const positions = emitter.call('Range', [first, count, step]);
  const isChosen = emitter.call('Equal', [column, positions]);
  return emitter.call('Cast', [isChosen], { attributes: { to: int(ELEMENT_TYPES.float32) } });
};

export const operatorRules: OperatorRules = {
  input: (_, { attributes }) => attributes.name,
  constant: (emitter, { attributes: { type, shape, values } }) => emitter.constant(type, shape, values),
  add: same('Add'),
  subtract: same('Sub'),
  multiply: same('Mul'),
  divide: same('Div'),
  minimum: same('Min'),
  maximum: same('Max'),
  equal: same('Equal'),
  greater: same('Greater'),
  where: same('Where'),
  scale: emitScale,
  exp: same('Exp'),
  log: same('Log'),
  squareRoot: same('Sqrt'),
  reciprocalSquareRoot: (emitter, { operands }) =>
    emitter.call('Reciprocal', [emitter.call('Sqrt', operands)]),
  tanh: same('Tanh'),
  sigmoid: same('Sigmoid'),
  silu: (emitter, { operands: [x] }) => emitter.call('Mul', [x, emitter.call('Sigmoid', [x])]),
  rmsNormalize: (emitter, { operands, attributes: { epsilon } }) =>
    emitter.call('RMSNormalization', operands, {
      attributes: { axis: int(-1), epsilon: { kind: 'float', value: epsilon } },
    }),
  reciprocalRms: emitReciprocalRms,
  cast: (emitter, { operands, attributes: { to } }) =>
    emitter.call('Cast', operands, { attributes: { to: int(ELEMENT_TYPES[to]) } }),
  stopGradient: (_, { operands: [x] }) => x,
  matmul: emitMatmul,
  reduceSum: reduction('ReduceSum'),
  reduceMean: reduction('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  softmax: (emitter, { operands }) => emitter.call('Softmax', operands, { attributes: lastAxis() }),
  logSoftmax: (emitter, { operands }) => emitter.call('LogSoftmax', operands, { attributes: lastAxis() }),
  reshape: (emitter, { operands: [x], inputs: [from], attributes: { shape } }) =>
    emitter.reshape(x, from, shape),
  transpose: (emitter, { operands, attributes: { permutation } }) =>
    emitter.call('Transpose', operands, { attributes: { perm: { kind: 'ints', value: permutation } } }),
  broadcastTo: (emitter, { operands: [x], attributes: { shape } }) =>
    emitter.call('Expand', [x, emitter.shape(shape)]),
  slice: emitSlice,
  concat: (emitter, { operands, attributes: { axis } }) =>
    emitter.call('Concat', operands, { attributes: { axis: int(axis) } }),
  gatherRows: (emitter, { operands }) => emitter.call('Gather', operands, { attributes: { axis: int(0) } }),
  scatterAddRows: emitScatterAddRows,
  gatherLast: emitGatherLast,
  oneHot: emitOneHot,
  rotate: (emitter, { operands }) => emitter.call('RotaryEmbedding', operands),
};

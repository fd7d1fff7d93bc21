import type { Graph, GraphNode, OperationKind, Shape } from '#engine/graph/graph';
import { writeModel, type OnnxValueInfo } from '#engine/onnx/modelProto';
import { OnnxEmitter } from '#engine/onnx/onnxEmitter';
import { operatorRules } from '#engine/onnx/operatorRules';

/** RotaryEmbedding came with opset 23. */
const OPSET = 23;

/** Prefix of output names: ONNX values are assigned once, but an output may be called as an input is. */
export const OUTPUT_PREFIX = 'output.';

function describe(name: string, { type, shape }: GraphNode): OnnxValueInfo {
  return { name, type, shape: dimensionNames(shape) };
}

/** A `?` size may be 1, so it must not share the name of the size it may also have. */
function dimensionNames(shape: Shape): (number | string)[] {
  return shape.map((size) => (typeof size === 'string' ? size.replace('?', '_or_1') : size));
}

function emitNode<Kind extends OperationKind>(
  emitter: OnnxEmitter,
  node: GraphNode<Kind>,
  { operands, output }: { readonly operands: readonly string[]; readonly output: GraphNode },
): string {
  const rule: (typeof operatorRules)[Kind] = operatorRules[node.kind];
  return rule(emitter, { operands, inputs: node.inputs, attributes: node.attributes, output });
}

/** The graph as an ONNX model; outputs are named `OUTPUT_PREFIX` + their name. */
export function emitModel(graph: Graph): Uint8Array {
  const emitter = new OnnxEmitter(graph);
  const names = new Map<number, string>();
  const nameOf = ({ id, kind }: GraphNode): string => {
    const name = names.get(id);
    if (name === undefined)
      throw new Error(`Broken invariant: ${kind} node ${id} is used before it is emitted`);
    return name;
  };
  for (const node of graph.nodes) {
    names.set(node.id, emitNode(emitter, node, { operands: node.inputs.map(nameOf), output: node }));
  }
  for (const [name, node] of graph.outputs) {
    const output = { domain: '', operator: 'Identity', inputs: [nameOf(node)], attributes: {} } as const;
    emitter.nodes.push({ ...output, outputs: [OUTPUT_PREFIX + name] });
  }
  return writeModel({
    name: graph.name,
    opset: OPSET,
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: [...graph.inputs].map(([name, node]) => describe(name, node)),
    outputs: [...graph.outputs].map(([name, node]) => describe(OUTPUT_PREFIX + name, node)),
  });
}

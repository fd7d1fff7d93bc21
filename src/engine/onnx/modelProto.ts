/** Writes the part of onnx.proto3 that graphs need. Field numbers are those of the ONNX IR. */
import { PbfWriter } from 'pbf';

/** Element types of `TensorProto.DataType`. */
export const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export type OnnxAttribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string };

export interface OnnxNode {
  /** '' is the ONNX domain. */
  readonly domain: '' | 'com.microsoft';
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant tensor; `values` row-major. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A graph input or output; a text dimension is a `dim_param`. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** IR version 10 goes with opsets 21 to 23. */
const IR_VERSION = 10;

const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

function writeAttribute([name, attribute]: readonly [string, OnnxAttribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  switch (attribute.kind) {
    case 'float':
      pbf.writeFloatField(2, attribute.value);
      break;
    case 'int':
      pbf.writeVarintField(3, attribute.value);
      break;
    case 'string':
      pbf.writeBytesField(4, new TextEncoder().encode(attribute.value));
      break;
    case 'ints':
      for (const value of attribute.value) pbf.writeVarintField(8, value);
      break;
  }
  pbf.writeVarintField(20, ATTRIBUTE_TYPES[attribute.kind]);
}

function writeNode(node: OnnxNode, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(1, input);
  for (const output of node.outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, node.outputs[0]);
  pbf.writeStringField(4, node.operator);
  for (const entry of Object.entries(node.attributes)) pbf.writeMessage(5, writeAttribute, entry);
  if (node.domain !== '') pbf.writeStringField(7, node.domain);
}

function toBytes({ type, values }: OnnxInitializer): Uint8Array {
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(values).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(values).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    case 'bool':
      return Uint8Array.from(values);
  }
}

function writeInitializer(tensor: OnnxInitializer, pbf: PbfWriter): void {
  for (const size of tensor.shape) pbf.writeVarintField(1, size);
  pbf.writeVarintField(2, ELEMENT_TYPES[tensor.type]);
  pbf.writeStringField(8, tensor.name);
  pbf.writeBytesField(9, toBytes(tensor));
}

function writeDimension(dimension: number | string, pbf: PbfWriter): void {
  if (typeof dimension === 'number') pbf.writeVarintField(1, dimension);
  else pbf.writeStringField(2, dimension);
}

function writeShape(shape: readonly (number | string)[], pbf: PbfWriter): void {
  for (const dimension of shape) pbf.writeMessage(1, writeDimension, dimension);
}

function writeTensorType(info: OnnxValueInfo, pbf: PbfWriter): void {
  pbf.writeVarintField(1, ELEMENT_TYPES[info.type]);
  pbf.writeMessage(2, writeShape, info.shape);
}

function writeType(info: OnnxValueInfo, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, info);
}

function writeValueInfo(info: OnnxValueInfo, pbf: PbfWriter): void {
  pbf.writeStringField(1, info.name);
  pbf.writeMessage(2, writeType, info);
}

function writeGraph(model: OnnxModel, pbf: PbfWriter): void {
  for (const node of model.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, model.name);
  for (const tensor of model.initializers) pbf.writeMessage(5, writeInitializer, tensor);
  for (const input of model.inputs) pbf.writeMessage(11, writeValueInfo, input);
  for (const output of model.outputs) pbf.writeMessage(12, writeValueInfo, output);
}

function writeOpset([domain, version]: readonly [string, number], pbf: PbfWriter): void {
  pbf.writeStringField(1, domain);
  pbf.writeVarintField(2, version);
}

/** The bytes of a `ModelProto`, as an `.onnx` file holds them. */
export function writeModel(model: OnnxModel): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, 'arpo');
  pbf.writeMessage(7, writeGraph, model);
  pbf.writeMessage(8, writeOpset, ['', model.opset] as const);
  pbf.writeMessage(8, writeOpset, ['com.microsoft', 1] as const);
  return pbf.finish();
}

import { isName } from '#engine/graph/dimension';
import { GraphError, type Dimension, type Graph, type GraphNode, type Shape } from '#engine/graph/graph';
import type { ElementType, OnnxAttribute, OnnxInitializer, OnnxNode } from '#engine/onnx/modelProto';

/** What one ONNX operator call says beside its inputs. */
export interface CallOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: OnnxNode['domain'];
}

/** Collects ONNX nodes and constants; knows how to compute symbolic sizes inside the model. */
export class OnnxEmitter {
  readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<string, OnnxInitializer>();
  private readonly sizes = new Map<Dimension, string>();
  /** Where each named dimension can be read: an input and an axis. */
  private readonly sources = new Map<string, { readonly input: string; readonly axis: number }>();
  private temporaries = 0;

  constructor(graph: Graph) {
    for (const [input, { shape }] of graph.inputs) {
      shape.forEach((dimension, axis) => {
        if (isName(dimension) && !this.sources.has(dimension)) this.sources.set(dimension, { input, axis });
      });
    }
  }

  get initializers(): OnnxInitializer[] {
    return [...this.constants.values()];
  }

  /** Adds an operator call with one output. @returns The output's name. */
  call(operator: string, inputs: readonly string[], options: CallOptions = {}): string {
    this.temporaries += 1;
    const name = `${operator}_${this.temporaries}`;
    const { attributes = {}, domain = '' } = options;
    this.nodes.push({ domain, operator, inputs, outputs: [name], attributes });
    return name;
  }

  /** A constant, stored once however often it is asked for. @returns Its name. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): string {
    const key = `${type} ${JSON.stringify(shape)} ${JSON.stringify(values)}`;
    const existing = this.constants.get(key);
    if (existing !== undefined) return existing.name;
    const name = `constant_${this.constants.size + 1}`;
    this.constants.set(key, { name, type, shape, values });
    return name;
  }

  /** An int64 vector known now. */
  integers(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  float(value: number): string {
    return this.constant('float32', [], [value]);
  }

  /** A size as an int64 tensor `[1]`, computed from the inputs' shapes where it is symbolic. */
  size(dimension: Dimension): string {
    if (typeof dimension === 'number') return this.integers([dimension]);
    const existing = this.sizes.get(dimension);
    if (existing !== undefined) return existing;
    const name = this.emitSize(dimension);
    this.sizes.set(dimension, name);
    return name;
  }

  private emitSize(dimension: string): string {
    for (const [separator, operator] of [
      ['+', 'Add'],
      ['*', 'Mul'],
    ] as const) {
      const parts = dimension.split(separator);
      if (parts.length > 1) {
        const names = parts.map((part) => this.size(/^\d+$/.test(part) ? Number(part) : part));
        return names.reduce((left, right) => this.call(operator, [left, right]));
      }
    }
    const source = this.sources.get(dimension);
    if (source === undefined) throw new GraphError(`no input of the graph has the dimension "${dimension}"`);
    return this.call('Shape', [source.input], {
      attributes: {
        start: { kind: 'int', value: source.axis },
        end: { kind: 'int', value: source.axis + 1 },
      },
    });
  }

  /** A shape as an int64 vector. */
  shape(shape: Shape): string {
    const fixed = shape.filter((dimension) => typeof dimension === 'number');
    if (fixed.length === shape.length) return this.integers(fixed);
    const parts = shape.map((dimension) => this.size(dimension));
    return this.call('Concat', parts, { attributes: { axis: { kind: 'int', value: 0 } } });
  }

  /** Reshapes with a constant wherever ONNX's 0 (same size) and −1 (the rest) can say the shape. */
  reshape(name: string, from: GraphNode, shape: Shape): string {
    const codes = shape.map((dimension, axis) => {
      if (typeof dimension === 'number') return dimension;
      return from.shape[axis] === dimension ? 0 : -1;
    });
    // A 0 in the target means "same size" to ONNX, so an empty tensor needs the computed shape.
    const isSayable = codes.filter((code) => code === -1).length <= 1 && !shape.includes(0);
    return this.call('Reshape', [name, isSayable ? this.integers(codes) : this.shape(shape)]);
  }
}

import { EngineError } from '#engine/engineError';
import type { Executable, Executor, HostTensor } from '#engine/executor';
import { bindDimensions } from '#engine/graph/bindDimensions';
import type { Graph } from '#engine/graph/graph';
import { emitModel, OUTPUT_PREFIX } from '#engine/onnx/emitModel';
import type * as OnnxRuntimeModule from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

type OnnxRuntime = typeof OnnxRuntimeModule;

export interface OnnxOptions {
  /** Threads of one operation, ≥ 1. More than one helps training and not decoding. */
  readonly intraOpThreads: number;
  /** ONNX Runtime's own rewriting of the model. Default: `all`. */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Reuses the memory layout of an earlier run with equal shapes. Default: true. */
  readonly memoryPattern?: boolean;
  /**
   * Idle threads wait in a loop instead of sleeping. Default: true. With two threads on two free cores
   * that gave 1.2 times the training speed of sleeping, and 0.6 times on cores shared with other work.
   */
  readonly isSpinning?: boolean;
}

const ADVICE =
  'Install it with "npm install onnxruntime-node" (behind a proxy: ONNXRUNTIME_NODE_INSTALL=skip npm install), ' +
  'check that its bin folder has this platform and architecture, or choose another engine (--engine reference is slow).';

async function loadRuntime(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      'engineNotAvailable',
      `ONNX Runtime does not load on ${process.platform}-${process.arch} with Node ${process.versions.node}: ${reason}. ${ADVICE}`,
      { cause: error },
    );
  }
}

function sessionOptions(options: OnnxOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.graphOptimization ?? 'all',
    enableMemPattern: options.memoryPattern ?? true,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: (options.isSpinning ?? true) ? '1' : '0' } } },
  };
}

function fromTensor(graph: Graph, name: string, tensor: Tensor): HostTensor {
  const { data, dims: shape } = tensor;
  if (data instanceof Float32Array) return { type: 'float32', shape, data };
  if (data instanceof Int32Array) return { type: 'int32', shape, data };
  if (tensor.type === 'bool' && data instanceof Uint8Array) {
    return { type: 'int32', shape, data: Int32Array.from(data) };
  }
  throw new EngineError(
    'engineNotAvailable',
    `ONNX Runtime returned ${tensor.type} for output "${name}" of the ${graph.name} graph; float32 or int32 was expected`,
  );
}

async function runSession(
  runtime: OnnxRuntime,
  { graph, session }: { readonly graph: Graph; readonly session: InferenceSession },
  inputs: Readonly<Record<string, HostTensor>>,
): Promise<Record<string, HostTensor>> {
  bindDimensions(graph, inputs);
  const feeds: Record<string, Tensor> = {};
  for (const name of graph.inputs.keys()) {
    const tensor = inputs[name];
    feeds[name] =
      tensor.type === 'float32'
        ? new runtime.Tensor('float32', tensor.data, tensor.shape)
        : new runtime.Tensor('int32', tensor.data, tensor.shape);
  }
  const results = await session.run(feeds);
  return Object.fromEntries(
    [...graph.outputs.keys()].map((name) => [name, fromTensor(graph, name, results[OUTPUT_PREFIX + name])]),
  );
}

/**
 * Runs graphs with ONNX Runtime on the CPU: the executor named `onnx`. Inputs are read in place. Bool
 * outputs come as int32. A run blocks the event loop until it ends, because the Node binding is
 * synchronous: what has to answer meanwhile belongs into another process.
 *
 * @throws EngineError `engineNotAvailable` when the package or its native library does not load.
 */
export async function createOnnxExecutor(options: OnnxOptions): Promise<Executor> {
  const runtime = await loadRuntime();
  return {
    name: 'onnx',
    async compile(graph): Promise<Executable> {
      const session = await runtime.InferenceSession.create(emitModel(graph), sessionOptions(options));
      return {
        run: (inputs) => runSession(runtime, { graph, session }, inputs),
        dispose: () => session.release(),
      };
    },
    dispose: async () => {},
  };
}

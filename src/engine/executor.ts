/**
 * Between the policy graph and whatever runs it. An executor compiles a graph once; the executable
 * then runs with any sizes that fit its symbolic dimensions.
 */
import type { Graph } from '#engine/graph/graph';

/** A dense row-major array in main memory. */
export type HostTensor =
  | { readonly type: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array };

export interface Executable {
  /**
   * @param inputs One tensor per graph input, by name. Not modified, not kept.
   * @returns One tensor per graph output, by name, owned by the caller.
   */
  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  dispose(): Promise<void>;
}

export interface Executor {
  /** As in `--engine`: `onnx`, `reference`, … */
  readonly name: string;
  compile(graph: Graph): Promise<Executable>;
  dispose(): Promise<void>;
}

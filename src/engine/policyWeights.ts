import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { NamedTensor, NamedTensors } from '#engine/policy';
import { checkWeights } from '#engine/weightCheck';

/**
 * The current weights of a policy in main memory, shared by its samplers and its trainer. An update
 * replaces the arrays and never writes into them, so whoever holds an array holds a snapshot.
 */
export class PolicyWeights {
  readonly #config: LlamaConfig;
  #tensors: ReadonlyMap<string, NamedTensor> = new Map();
  #inputs: Readonly<Record<string, HostTensor>> = {};
  #version = 0;

  /** @throws EngineError `wrongCheckpoint` when names or shapes are not those of the model. */
  constructor(config: LlamaConfig, weights: NamedTensors) {
    this.#config = config;
    this.replace(weights);
  }

  /** Changes with every replacement: what was computed under another version is out of date. */
  get version(): number {
    return this.#version;
  }

  /** The weights as inputs of a graph, by their names. */
  get inputs(): Readonly<Record<string, HostTensor>> {
    return this.#inputs;
  }

  /** The weights by their names, in the order of the model. */
  get tensors(): NamedTensors {
    return this.#tensors;
  }

  /**
   * Takes new weights over.
   *
   * @param weights All weights of the model. The arrays become the policy's and must not be modified.
   * @throws EngineError `wrongCheckpoint`, and then nothing has changed.
   */
  replace(weights: NamedTensors): void {
    const tensors = checkWeights(this.#config, weights, { where: 'weights' });
    this.#tensors = tensors;
    this.#inputs = Object.fromEntries(
      [...tensors].map(([name, { shape, data }]) => [name, { type: 'float32', shape, data }] as const),
    );
    this.#version += 1;
  }
}

import { assert } from '#base/assert';
import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { planMicroBatches } from '#engine/microBatches';
import type { LossReport } from '#engine/policy';
import type { PolicyGraphName, PolicyGraphs } from '#engine/policyGraphs';
import type { PolicyWeights } from '#engine/policyWeights';
import { padTokenValues, TokenInputs, unpadTokenValues } from '#engine/tokenInputs';

/** What scoring and training work with. */
export interface ScorerParts {
  readonly config: LlamaConfig;
  readonly graphs: PolicyGraphs;
  readonly weights: PolicyWeights;
  /** Most positions of one run of a graph, padding included: bounds the memory it needs. */
  readonly microBatchTokens: number;
}

/** A graph to run over sequences, and what it wants beside their tokens. */
export interface ScoringPass {
  readonly graph: PolicyGraphName;
  /** Inputs that are the same for every batch. */
  readonly constants: Readonly<Record<string, HostTensor>>;
  /** Per input name, per sequence `[T]`. */
  readonly tokenValues: Readonly<Record<string, readonly Float32Array[]>>;
  /** Sees all outputs of a batch before the next one runs; returns inputs that it adds to the next. */
  readonly afterBatch?: (
    outputs: Readonly<Record<string, HostTensor>>,
  ) => Readonly<Record<string, HostTensor>>;
}

/** Runs the loss and score graphs over sequences in micro-batches. */
export class Scorer {
  readonly #parts: ScorerParts;
  readonly #inputs: TokenInputs;

  constructor(parts: ScorerParts) {
    this.#parts = parts;
    this.#inputs = new TokenInputs(parts.config);
  }

  /**
   * @returns The sum of the graph's `loss` (0 when it has none), and `logProbs` and `entropies` in the
   *   order and lengths of the sequences. A sequence of one token has nothing to be predicted.
   * @throws EngineError `contextOverflow`; the reason of `signal` when it is aborted.
   */
  async run(sequences: readonly Int32Array[], pass: ScoringPass, signal: AbortSignal): Promise<LossReport> {
    const executable = await this.#parts.graphs.get(pass.graph);
    const logProbs: Float32Array[] = sequences.map(({ length }) => new Float32Array(length));
    const entropies: Float32Array[] = sequences.map(({ length }) => new Float32Array(length));
    const positions = sequences.map(({ length }) => Math.max(0, length - 1));
    let loss = 0;
    let carried = pass.constants;
    for (const batch of planMicroBatches(positions, this.#parts.microBatchTokens)) {
      signal.throwIfAborted();
      const inputs = this.#batchInputs(batch, sequences, pass);
      const outputs = await executable.run({ ...this.#parts.weights.inputs, ...carried, ...inputs });
      if (outputs['loss'] !== undefined) loss += outputs['loss'].data[0];
      const width = positions[batch[0]];
      for (const [row, index] of batch.entries()) {
        const sizes = { width, length: sequences[index].length };
        logProbs[index] = unpadTokenValues(float32(outputs, 'logProbs'), row, sizes);
        entropies[index] = unpadTokenValues(float32(outputs, 'entropies'), row, sizes);
      }
      if (pass.afterBatch !== undefined) carried = { ...carried, ...pass.afterBatch(outputs) };
    }
    return { loss, logProbs, entropies };
  }

  #batchInputs(
    batch: readonly number[],
    sequences: readonly Int32Array[],
    { tokenValues }: ScoringPass,
  ): Record<string, HostTensor> {
    const inputs = this.#inputs.create(batch.map((index) => sequences[index]));
    const width = sequences[batch[0]].length - 1;
    for (const [name, values] of Object.entries(tokenValues)) {
      inputs[name] = padTokenValues(
        batch.map((index) => values[index]),
        width,
      );
    }
    return inputs;
  }
}

/** A number as a scalar input. */
export function scalar(value: number): HostTensor {
  return { type: 'float32', shape: [], data: new Float32Array([value]) };
}

/** The data of an output that is known to be float32. */
export function float32(outputs: Readonly<Record<string, HostTensor>>, name: string): Float32Array {
  const tensor = outputs[name];
  assert(tensor?.type === 'float32', `the graph has the float32 output ${name}`);
  return tensor.data;
}

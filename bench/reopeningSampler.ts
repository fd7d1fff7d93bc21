import type {
  GeneratedSegment,
  GenerateRequest,
  Policy,
  Sampler,
  Sampling,
  SequenceId,
} from '#engine/policy';

/**
 * A sampler that forgets its cache between generations: every turn feeds the whole prefix of every row
 * again, as a trainer does that sends plain token lists to its inference engine. Equal rows of one
 * generation are still fed once, so the first turn of a group costs what it costs with forking.
 */
class ReopeningSampler implements Sampler {
  readonly #inner: Sampler;
  readonly #sequences = new Map<SequenceId, Int32Array>();
  #nextId = 1;

  constructor(inner: Sampler) {
    this.#inner = inner;
  }

  get counters(): Sampler['counters'] {
    return this.#inner.counters;
  }

  open(tokens: Int32Array): SequenceId {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#sequences.set(id, tokens.slice());
    return id;
  }

  fork(sequence: SequenceId, length: number): SequenceId {
    return this.open(this.#tokens(sequence).subarray(0, length));
  }

  append(sequence: SequenceId, tokens: Int32Array): void {
    const before = this.#tokens(sequence);
    const joined = new Int32Array(before.length + tokens.length);
    joined.set(before);
    joined.set(tokens, before.length);
    this.#sequences.set(sequence, joined);
  }

  lengthOf(sequence: SequenceId): number {
    return this.#tokens(sequence).length;
  }

  release(sequence: SequenceId): void {
    this.#sequences.delete(sequence);
  }

  async generate(
    requests: readonly GenerateRequest[],
    sampling: Sampling,
    signal: AbortSignal,
  ): Promise<GeneratedSegment[]> {
    const opened = requests.map((request) => ({
      ...request,
      sequence: this.#inner.open(this.#tokens(request.sequence)),
    }));
    const segments = await this.#inner.generate(opened, sampling, signal);
    for (const [index, { tokens }] of segments.entries()) this.append(requests[index].sequence, tokens);
    for (const { sequence } of opened) this.#inner.release(sequence);
    return segments;
  }

  #tokens(sequence: SequenceId): Int32Array {
    const tokens = this.#sequences.get(sequence);
    if (tokens === undefined) throw new RangeError(`Sequence ${sequence} is not open.`);
    return tokens;
  }
}

/** The same policy with samplers that never share a prefix between turns. */
export function withoutForking(policy: Policy): Policy {
  return {
    tokenizer: policy.tokenizer,
    contextLength: policy.contextLength,
    parameterCount: policy.parameterCount,
    createSampler: async () => new ReopeningSampler(await policy.createSampler()),
    createTrainer: async () => await policy.createTrainer(),
    exportWeights: () => policy.exportWeights(),
    importWeights: (weights) => policy.importWeights(weights),
    scoreTokens: async (sequences, temperature, signal) =>
      await policy.scoreTokens(sequences, temperature, signal),
    dispose: async () => await policy.dispose(),
  };
}

import { assert } from '#base/assert';
import { CacheRows } from '#engine/cacheRows';
import { DecodeBatch } from '#engine/decodeBatch';
import { EngineError } from '#engine/engineError';
import { findLeaders } from '#engine/equalSequences';
import type { Executable, HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { GeneratedSegment, GenerateRequest, Sampler, Sampling, SequenceId } from '#engine/policy';
import type { PolicyWeights } from '#engine/policyWeights';
import { TokenSampler } from '#engine/sampling';
import { Segment } from '#engine/segment';
import { Sequence } from '#engine/sequence';

/** Most tokens of one row in one run of the graph; longer prompts are fed in several. */
const LARGEST_CHUNK = 32;
/** Chunks are multiples of this, so that rows of about equal length go together. */
const CHUNK_STEP = 4;

/** What a sampler works with. */
export interface SamplerParts {
  readonly config: LlamaConfig;
  /** The compiled decode graph. */
  readonly executable: Executable;
  /** Read at every generation; after an update everything cached is out of date and computed again. */
  readonly weights: PolicyWeights;
  readonly endTokenId: number;
}

/**
 * Samples many sequences in lock step with keys and values cached in main memory. The rows that a
 * generation works on are the first rows of the cache; a row that finishes changes places with the last
 * active one, so that the model computes only what is wanted. Nothing that is cached is computed again:
 * a fork copies, a new sequence copies the longest prefix that any open one has cached, and of equal
 * sequences in one call only one is fed.
 */
export class CachingSampler implements Sampler {
  readonly counters = { sampledTokens: 0, fedTokens: 0, decodeSteps: 0 };

  readonly #parts: SamplerParts;
  readonly #rows: CacheRows;
  readonly #batch: DecodeBatch;
  readonly #sequences = new Map<SequenceId, Sequence>();
  #nextId = 1;
  #weightsVersion: number;
  #isGenerating = false;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
    this.#rows = new CacheRows(parts.config);
    this.#batch = new DecodeBatch(parts.config);
    this.#weightsVersion = parts.weights.version;
  }

  open(tokens: Int32Array): SequenceId {
    this.#checkTokens(tokens);
    const { max_position_embeddings: limit } = this.#parts.config;
    if (tokens.length === 0) throw new RangeError('A sequence begins with at least one token.');
    if (tokens.length >= limit) {
      throw new EngineError(
        'contextOverflow',
        `A prompt of ${tokens.length} tokens leaves no room to answer: the policy sees ${limit} tokens in all.`,
      );
    }
    return this.#add(tokens).id;
  }

  fork(sequence: SequenceId, length: number): SequenceId {
    const source = this.#sequence(sequence);
    if (!Number.isInteger(length) || length < 1 || length > source.length) {
      throw new RangeError(`Cannot share ${length} tokens of a sequence that has ${source.length}.`);
    }
    const copy = this.#add(source.tokens.subarray(0, length));
    this.#forgetOldWeights();
    // The last token stays pending even if it is cached: generating needs the logits after it.
    const cached = Math.min(source.cached, length - 1);
    if (cached > 0) this.#rows.copy(source, copy, cached);
    return copy.id;
  }

  append(sequence: SequenceId, tokens: Int32Array): void {
    this.#checkTokens(tokens);
    this.#sequence(sequence).append(tokens);
  }

  lengthOf(sequence: SequenceId): number {
    return this.#sequence(sequence).length;
  }

  release(sequence: SequenceId): void {
    this.#rows.remove(this.#sequence(sequence));
    this.#sequences.delete(sequence);
  }

  async generate(
    requests: readonly GenerateRequest[],
    sampling: Sampling,
    signal: AbortSignal,
  ): Promise<GeneratedSegment[]> {
    signal.throwIfAborted();
    const sampler = new TokenSampler(this.#parts.config.vocab_size, sampling);
    const segments = this.#createSegments(requests, sampling);
    const lengths = segments.map(({ sequence }) => sequence.length);
    this.#isGenerating = true;
    try {
      await this.#run(segments, sampler, signal);
    } catch (error) {
      segments.forEach(({ sequence }, index) => sequence.truncate(lengths[index]));
      this.#rows.forgetAll();
      // What is not finite shows through any mask: 0 · NaN is NaN.
      this.#rows.cache.clear();
      throw error;
    } finally {
      this.#isGenerating = false;
    }
    return segments.map((segment) => segment.result());
  }

  async #run(segments: readonly Segment[], sampler: TokenSampler, signal: AbortSignal): Promise<void> {
    this.#forgetOldWeights();
    const weights = this.#parts.weights.inputs;
    const vocabularySize = this.#parts.config.vocab_size;
    const active = segments.filter(({ end }) => end === null);
    let logits = await this.#prefill(active, weights, signal);
    while (active.length > 0) {
      for (const [row, segment] of active.entries()) segment.sample(sampler, logits, row * vocabularySize);
      this.counters.sampledTokens += active.length;
      this.#compact(active);
      if (active.length === 0) break;
      signal.throwIfAborted();
      logits = await this.#feed(active.map(sequenceOf), 1, weights);
      this.counters.decodeSteps += 1;
    }
  }

  /**
   * Feeds everything that is pending and puts `active` in the order of the rows, 0 to B − 1.
   *
   * @returns `[B, V]` logits after the last token of every row.
   */
  async #prefill(active: Segment[], weights: WeightInputs, signal: AbortSignal): Promise<Float32Array> {
    const sequences = active.map(sequenceOf);
    for (const sequence of sequences) if (sequence.row < 0) this.#rows.adopt(sequence);
    this.#rows.fit(sequences);
    const leaders = findLeaders(sequences);
    const ranks = new Map(
      sequences.map((sequence) => [sequence, leaders.has(sequence) ? 0 : chunksOf(sequence)]),
    );
    this.#rows.arrange((sequence) => ranks.get(sequence) ?? -1);
    active.sort((first, second) => first.sequence.row - second.sequence.row);
    const logits = new Float32Array(active.length * this.#parts.config.vocab_size);
    let fed = active.map(sequenceOf).filter((sequence) => !leaders.has(sequence));
    while (fed.length > 0) {
      signal.throwIfAborted();
      const chunk = chunkFor(fed);
      for (const { pending } of fed) this.counters.fedTokens += Math.min(chunk, pending);
      // Rows that are complete come last, so what they had stays when fewer rows are written.
      logits.set(await this.#feed(fed, chunk, weights));
      fed = fed.filter(({ pending }) => pending > 0);
    }
    for (const [sequence, leader] of leaders) this.#follow(sequence, leader, logits);
    return logits;
  }

  /**
   * Runs the graph on rows 0 to B − 1.
   *
   * @param sequences The sequences of these rows, each with pending tokens.
   * @param chunk C: of each row so many pending tokens are fed, or all that there are.
   * @returns `[B, V]` logits after the last token that was fed.
   */
  async #feed(sequences: readonly Sequence[], chunk: number, weights: WeightInputs): Promise<Float32Array> {
    let length = 0;
    for (const { cached, pending } of sequences) length = Math.max(length, cached + Math.min(chunk, pending));
    this.#rows.grow(length);
    const inputs = this.#batch.inputs(sequences, chunk, this.#rows.cache);
    const outputs = await this.#parts.executable.run({ ...weights, ...inputs });
    this.#rows.store(outputs, chunk, sequences);
    const { logits } = outputs;
    assert(logits?.type === 'float32', 'the decode graph returns float32 logits');
    return logits.data;
  }

  /** Takes over what an equal sequence has just computed. */
  #follow(sequence: Sequence, leader: Sequence, logits: Float32Array): void {
    const size = this.#parts.config.vocab_size;
    this.#rows.copy(leader, sequence, leader.cached);
    logits.copyWithin(sequence.row * size, leader.row * size, (leader.row + 1) * size);
  }

  /** Moves the segments that have ended out of the active rows. */
  #compact(active: Segment[]): void {
    for (let row = active.length - 1; row >= 0; row -= 1) {
      if (active[row].end === null) continue;
      const last = active.length - 1;
      if (row < last) {
        this.#rows.swap(row, last);
        active[row] = active[last];
      }
      active.pop();
    }
  }

  #createSegments(requests: readonly GenerateRequest[], sampling: Sampling): Segment[] {
    const { config, endTokenId } = this.#parts;
    const limits = { contextLength: config.max_position_embeddings, endTokenId, sampling };
    const seen = new Set<SequenceId>();
    return requests.map((request) => {
      const sequence = this.#sequence(request.sequence);
      if (seen.has(request.sequence))
        throw new RangeError(`Sequence ${request.sequence} is requested twice.`);
      if (!(request.maxTokens >= 1)) {
        throw new RangeError(`maxTokens must be at least 1, but is ${request.maxTokens}.`);
      }
      seen.add(request.sequence);
      if (request.forcedTokens !== undefined) this.#checkTokens(request.forcedTokens);
      return new Segment(request, sequence, limits);
    });
  }

  #forgetOldWeights(): void {
    if (this.#weightsVersion === this.#parts.weights.version) return;
    this.#weightsVersion = this.#parts.weights.version;
    this.#rows.forgetAll();
  }

  #add(tokens: Int32Array): Sequence {
    const sequence = new Sequence(this.#nextId, tokens);
    this.#nextId += 1;
    this.#sequences.set(sequence.id, sequence);
    return sequence;
  }

  #sequence(id: SequenceId): Sequence {
    assert(!this.#isGenerating, 'the sequences of a sampler stay as they are during a generation');
    const sequence = this.#sequences.get(id);
    if (sequence === undefined)
      throw new RangeError(`Sequence ${id} is not open (released, or of another sampler).`);
    return sequence;
  }

  #checkTokens(tokens: Int32Array): void {
    const { vocab_size: size } = this.#parts.config;
    const wrong = tokens.find((token) => token < 0 || token >= size);
    if (wrong === undefined) return;
    throw new EngineError('unknownToken', `Token id ${wrong} does not exist: ids go from 0 to ${size - 1}.`);
  }
}

type WeightInputs = Readonly<Record<string, HostTensor>>;

function sequenceOf(segment: Segment): Sequence {
  return segment.sequence;
}

/** Pending tokens in units of the smallest chunk, rounded up. */
function chunksOf(sequence: Sequence): number {
  return Math.ceil(sequence.pending / CHUNK_STEP);
}

/**
 * C for rows in the order of falling `chunksOf`: such that the last ones are complete with it and none
 * is padded by more than a step, unless that is more than one run should do.
 */
function chunkFor(sequences: readonly Sequence[]): number {
  let longest = 0;
  for (const { pending } of sequences) longest = Math.max(longest, pending);
  return Math.min(LARGEST_CHUNK, longest, CHUNK_STEP * chunksOf(sequences[sequences.length - 1]));
}

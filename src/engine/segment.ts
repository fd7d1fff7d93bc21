import type { GeneratedSegment, GenerateRequest, Sampling, SegmentEnd } from '#engine/policy';
import type { TokenSampler } from '#engine/sampling';
import type { Sequence } from '#engine/sequence';

/** What limits the segments of one generation. */
export interface SegmentLimits {
  readonly contextLength: number;
  readonly endTokenId: number;
  readonly sampling: Sampling;
}

/** One row of a running generation: what it has sampled so far. */
export class Segment {
  readonly sequence: Sequence;
  /** `null` while the segment goes on. */
  end: SegmentEnd | null;
  readonly #request: GenerateRequest;
  readonly #endTokenId: number;
  readonly #room: number;
  #tokens: Int32Array;
  #logProbs: Float32Array;
  #entropies: Float32Array;
  readonly #alternativeCount: number;
  #alternativeIds: Int32Array;
  #alternativeLogProbs: Float32Array;
  #length = 0;

  /** A sequence that already fills the context gives an empty segment that has ended. */
  constructor(request: GenerateRequest, sequence: Sequence, limits: SegmentLimits) {
    const capacity = 16;
    const alternatives = limits.sampling.alternatives;
    this.sequence = sequence;
    this.#room = Math.min(request.maxTokens, limits.contextLength - sequence.length);
    this.end = this.#room > 0 ? null : 'length';
    this.#request = request;
    this.#endTokenId = limits.endTokenId;
    this.#tokens = new Int32Array(capacity);
    this.#logProbs = new Float32Array(capacity);
    this.#entropies = new Float32Array(capacity);
    this.#alternativeCount = alternatives;
    this.#alternativeIds = new Int32Array(capacity * alternatives);
    this.#alternativeLogProbs = new Float32Array(capacity * alternatives);
  }

  /**
   * Samples the next token, appends it to the sequence, and decides whether the segment ends.
   *
   * @param logits Hold the logits after the sequence's last token from `offset` on.
   */
  sample(sampler: TokenSampler, logits: Float32Array, offset: number): void {
    const at = this.#length;
    if (at === this.#tokens.length) this.#grow(2 * at);
    const forced = this.#request.forcedTokens?.[at];
    if (forced === undefined) sampler.sample(logits, offset, this.#request.random);
    else sampler.score(logits, offset, forced);
    this.#tokens[at] = sampler.token;
    this.#logProbs[at] = sampler.logProb;
    this.#entropies[at] = sampler.entropy;
    if (this.#alternativeCount > 0) {
      sampler.writeAlternatives({
        ids: this.#alternativeIds,
        logProbs: this.#alternativeLogProbs,
        offset: at * this.#alternativeCount,
      });
    }
    this.#length = at + 1;
    this.sequence.push(sampler.token);
    this.end = this.#endAfter(sampler.token);
  }

  /** The finished segment, in arrays of its own. */
  result(): GeneratedSegment {
    const [length, count] = [this.#length, this.#alternativeCount];
    return {
      tokens: this.#tokens.slice(0, length),
      logProbs: this.#logProbs.slice(0, length),
      entropies: this.#entropies.slice(0, length),
      alternatives:
        count === 0
          ? null
          : {
              count,
              ids: this.#alternativeIds.slice(0, length * count),
              logProbs: this.#alternativeLogProbs.slice(0, length * count),
            },
      end: this.end ?? 'length',
    };
  }

  #endAfter(token: number): SegmentEnd | null {
    // Asked even when the end is certain: the predicate may keep a state.
    const isComplete = this.#request.isComplete(this.#tokens.subarray(0, this.#length));
    if (token === this.#endTokenId) return 'endToken';
    if (isComplete) return 'complete';
    return this.#length >= this.#room ? 'length' : null;
  }

  #grow(capacity: number): void {
    const count = this.#alternativeCount;
    this.#tokens = grown(this.#tokens, new Int32Array(capacity));
    this.#logProbs = grown(this.#logProbs, new Float32Array(capacity));
    this.#entropies = grown(this.#entropies, new Float32Array(capacity));
    this.#alternativeIds = grown(this.#alternativeIds, new Int32Array(capacity * count));
    this.#alternativeLogProbs = grown(this.#alternativeLogProbs, new Float32Array(capacity * count));
  }
}

function grown<T extends Int32Array | Float32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

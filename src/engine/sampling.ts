/**
 * From one row of logits to one token: pure numbers, no tensor library. The *sampling distribution* is
 * softmax(logits / temperature), cut to the `topK` most probable tokens, then to the smallest set of
 * most probable tokens whose probabilities (renormalized after the first cut) add up to `topP`, then
 * renormalized again: the order of vLLM and `transformers`. Log-prob and entropy are those of exactly
 * this distribution. Sums are kept in float64.
 */
import type { Random } from '#base/random';
import { EngineError } from '#engine/engineError';
import type { Sampling } from '#engine/policy';
import { ProbabilityHeap } from '#engine/probabilityHeap';

/** Where the most probable tokens of one position go; both arrays are written from `offset` on. */
export interface AlternativesTarget {
  readonly ids: Int32Array;
  /** Nats, under the sampling distribution; −∞ for tokens that `topK` or `topP` excluded. */
  readonly logProbs: Float32Array;
  readonly offset: number;
}

/**
 * Draws tokens from rows of logits, without allocating. The result of the last draw is in the fields
 * `token`, `logProb` and `entropy`.
 */
export class TokenSampler {
  /** The token drawn last, in [0, V). */
  token = 0;
  /** Its log-prob under the sampling distribution, nats, ≤ 0. */
  logProb = 0;
  /** Entropy of the sampling distribution it was drawn from, nats, in [0, ln V]. */
  entropy = 0;

  readonly #sampling: Sampling;
  /** `[V]` e^((logit − largest) / temperature), in [0, 1]; 0 when excluded. */
  readonly #weights: Float64Array;
  readonly #heap: ProbabilityHeap;
  /** `[V]` ids, most probable first, as far as `#truncate` looked. */
  readonly #order: Int32Array;
  /** Token of the largest logit; of equal ones the lowest id. */
  #best = 0;
  /** Σ weight and Σ weight · ln weight over the tokens that are not excluded. */
  #total = 1;
  #weightedLog = 0;

  /**
   * @throws RangeError when the temperature is not above 0, `topP` not in (0, 1], or a count not a
   *   whole number of at least 0 (alternatives: at most the vocabulary's size).
   */
  constructor(vocabularySize: number, sampling: Sampling) {
    checkSampling(vocabularySize, sampling);
    this.#sampling = sampling;
    this.#weights = new Float64Array(vocabularySize);
    this.#heap = new ProbabilityHeap(vocabularySize);
    this.#order = new Int32Array(vocabularySize);
  }

  /**
   * Draws one token with exactly one number of `random`, or with none when greedy.
   *
   * @param logits Holds `[V]` logits from `offset` on; −∞ excludes a token; not modified.
   * @throws EngineError `notFinite` when a logit is NaN or +∞, or all are −∞.
   */
  sample(logits: Float32Array, offset: number, random: Random): void {
    const { isGreedy, topK, topP } = this.#sampling;
    this.#exponentiate(logits, offset);
    if (!isGreedy && (topK > 0 || topP < 1)) this.#truncate(topK, topP);
    this.entropy = Math.log(this.#total) - this.#weightedLog / this.#total;
    this.token = isGreedy ? this.#best : this.#draw(random.next() * this.#total);
    this.logProb = Math.log(this.#weights[this.token] / this.#total);
  }

  /**
   * Takes a given token as if it had been drawn, from the distribution before top-k and top-p, so that
   * its log-prob is finite.
   *
   * @throws EngineError `notFinite` as `sample`.
   */
  score(logits: Float32Array, offset: number, token: number): void {
    this.#exponentiate(logits, offset);
    this.entropy = Math.log(this.#total) - this.#weightedLog / this.#total;
    this.token = token;
    this.logProb = Math.log(this.#weights[token] / this.#total);
  }

  /** Writes the `alternatives` most probable tokens of the last draw; equal ones in the order of ids. */
  writeAlternatives(target: AlternativesTarget): void {
    this.#heap.fill(this.#weights);
    for (let rank = 0; rank < this.#sampling.alternatives; rank += 1) {
      const id = this.#heap.pop();
      target.ids[target.offset + rank] = id;
      target.logProbs[target.offset + rank] = Math.log(this.#weights[id] / this.#total);
    }
  }

  #exponentiate(logits: Float32Array, offset: number): void {
    const weights = this.#weights;
    const scale = this.#sampling.isGreedy ? 1 : 1 / this.#sampling.temperature;
    let best = 0;
    let largest = logits[offset];
    for (let id = 1; id < weights.length; id += 1) {
      const logit = logits[offset + id];
      if (logit > largest) {
        best = id;
        largest = logit;
      }
    }
    let total = 0;
    let weightedLog = 0;
    for (let id = 0; id < weights.length; id += 1) {
      const exponent = (logits[offset + id] - largest) * scale;
      const weight = Math.exp(exponent);
      weights[id] = weight;
      total += weight;
      // 0 · −∞ is NaN, while the limit of w · ln w is 0.
      if (weight > 0) weightedLog += weight * exponent;
    }
    // NaN spreads from any logit into the sum; so does ∞ − ∞.
    if (Number.isNaN(total)) throw notFinite(logits.subarray(offset, offset + weights.length));
    this.#best = best;
    this.#total = total;
    this.#weightedLog = weightedLog;
  }

  /** Sets the weight of excluded tokens to 0 and the sums to those of the rest. */
  #truncate(topK: number, topP: number): void {
    const weights = this.#weights;
    const order = this.#order;
    const most = topK > 0 ? Math.min(topK, weights.length) : weights.length;
    this.#heap.fill(weights);
    let kept = 0;
    let sum = 0;
    // Without topK the bound of topP is known at once, and the heap need not be emptied.
    for (const bound = topK > 0 ? Infinity : topP * this.#total; kept < most && sum < bound; kept += 1) {
      order[kept] = this.#heap.pop();
      sum += weights[order[kept]];
    }
    if (topK > 0 && topP < 1) {
      const bound = topP * sum;
      const ranked = kept;
      sum = 0;
      for (kept = 0; kept < ranked && sum < bound; kept += 1) sum += weights[order[kept]];
    }
    this.#exclude(kept);
  }

  /** Keeps the first `kept` tokens of the order. Kept weights are marked by their sign meanwhile. */
  #exclude(kept: number): void {
    const weights = this.#weights;
    let total = 0;
    let weightedLog = 0;
    for (let rank = 0; rank < kept; rank += 1) {
      const id = this.#order[rank];
      total += weights[id];
      if (weights[id] > 0) weightedLog += weights[id] * Math.log(weights[id]);
      weights[id] = -weights[id];
    }
    for (let id = 0; id < weights.length; id += 1) weights[id] = weights[id] < 0 ? -weights[id] : 0;
    this.#total = total;
    this.#weightedLog = weightedLog;
  }

  /** The token whose share of [0, total) holds `position`. */
  #draw(position: number): number {
    const weights = this.#weights;
    let sum = 0;
    // An excluded token adds nothing, so it is never the one with which the sum passes the position.
    for (let id = 0; id < weights.length; id += 1) {
      sum += weights[id];
      if (sum > position) return id;
    }
    // Reached only when the sum, in another order, rounds to less than the total.
    return weights.findLastIndex((weight) => weight > 0);
  }
}

function checkSampling(vocabularySize: number, sampling: Sampling): void {
  const { temperature, topP, topK, alternatives, isGreedy } = sampling;
  if (!isGreedy && !(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`temperature must be a number above 0, but is ${temperature}; use isGreedy for 0.`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`topP must be in (0, 1], but is ${topP}.`);
  if (!Number.isInteger(topK) || topK < 0) throw new RangeError(`topK must be 0, 1, 2, …, but is ${topK}.`);
  if (!Number.isInteger(alternatives) || alternatives < 0 || alternatives > vocabularySize) {
    throw new RangeError(
      `alternatives must be 0 to ${vocabularySize} (the vocabulary), but is ${alternatives}.`,
    );
  }
}

function notFinite(logits: Float32Array): EngineError {
  const id = logits.findIndex((logit) => Number.isNaN(logit) || logit === Infinity);
  const what = id < 0 ? 'All logits are −∞' : `The logit of token ${id} is ${logits[id]}`;
  return new EngineError(
    'notFinite',
    `${what}: the policy's weights are broken. Resume from an earlier checkpoint with a smaller learning rate.`,
  );
}

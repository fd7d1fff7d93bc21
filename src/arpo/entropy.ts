/**
 * Entropy of one next-token distribution, in nats: exactly from the whole distribution, or estimated
 * from the most probable tokens that an inference engine returns.
 *
 * Paper and released code differ here: the paper means the entropy over the full vocabulary (§3.1,
 * Eq. 3), the released code has only the ten most probable tokens (and the sampled one) and sums
 * their terms as they are, without renormalising (RWT lines 284-305).
 */

/** How far the probabilities of a full distribution may be from adding up to 1. */
const massTolerance = 1e-4;

/**
 * Entropy −Σ p ln p of a whole distribution.
 *
 * @param probabilities `[V]`, each in [0, 1], adding up to 1.
 * @returns Nats, in [0, ln V].
 * @throws RangeError when a value is outside [0, 1] or the sum is not 1 (within 1e-4).
 * @see arXiv:2507.19849 Eq. 3.
 */
export function entropyOfProbabilities(probabilities: ArrayLike<number>): number {
  let mass = 0;
  let entropy = 0;
  for (let index = 0; index < probabilities.length; index += 1) {
    const probability = probabilities[index];
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`probabilities[${index}]: expected a number in [0, 1], got ${probability}`);
    }
    mass += probability;
    if (probability > 0) entropy -= probability * Math.log(probability);
  }
  if (Math.abs(mass - 1) > massTolerance) {
    throw new RangeError(`probabilities: expected a sum of 1, got ${mass}`);
  }
  return entropy;
}

/**
 * Entropy of softmax(`logits`), as logsumexp(z) − Σ p·z, which does not overflow.
 *
 * @param logits `[V]`, V ≥ 1; −∞ masks a token. Divide by the sampling temperature beforehand. Not modified.
 * @returns Nats, in [0, ln V].
 * @throws RangeError when every token is masked, or a logit is NaN or +∞.
 * @see arXiv:2507.19849 Eq. 3.
 */
export function entropyOfLogits(logits: ArrayLike<number>): number {
  let max = -Infinity;
  for (let index = 0; index < logits.length; index += 1) {
    const logit = logits[index];
    if (Number.isNaN(logit) || logit === Infinity) {
      throw new RangeError(`logits[${index}]: expected a finite number or −∞, got ${logit}`);
    }
    max = Math.max(max, logit);
  }
  if (max === -Infinity) throw new RangeError('logits: expected at least one token that is not masked');

  let weightSum = 0;
  let weightedLogits = 0;
  for (let index = 0; index < logits.length; index += 1) {
    const weight = Math.exp(logits[index] - max);
    if (weight === 0) continue; // 0 · −∞ is NaN; its limit is 0
    weightSum += weight;
    weightedLogits += weight * (logits[index] - max);
  }
  return Math.log(weightSum) - weightedLogits / weightSum;
}

/**
 * Truncated entropy −Σ p ln p of the returned tokens, whatever mass they miss: what the released code
 * uses in place of the paper's full-vocabulary entropy. It is a lower bound of the exact entropy.
 *
 * @param logProbs `[k]` log-probs in nats of the returned tokens; −∞ counts as absent.
 * @returns Nats, ≥ 0.
 */
export function truncatedEntropy(logProbs: ArrayLike<number>): number {
  let entropy = 0;
  for (let index = 0; index < logProbs.length; index += 1) {
    if (logProbs[index] === -Infinity) continue; // 0 · −∞ is NaN; its limit is 0
    entropy -= Math.exp(logProbs[index]) * logProbs[index];
  }
  return entropy;
}

/**
 * Entropy of the returned tokens after scaling their probabilities to add up to 1.
 *
 * @param logProbs `[k]` log-probs in nats; at least one is finite.
 * @returns Nats, in [0, ln k].
 * @throws RangeError when no log-prob is finite.
 */
export function renormalizedEntropy(logProbs: ArrayLike<number>): number {
  return entropyOfLogits(logProbs); // softmax of log-probs is exactly that scaling
}

/**
 * Truncated entropy plus one extra outcome that holds the missing mass. Still a lower bound of the
 * exact entropy, and a tighter one than `truncatedEntropy`.
 *
 * @param logProbs `[k]` log-probs in nats; their probabilities add up to at most 1.
 * @returns Nats, ≥ 0.
 */
export function residualBucketEntropy(logProbs: ArrayLike<number>): number {
  let mass = 0;
  for (let index = 0; index < logProbs.length; index += 1) mass += Math.exp(logProbs[index]);
  const missing = 1 - mass; // rounding can make it slightly negative
  return truncatedEntropy(logProbs) - (missing > 0 ? missing * Math.log(missing) : 0);
}

/**
 * The parts of AEPO (arXiv:2510.14545) that are not elsewhere: the branch penalty is in `branching.ts`,
 * the clipping-balanced gradient in `objective.ts`.
 */

/** Input of the budget split. */
export interface SplitInput {
  /** k in the paper, n in the code: trajectories per question. */
  readonly total: number;
  /** H_root: entropy on the question. */
  readonly rootEntropy: number;
  /** H_tool: mean entropy over the segments of one probe trajectory, in the same unit. */
  readonly toolEntropy: number;
  /** 0.5 in the code. */
  readonly beta: number;
}

/** Number m of trajectories to start from the question. */
export interface BudgetSplit {
  /** The paper's real number: m = k·σ(β(H_root − H_tool)). */
  readonly formula: number;
  /** The code's whole number in [1, total]: truncated, plus one, so equal entropies give more than half. */
  readonly code: number;
}

/** Splits the budget by where the uncertainty is: on the question or behind its tool calls. */
export function splitBudget({ total, rootEntropy, toolEntropy, beta }: SplitInput): BudgetSplit {
  const formula = total / (1 + Math.exp(-beta * (rootEntropy - toolEntropy)));
  return { formula, code: Math.min(total, Math.max(1, Math.trunc(formula) + 1)) };
}

/** Advantages scaled by how uncertain their tokens are. */
export interface EntropyAwareAdvantages {
  /** `[T]` standardized entropies, sample deviation. */
  readonly zScores: readonly number[];
  /** `[T]` A·(1 + weight·z). */
  readonly advantages: readonly number[];
}

/**
 * Raises the advantage of tokens of above-average entropy.
 *
 * @param advantages `[T]` over the trained tokens of a (micro-)batch, T ≥ 2.
 * @param entropies `[T]`, nats; constants of the gradient.
 * @param weight a; 0.2 in the code.
 * @returns z = 0 throughout when all entropies are equal.
 */
export function entropyAwareAdvantages(
  advantages: readonly number[],
  entropies: readonly number[],
  weight: number,
): EntropyAwareAdvantages {
  const size = entropies.length;
  if (advantages.length !== size || size < 2) {
    throw new RangeError(
      `entropies: expected one per advantage, at least 2, got [${size}] for [${advantages.length}] advantages`,
    );
  }
  const mean = entropies.reduce((sum, entropy) => sum + entropy, 0) / size;
  const variance = entropies.reduce((sum, entropy) => sum + (entropy - mean) ** 2, 0) / (size - 1);
  const deviation = Math.sqrt(variance);
  const zScores = entropies.map((entropy) => (deviation === 0 ? 0 : (entropy - mean) / deviation));
  return {
    zScores,
    advantages: advantages.map((advantage, index) => advantage * (1 + weight * zScores[index])),
  };
}

import type { Graph } from '#engine/graph/graph';
import type { LlamaConfig } from '#engine/model/llamaConfig';

/**
 * One AdamW update (Loshchilov & Hutter, arXiv:1711.05101, as in PyTorch): gradients are scaled by
 * min(1, maxGradientNorm / (norm + 1e-6)); decay applies to every weight, norms and biases included.
 *
 * Inputs: for each weight `<weight>`, `gradient.<weight>`, `firstMoment.<weight>`, `secondMoment.<weight>`;
 * scalars (`[]`) `learningRate`, `beta1`, `beta2`, `epsilon`, `weightDecay`, `biasCorrection1` = 1 − beta1^t,
 * `biasCorrection2` = 1 − beta2^t with t ≥ 1 the number of this update, `maxGradientNorm` (≥ 1e9 switches
 * clipping off).
 *
 * Outputs: `next.<weight>`, `next.firstMoment.<weight>`, `next.secondMoment.<weight>`; `gradientNorm` `[]`:
 * the global norm before clipping.
 */
export declare function buildOptimizerGraph(config: LlamaConfig): Graph;

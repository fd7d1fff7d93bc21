import type { Graph } from '#engine/graph/graph';
import type { LlamaConfig } from '#engine/model/llamaConfig';

/**
 * Log-probs and entropies only. Inputs: every weight, `tokens`, `targets`, `cos`, `sin`, `attentionMask`
 * and `temperature` as in `buildLossGraph`. Outputs: `logProbs` and `entropies` `[B, T]` in nats.
 */
export declare function buildScoreGraph(config: LlamaConfig): Graph;

import type { Graph } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { buildTokenScores } from '#engine/model/tokenScores';

/**
 * Log-probs and entropies only. Inputs: every weight, `tokens`, `targets`, `cos`, `sin`, `attentionMask`
 * and `temperature` as in `buildLossGraph`. Outputs: `logProbs` and `entropies` `[B, T]` in nats.
 */
export function buildScoreGraph(config: LlamaConfig): Graph {
  const builder = new GraphBuilder();
  const { logProbs, entropies } = buildTokenScores(builder, config);
  return builder.finish('score', { logProbs, entropies });
}

import type { GraphNode } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import {
  computeLogits,
  declareRotation,
  declareWeights,
  groupHeads,
  runLayers,
  ungroupHeads,
  type Attention,
  type DecoderContext,
} from '#engine/model/decoder';
import type { LlamaConfig } from '#engine/model/llamaConfig';

/** Names of the symbolic dimensions of whole-sequence graphs. */
export const BATCH = 'batch';
export const LENGTH = 'length';

/** What a whole-sequence forward pass gives, and the inputs it declared. */
export interface TokenScores {
  readonly weights: ReadonlyMap<string, GraphNode>;
  /** Log-prob of each target, nats, `[B, T]`. */
  readonly logProbs: GraphNode;
  /** Entropy over the whole vocabulary, nats, `[B, T]`. */
  readonly entropies: GraphNode;
}

/** softmax(q · kᵀ + mask) · v with all tokens of the row at hand. */
function attendToRow(context: DecoderContext, mask: GraphNode): Attention {
  const { builder } = context;
  return ({ queries, keys, values }) => {
    const scores = builder.matmul(groupHeads(context, queries), keys, { transposeB: true });
    const shares = builder.softmax(builder.add(ungroupHeads(context, scores), mask));
    return ungroupHeads(context, builder.matmul(groupHeads(context, shares), values));
  };
}

function scoreLogits(builder: GraphBuilder, logits: GraphNode, targets: GraphNode) {
  const distribution = builder.logSoftmax(logits);
  const surprise = builder.multiply(builder.exp(distribution), distribution);
  const shape = targets.shape;
  return {
    logProbs: builder.reshape(
      builder.gatherLast(distribution, builder.reshape(targets, [logits.shape[0]])),
      shape,
    ),
    entropies: builder.scale(builder.reshape(builder.reduceSum(surprise, [1]), shape), -1),
  };
}

/**
 * Declares the inputs of a whole-sequence forward pass (see `buildLossGraph`) and builds its log-probs
 * and entropies.
 */
export function buildTokenScores(builder: GraphBuilder, config: LlamaConfig): TokenScores {
  const weights = declareWeights(builder, config);
  const tokens = builder.input('tokens', 'int32', [BATCH, LENGTH]);
  const targets = builder.input('targets', 'int32', [BATCH, LENGTH]);
  const rotation = declareRotation(builder, config, [BATCH, LENGTH]);
  const mask = builder.input('attentionMask', 'float32', [`${BATCH}?`, 1, LENGTH, LENGTH]);
  const temperature = builder.input('temperature', 'float32', []);
  const context: DecoderContext = { builder, config, weights, batch: BATCH, length: LENGTH, rotation };
  const hidden = runLayers(context, tokens, attendToRow(context, mask));
  const logits = builder.divide(computeLogits(context, hidden), temperature);
  return { weights, ...scoreLogits(builder, logits, targets) };
}

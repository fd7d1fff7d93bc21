import type { Graph, GraphNode } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
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

const BATCH = 'batch';
const CHUNK = 'chunk';
const PAST = 'past';
const TOTAL = 'chunk+past';

/** The new keys, transposed, and values of every layer by output name; filled while layers are built. */
type PresentEntries = Map<string, GraphNode>;

/**
 * Attention to cached and new entries. Scores and shares of the two are computed apart, so that the cache
 * is read in place and never copied.
 */
function attendToCache(context: DecoderContext, mask: GraphNode, present: PresentEntries): Attention {
  const { builder, config } = context;
  const { num_key_value_heads: groups, head_dim: width } = config;
  return ({ queries, keys, values }, layer) => {
    const pastKeys = builder.input(`past.${layer}.key`, 'float32', [BATCH, groups, width, PAST]);
    const pastValues = builder.input(`past.${layer}.value`, 'float32', [BATCH, groups, PAST, width]);
    const newKeys = builder.transpose(keys, [0, 1, 3, 2]);
    present.set(`present.${layer}.key`, newKeys);
    present.set(`present.${layer}.value`, values);
    const grouped = groupHeads(context, queries);
    const scores = builder.concat([builder.matmul(grouped, pastKeys), builder.matmul(grouped, newKeys)], 3);
    const shares = groupHeads(context, builder.softmax(builder.add(ungroupHeads(context, scores), mask)));
    const fromPast = builder.matmul(builder.slice(shares, 3, 0, PAST), pastValues);
    const fromChunk = builder.matmul(builder.slice(shares, 3, PAST, TOTAL), values);
    return ungroupHeads(context, builder.add(fromPast, fromChunk));
  };
}

/**
 * The next-token logits after a chunk of C tokens that follow P cached ones (P ≥ 0, C ≥ 1); every row
 * has its own positions, given by `cos`, `sin` and the mask.
 *
 * Inputs: every weight; `tokens` int32 `[B, C]`; `cos`, `sin` float32 `[B, C, head_dim]`; `attentionMask`
 * float32 `[B, 1, C, P + C]` (cached entries first), 0 or −1e9; `select` float32 `[B, 1, C]`, one-hot at
 * the position whose logits are wanted; per layer i `past.{i}.key` `[B, Hkv, head_dim, P]` (transposed, so
 * that scores are a plain product) and `past.{i}.value` `[B, Hkv, P, head_dim]`.
 *
 * Outputs: `logits` `[B, V]` (temperature not applied); per layer only the new entries:
 * `present.{i}.key` `[B, Hkv, head_dim, C]` and `present.{i}.value` `[B, Hkv, C, head_dim]`.
 */
export function buildDecodeGraph(config: LlamaConfig): Graph {
  const builder = new GraphBuilder();
  const weights = declareWeights(builder, config);
  const tokens = builder.input('tokens', 'int32', [BATCH, CHUNK]);
  const rotation = declareRotation(builder, config, [BATCH, CHUNK]);
  const mask = builder.input('attentionMask', 'float32', [BATCH, 1, CHUNK, TOTAL]);
  const select = builder.input('select', 'float32', [BATCH, 1, CHUNK]);
  const context: DecoderContext = { builder, config, weights, batch: BATCH, length: CHUNK, rotation };
  const present: PresentEntries = new Map();
  const hidden = runLayers(context, tokens, attendToCache(context, mask, present));
  const rows = builder.matmul(select, builder.reshape(hidden, [BATCH, CHUNK, config.hidden_size]));
  const logits = computeLogits(context, builder.reshape(rows, [BATCH, config.hidden_size]));
  return builder.finish('decode', { logits, ...Object.fromEntries(present) });
}

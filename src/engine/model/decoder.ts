/** The layers of a Llama-form decoder as graph nodes. Activations stay flat, `[N, D]` with N = B · T. */
import type { Dimension, GraphNode } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import { multiplyDimensions } from '#engine/graph/dimension';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';

/** One graph in the making and what every layer of it shares. */
export interface DecoderContext {
  readonly builder: GraphBuilder;
  readonly config: LlamaConfig;
  readonly weights: ReadonlyMap<string, GraphNode>;
  readonly batch: Dimension;
  /** Tokens per row. */
  readonly length: Dimension;
  readonly rotation: Rotation;
}

/** Tables of `[B, T, head_dim / 2]`. */
export interface Rotation {
  readonly cos: GraphNode;
  readonly sin: GraphNode;
  /** Divided by √head_dim: turning queries with them scales the scores at no cost. */
  readonly scaledCos: GraphNode;
  readonly scaledSin: GraphNode;
}

/** Queries `[B, H, T, d]`, keys and values `[B, Hkv, T, d]`, rotated; queries scaled by 1/√d. */
export interface Heads {
  readonly queries: GraphNode;
  readonly keys: GraphNode;
  readonly values: GraphNode;
}

/** Attention of one layer: heads → `[B, H, T, d]`. */
export type Attention = (heads: Heads, layer: number) => GraphNode;

/** Declares every weight as an input under its own name. */
export function declareWeights(builder: GraphBuilder, config: LlamaConfig): Map<string, GraphNode> {
  const weights = new Map<string, GraphNode>();
  for (const [name, shape] of weightShapes(config)) weights.set(name, builder.input(name, 'float32', shape));
  return weights;
}

/** Declares the inputs `cos` and `sin`, `[batch, length, head_dim]`. */
export function declareRotation(
  builder: GraphBuilder,
  config: LlamaConfig,
  [batch, length]: readonly [Dimension, Dimension],
): Rotation {
  const half = config.head_dim / 2;
  const [cos, sin] = ['cos', 'sin'].map((name) =>
    builder.slice(builder.input(name, 'float32', [batch, length, config.head_dim]), 2, 0, half),
  );
  const factor = 1 / Math.sqrt(config.head_dim);
  return { cos, sin, scaledCos: builder.scale(cos, factor), scaledSin: builder.scale(sin, factor) };
}

/** A weight by its name. */
export function weightOf({ weights }: Pick<DecoderContext, 'weights'>, name: string): GraphNode {
  const weight = weights.get(name);
  if (weight === undefined) throw new Error(`Broken invariant: the model has no weight "${name}"`);
  return weight;
}

/** x · Wᵀ (+ b where the model has a bias): `[N, in]` → `[N, out]`. */
function project(context: DecoderContext, x: GraphNode, name: string): GraphNode {
  const { builder, weights } = context;
  const product = builder.matmul(x, weightOf(context, `${name}.weight`), { transposeB: true });
  const bias = weights.get(`${name}.bias`);
  return bias === undefined ? product : builder.add(product, bias);
}

/**
 * x / √(mean x² + ε) · weight over the last axis.
 *
 * @see Zhang & Sennrich, arXiv:1910.07467; transformers `LlamaRMSNorm`.
 */
export function normalize(context: DecoderContext, x: GraphNode, name: string): GraphNode {
  const { builder, config } = context;
  return builder.rmsNormalize(x, weightOf(context, name), config.rms_norm_eps);
}

/** `[N, heads · d]` → `[B, heads, T, d]`, each head normalized where `norm` names a weight. */
function splitHeads(context: DecoderContext, x: GraphNode, heads: number, norm: string): GraphNode {
  const { builder, config, batch, length, weights } = context;
  const split = builder.reshape(x, [batch, length, heads, config.head_dim]);
  const normalized = weights.has(norm) ? normalize(context, split, norm) : split;
  return builder.transpose(normalized, [0, 2, 1, 3]);
}

function projectHeads(context: DecoderContext, x: GraphNode, prefix: string): Heads {
  const { builder, config, rotation } = context;
  const { num_attention_heads: heads, num_key_value_heads: groups } = config;
  const [queries, keys, values] = (['q', 'k', 'v'] as const).map((letter) =>
    splitHeads(
      context,
      project(context, x, `${prefix}.${letter}_proj`),
      letter === 'q' ? heads : groups,
      `${prefix}.${letter}_norm.weight`,
    ),
  );
  return {
    queries: builder.rotate(queries, rotation.scaledCos, rotation.scaledSin),
    keys: builder.rotate(keys, rotation.cos, rotation.sin),
    values,
  };
}

/**
 * Query heads of one group as rows of one matrix, `[B, H, T, d]` → `[B, Hkv, (H / Hkv) · T, d]`, so that
 * grouped-query attention needs no copies of keys and values.
 */
export function groupHeads(context: DecoderContext, x: GraphNode): GraphNode {
  const { num_attention_heads: heads, num_key_value_heads: groups } = context.config;
  const [batch, , length, width] = x.shape;
  return context.builder.reshape(x, [batch, groups, multiplyDimensions(heads / groups, length), width]);
}

/** The inverse of `groupHeads`: `[B, Hkv, (H / Hkv) · T, d]` → `[B, H, T, d]`. */
export function ungroupHeads(context: DecoderContext, x: GraphNode): GraphNode {
  const [batch, , , width] = x.shape;
  return context.builder.reshape(x, [batch, context.config.num_attention_heads, context.length, width]);
}

/** down(silu(gate(x)) · up(x)). @see Shazeer, arXiv:2002.05202. */
function feedForward(context: DecoderContext, x: GraphNode, prefix: string): GraphNode {
  const { builder } = context;
  const gate = project(context, x, `${prefix}.gate_proj`);
  const up = project(context, x, `${prefix}.up_proj`);
  return project(context, builder.multiply(builder.silu(gate), up), `${prefix}.down_proj`);
}

function decoderLayer(context: DecoderContext, x: GraphNode, layer: number, attend: Attention): GraphNode {
  const { builder, config } = context;
  const prefix = `model.layers.${layer}`;
  const width = config.num_attention_heads * config.head_dim;
  const normalized = normalize(context, x, `${prefix}.input_layernorm.weight`);
  const attended = attend(projectHeads(context, normalized, `${prefix}.self_attn`), layer);
  const joined = builder.reshape(builder.transpose(attended, [0, 2, 1, 3]), [x.shape[0], width]);
  const middle = builder.add(x, project(context, joined, `${prefix}.self_attn.o_proj`));
  const again = normalize(context, middle, `${prefix}.post_attention_layernorm.weight`);
  return builder.add(middle, feedForward(context, again, `${prefix}.mlp`));
}

/**
 * The residual stream after the last layer, before the final norm.
 *
 * @param tokens int32 `[B, T]`.
 * @returns `[B · T, hidden_size]`.
 */
export function runLayers(context: DecoderContext, tokens: GraphNode, attend: Attention): GraphNode {
  const { builder, config } = context;
  let x = builder.flatten(builder.gatherRows(weightOf(context, 'model.embed_tokens.weight'), tokens));
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    x = decoderLayer(context, x, layer, attend);
  }
  return x;
}

/** Final norm and output projection: `[N, hidden_size]` → logits `[N, V]`. */
export function computeLogits(context: DecoderContext, x: GraphNode): GraphNode {
  const name = context.config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  const normalized = normalize(context, x, 'model.norm.weight');
  return context.builder.matmul(normalized, weightOf(context, name), { transposeB: true });
}

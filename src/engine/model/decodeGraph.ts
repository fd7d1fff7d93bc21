import type { Graph } from '#engine/graph/graph';
import type { LlamaConfig } from '#engine/model/llamaConfig';

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
export declare function buildDecodeGraph(config: LlamaConfig): Graph;

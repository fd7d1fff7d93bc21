/** A path of a rollout tree laid out token by token, as the loss needs it. */
import type { RolloutTree } from '#arpo/rolloutTree';

/** One trajectory; all arrays are `[T]` over prompt and response. */
export interface TrajectoryTokens {
  readonly tokens: Int32Array;
  /** 1 = trained on. 0 for the prompt, tool results, and everything behind the first end token. */
  readonly lossMask: Uint8Array;
  /** Sampling log-probs, nats; 0 where nothing was sampled. */
  readonly logProbs: Float32Array;
  /** Full-vocabulary entropies, nats; 0 where nothing was sampled. */
  readonly entropies: Float32Array;
  /** The node that each token belongs to. */
  readonly nodeIds: Int32Array;
}

/**
 * Lays out the path of a trajectory.
 *
 * @param endTokenId The token that ends a response.
 * @see The released code's `loss_mask` = tool mask × (1 up to and including the first end token).
 */
export function trajectoryTokens(tree: RolloutTree, slot: number, endTokenId: number): TrajectoryTokens {
  const path = tree.pathTo(tree.trajectory(slot).lastNodeId);
  const length = path.reduce((sum, node) => sum + node.tokens.length, 0);
  const result = {
    tokens: new Int32Array(length),
    lossMask: new Uint8Array(length),
    logProbs: new Float32Array(length),
    entropies: new Float32Array(length),
    nodeIds: new Int32Array(length),
  };
  let offset = 0;
  for (const node of path) {
    result.tokens.set(node.tokens, offset);
    result.lossMask.set(node.mask, offset);
    result.logProbs.set(node.logProbs, offset);
    result.entropies.set(node.entropies, offset);
    result.nodeIds.fill(node.id, offset, offset + node.tokens.length);
    offset += node.tokens.length;
  }
  clearBehindEnd(result.tokens, result.lossMask, { start: path[0].tokens.length, endTokenId });
  return result;
}

/** Clears the mask behind the first end token of the response; an end token in the prompt is none. */
function clearBehindEnd(
  tokens: Int32Array,
  lossMask: Uint8Array,
  response: { readonly start: number; readonly endTokenId: number },
): void {
  const end = tokens.indexOf(response.endTokenId, response.start);
  if (end >= 0) lossMask.fill(0, end + 1);
}

import type { RolloutTree } from '#arpo/rolloutTree';

/** Mean entropies over sampled tokens, nats; `null` when there was no such token. */
export interface EntropyStatistics {
  /** Over the first `window` tokens of the segments that follow a tool result. */
  readonly afterTools: number | null;
  /** Over all other sampled tokens. */
  readonly elsewhere: number | null;
}

/**
 * Whether entropy rises behind tool results (arXiv:2507.19849 §2.2), over the distinct tokens of the
 * trees: shared prefixes count once.
 */
export function entropyStatistics(trees: readonly RolloutTree[], window: number): EntropyStatistics {
  const after = { sum: 0, count: 0 };
  const other = { sum: 0, count: 0 };
  for (const tree of trees) {
    for (const node of tree.nodes) {
      const followsTool = node.parentId !== null && tree.node(node.parentId).toolCall !== null;
      let sampled = 0;
      for (let index = 0; index < node.tokens.length; index += 1) {
        if (node.mask[index] === 0) continue;
        const target = followsTool && sampled < window ? after : other;
        target.sum += node.entropies[index];
        target.count += 1;
        sampled += 1;
      }
    }
  }
  const meanOf = ({ sum, count }: { sum: number; count: number }): number | null =>
    count === 0 ? null : sum / count;
  return { afterTools: meanOf(after), elsewhere: meanOf(other) };
}

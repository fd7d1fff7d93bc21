/** Entropy of the first word of a plan by what stood before it: where a policy is uncertain. */
import type { RolloutNode, RolloutTree } from '#arpo/rolloutTree';

/** What preceded a plan word, in the order of the table; `tags` are all tag tokens. */
export const precedingKinds = [
  'start',
  'plain',
  'python',
  'error',
  'old/new',
  'none',
  'see',
  'twice',
  'tags',
] as const;
export type PrecedingKind = (typeof precedingKinds)[number];

/** Sum over tokens, nats, and their number. */
export interface EntropySum {
  readonly sum: number;
  readonly count: number;
}

/**
 * Adds up the entropies of a directory-hunt group's distinct tokens.
 *
 * @param words The vocabulary by token id.
 */
export function precedingEntropies(
  tree: RolloutTree,
  words: readonly string[],
): ReadonlyMap<PrecedingKind, EntropySum> {
  const sums = new Map<PrecedingKind, EntropySum>();
  const add = (kind: PrecedingKind, entropy: number): void => {
    const { sum, count } = sums.get(kind) ?? { sum: 0, count: 0 };
    sums.set(kind, { sum: sum + entropy, count: count + 1 });
  };
  for (const node of tree.nodes) {
    if (node.parentId === null) continue;
    const kind = kindOf(tree.node(node.parentId));
    for (let index = 0; index < node.tokens.length; index += 1) {
      if (node.mask[index] === 0) continue;
      if (words[node.tokens[index]].startsWith('<')) add('tags', node.entropies[index]);
      const isPlan = index > 0 && words[node.tokens[index - 1]] === '<think>';
      if (isPlan && index === 1) add(kind, node.entropies[index]);
    }
  }
  return sums;
}

/** What kind of result a node ended with. */
function kindOf({ toolCall }: RolloutNode): PrecedingKind {
  if (toolCall === null) return 'start';
  const [first] = toolCall.output.trim().split(/\s+/);
  if (first === 'error') return 'error';
  if (toolCall.tool === 'python') return 'python';
  if (first === 'new' || first === 'old') return 'old/new';
  if (first === 'none' || first === 'see' || first === 'twice') return first;
  return 'plain';
}

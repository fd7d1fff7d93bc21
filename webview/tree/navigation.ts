/** Where the selection goes from where it is. Pure. */
import type { NodeReference } from '#protocol/treeViewProtocol';
import type { ForestLayout, PlacedTree } from './forestLayout';
import { decisionsAt } from './treeState';

export type Direction =
  | 'parent'
  | 'child'
  | 'above'
  | 'below'
  | 'prompt'
  | 'leaf'
  | 'previousTree'
  | 'nextTree'
  | 'previousDecision'
  | 'nextDecision';

/** The node one move away, or `null` when there is none. Without a selection: the first prompt. */
export function nodeTowards(
  forest: ForestLayout,
  from: NodeReference | null,
  direction: Direction,
): NodeReference | null {
  const index = forest.trees.findIndex(({ group }) => group.header.groupId === from?.groupId);
  const tree = forest.trees[index];
  if (tree === undefined || from === null) return referenceTo(forest.trees[0], 0);
  const { nodeId } = from;
  switch (direction) {
    case 'parent':
      return referenceTo(tree, tree.group.nodes[nodeId]?.parentId ?? undefined);
    case 'child':
      return referenceTo(tree, tree.layout.children[nodeId]?.[0]);
    case 'above':
      return besides(forest, index, nodeId, -1);
    case 'below':
      return besides(forest, index, nodeId, 1);
    case 'prompt':
      return referenceTo(tree, 0);
    case 'leaf':
      return referenceTo(tree, leafBelow(tree, nodeId));
    case 'previousTree':
      return referenceTo(forest.trees[index - 1], 0);
    case 'nextTree':
      return referenceTo(forest.trees[index + 1], 0);
    case 'previousDecision':
      return decisionFrom(forest, { index, nodeId, step: -1 });
    case 'nextDecision':
      return decisionFrom(forest, { index, nodeId, step: 1 });
  }
}

/** The item that follows (or precedes) the selected one in a ring of matches. */
export function matchAfter(
  matches: readonly NodeReference[],
  from: NodeReference | null,
  step: 1 | -1,
): NodeReference | null {
  if (matches.length === 0) return null;
  const index = matches.findIndex(
    ({ groupId, nodeId }) => groupId === from?.groupId && nodeId === from.nodeId,
  );
  const next = index === -1 ? (step === 1 ? 0 : matches.length - 1) : index + step;
  return matches[(next + matches.length) % matches.length] ?? null;
}

function referenceTo(tree: PlacedTree | undefined, nodeId: number | undefined): NodeReference | null {
  if (tree === undefined || nodeId === undefined) return null;
  return { groupId: tree.group.header.groupId, nodeId };
}

/** The neighbour in the same column, going over to the tree below (or above) in the same place of a row. */
function besides(forest: ForestLayout, index: number, nodeId: number, step: 1 | -1): NodeReference | null {
  const tree = forest.trees[index];
  const depth = tree?.group.nodes[nodeId]?.depth ?? 0;
  const column = tree?.layout.columns[depth] ?? [];
  const neighbour = column[column.indexOf(nodeId) + step];
  if (neighbour !== undefined) return referenceTo(tree, neighbour);
  const stride = step * forest.treesPerRow;
  for (let at = index + stride; at >= 0 && at < forest.trees.length; at += stride) {
    const other = forest.trees[at];
    const candidates = other?.layout.columns[depth] ?? [];
    if (candidates.length > 0) return referenceTo(other, candidates.at(step === 1 ? 0 : -1));
  }
  return null;
}

function leafBelow({ layout }: PlacedTree, nodeId: number): number {
  let leaf = nodeId;
  for (let child = layout.children[leaf]?.[0]; child !== undefined; child = layout.children[leaf]?.[0]) {
    leaf = child;
  }
  return leaf;
}

interface DecisionSearch {
  readonly index: number;
  readonly nodeId: number;
  readonly step: 1 | -1;
}

function decisionFrom(forest: ForestLayout, { index, nodeId, step }: DecisionSearch): NodeReference | null {
  for (let at = index; at >= 0 && at < forest.trees.length; at += step) {
    const tree = forest.trees[at];
    if (tree === undefined) return null;
    const count = tree.group.nodes.length;
    const start = at === index ? nodeId + step : step === 1 ? 0 : count - 1;
    for (let id = start; id >= 0 && id < count; id += step) {
      const isVisible = !Number.isNaN(tree.layout.rows[id] ?? Number.NaN);
      if (isVisible && decisionsAt(tree.group, id).length > 0) return referenceTo(tree, id);
    }
  }
  return null;
}

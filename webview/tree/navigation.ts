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
  return moves[direction]({ forest, index, tree, nodeId: from.nodeId });
}

interface Place {
  readonly forest: ForestLayout;
  /** Of the tree in the forest. */
  readonly index: number;
  readonly tree: PlacedTree;
  readonly nodeId: number;
}

const moves: Readonly<Record<Direction, (place: Place) => NodeReference | null>> = {
  parent: ({ tree, nodeId }) => referenceTo(tree, tree.group.nodes[nodeId]?.parentId ?? undefined),
  child: ({ tree, nodeId }) => referenceTo(tree, tree.layout.children[nodeId]?.[0]),
  above: (place) => besides(place, -1),
  below: (place) => besides(place, 1),
  prompt: ({ tree }) => referenceTo(tree, 0),
  leaf: ({ tree, nodeId }) => referenceTo(tree, leafBelow(tree, nodeId)),
  previousTree: ({ forest, index }) => referenceTo(forest.trees[index - 1], 0),
  nextTree: ({ forest, index }) => referenceTo(forest.trees[index + 1], 0),
  previousDecision: (place) => decisionFrom(place, -1),
  nextDecision: (place) => decisionFrom(place, 1),
};

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
function besides({ forest, index, tree, nodeId }: Place, step: 1 | -1): NodeReference | null {
  const depth = tree.group.nodes[nodeId]?.depth ?? 0;
  const column = tree.layout.columns[depth] ?? [];
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

function decisionFrom({ forest, index, nodeId }: Place, step: 1 | -1): NodeReference | null {
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

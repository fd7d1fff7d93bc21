/**
 * The tree that screen readers see: an ARIA tree beside the canvas. One tab stop; the selected item is
 * its active descendant. Of large trees only the surroundings of the selection are in the page: the
 * path to it, its siblings and its children, each with its true level, position and count.
 */
import type { NodeReference } from '#protocol/treeViewProtocol';
import { element } from '../shared/dom';
import { text } from '../shared/strings';
import type { ForestLayout, PlacedTree } from './forestLayout';
import { describeNode } from './nodeText';
import type { ColourBy } from './nodeAppearance';
import { pathTo } from './treeState';

/** Siblings on either side, and children, that are in the page. */
const windowSize = 12;

interface Item {
  readonly tree: PlacedTree;
  readonly nodeId: number;
  readonly level: number;
  readonly position: number;
  readonly count: number;
}

export interface AccessibleTreeOptions {
  readonly forest: ForestLayout;
  readonly selected: NodeReference | null;
  readonly colourBy: ColourBy;
  readonly title: string;
}

/** Rebuilds the items; `container` has the role `tree` and keeps the focus. */
export function updateAccessibleTree(container: HTMLElement, options: AccessibleTreeOptions): void {
  const { forest, selected, title } = options;
  container.setAttribute('aria-label', text('treeLabel', title));
  const items = itemsAround(forest, selected).map((item) => createItem(item, options));
  container.replaceChildren(...items);
  const active = items.find((item) => item.getAttribute('aria-selected') === 'true');
  if (active === undefined) container.removeAttribute('aria-activedescendant');
  else container.setAttribute('aria-activedescendant', active.id);
}

function createItem(
  { tree, nodeId, level, position, count }: Item,
  options: AccessibleTreeOptions,
): HTMLElement {
  const { groupId } = tree.group.header;
  const hasChildren = (tree.group.children[nodeId]?.length ?? 0) > 0;
  const isSelected = options.selected?.groupId === groupId && options.selected.nodeId === nodeId;
  return element(
    'div',
    {
      attributes: {
        role: 'treeitem',
        id: `item-${options.forest.trees.indexOf(tree)}-${nodeId}`,
        'data-group-id': groupId,
        'data-node-id': String(nodeId),
        'aria-level': String(level),
        'aria-posinset': String(position),
        'aria-setsize': String(count),
        'aria-selected': String(isSelected),
        'aria-expanded': hasChildren ? String(!tree.folded.has(nodeId)) : null,
      },
    },
    describeNode(tree.group, nodeId, options.colourBy),
  );
}

/** In the order of the whole tree: what precedes the path, the path, the children, what follows. */
function itemsAround(forest: ForestLayout, selected: NodeReference | null): Item[] {
  const trees = forest.trees;
  const index = Math.max(
    0,
    trees.findIndex(({ group }) => group.header.groupId === selected?.groupId),
  );
  const roots: Item[] = trees
    .map((tree, at) => ({ tree, nodeId: 0, level: 1, position: at + 1, count: trees.length }))
    .filter(({ tree }) => tree.group.nodes.length > 0)
    .slice(Math.max(0, index - windowSize), index + windowSize + 1);
  const current = trees[index];
  const nodeId = selected?.nodeId ?? 0;
  if (current === undefined) return roots;
  const path = pathTo(current.group, nodeId);
  return roots.flatMap((item) => (item.tree === current ? [item, ...itemsBelow(current, path)] : [item]));
}

function itemsBelow(tree: PlacedTree, [nodeId, ...rest]: readonly number[]): Item[] {
  if (nodeId === undefined) return [];
  const children = tree.layout.children[nodeId] ?? [];
  const [next] = rest;
  const centre = next === undefined ? 0 : children.indexOf(next);
  const first = Math.max(0, centre - (rest.length > 1 ? 0 : windowSize));
  const end = centre + (rest.length > 1 ? 1 : windowSize + 1);
  const level = (tree.group.nodes[nodeId]?.depth ?? 0) + 2;
  return children.slice(first, end).flatMap((child, offset) => {
    const item = { tree, nodeId: child, level, position: first + offset + 1, count: children.length };
    return child === next ? [item, ...itemsBelow(tree, rest)] : [item];
  });
}

/**
 * The trees of a view, side by side in rows, in world units (CSS pixels at zoom 1), and the questions
 * drawing asks of them: what is within this box, what is at this point. Trees that did not change
 * keep their layout, so growth costs one tree. Knows no DOM.
 */
import type { LayoutKind, TreeLayout } from './layout';
import { layoutTree } from './layout';
import type { GroupModel } from './treeState';

/** Sizes in world units. */
export const measures = {
  cardWidth: 220,
  cardHeight: 70,
  /** Distance between columns, from left edge to left edge. */
  columnWidth: 284,
  /** Distance between rows, from top edge to top edge. */
  rowHeight: 86,
  /** Room for the title above every tree. */
  titleHeight: 40,
  /** Room between trees, below and beside. */
  treeGap: 40,
} as const;

/** A box in world units. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** One visible node of the forest. */
export interface PlacedNode {
  readonly group: GroupModel;
  readonly nodeId: number;
  /** Top left corner of the card. */
  readonly x: number;
  readonly y: number;
}

/** One tree and where it begins. */
export interface PlacedTree {
  readonly group: GroupModel;
  readonly layout: TreeLayout;
  readonly folded: ReadonlySet<number>;
  readonly left: number;
  /** Top edge of the title. */
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface CachedLayout {
  readonly layout: TreeLayout;
  readonly key: string;
  readonly folded: ReadonlySet<number>;
}

/** See the module comment. */
export class ForestLayout {
  #trees: readonly PlacedTree[] = [];
  #byGroup = new Map<GroupModel, PlacedTree>();
  #cache = new Map<GroupModel, CachedLayout>();
  #extent: Box = { left: 0, top: 0, right: 0, bottom: 0 };
  #laidOut = 0;
  #treesPerRow = 1;

  /** How many trees stand side by side. */
  get treesPerRow(): number {
    return this.#treesPerRow;
  }

  get trees(): readonly PlacedTree[] {
    return this.#trees;
  }

  get extent(): Box {
    return this.#extent;
  }

  /** How many trees were laid out anew since the beginning; for tests. */
  get laidOutTrees(): number {
    return this.#laidOut;
  }

  /** Lays out what changed. `foldedOf` must return a new set when the folding of a group changes. */
  update(
    groups: readonly GroupModel[],
    kind: LayoutKind,
    foldedOf: (group: GroupModel) => ReadonlySet<number>,
  ): void {
    const cache = new Map<GroupModel, CachedLayout>();
    const layouts = groups.map((group) => {
      const cached = this.#layoutOf(group, kind, foldedOf(group));
      cache.set(group, cached);
      return cached;
    });
    this.#cache = cache;
    this.#treesPerRow = Math.max(1, Math.round(Math.sqrt(groups.length)));
    this.#place(groups, layouts);
    this.#byGroup = new Map(this.#trees.map((tree) => [tree.group, tree]));
  }

  /** `null` when the node is not there or hidden in a fold. */
  place(group: GroupModel, nodeId: number): PlacedNode | null {
    const tree = this.#byGroup.get(group);
    const node = group.nodes[nodeId];
    const row = tree?.layout.rows[nodeId];
    if (tree === undefined || node === undefined || row === undefined || Number.isNaN(row)) return null;
    return { group, nodeId, x: columnLeft(tree, node.depth), y: rowTop(tree, row) };
  }

  treeOf(group: GroupModel): PlacedTree | undefined {
    return this.#byGroup.get(group);
  }

  /** Trees that meet a box, in their order. */
  treesWithin(box: Box): readonly PlacedTree[] {
    return this.#trees.filter(
      (tree) =>
        tree.left <= box.right && tree.right >= box.left && tree.top <= box.bottom && tree.bottom >= box.top,
    );
  }

  /** The card that covers a point. */
  nodeAt(x: number, y: number): PlacedNode | null {
    for (const tree of this.treesWithin({ left: x, right: x, top: y, bottom: y })) {
      const depth = Math.floor((x - tree.left) / measures.columnWidth);
      if (x - columnLeft(tree, depth) > measures.cardWidth) continue;
      const column = tree.layout.columns[depth] ?? [];
      const range = rangeWithin(tree, column, y, y);
      const nodeId = column[range.first];
      if (nodeId !== undefined && range.first < range.end) return this.place(tree.group, nodeId);
    }
    return null;
  }

  /** Rows of trees; all columns are as wide as the deepest tree, every row as high as its highest. */
  #place(groups: readonly GroupModel[], layouts: readonly CachedLayout[]): void {
    const depth = Math.max(1, ...layouts.map(({ layout }) => layout.columns.length));
    const width = depth * measures.columnWidth + measures.treeGap;
    const trees: PlacedTree[] = [];
    let top = 0;
    for (let first = 0; first < groups.length; first += this.#treesPerRow) {
      let bottom = top;
      for (let index = first; index < Math.min(groups.length, first + this.#treesPerRow); index += 1) {
        const [group, cached] = [groups[index], layouts[index]];
        if (group === undefined || cached === undefined) continue;
        const left = (index - first) * width;
        const height = measures.titleHeight + cached.layout.rowCount * measures.rowHeight;
        trees.push({ group, ...cached, left, top, right: left + width, bottom: top + height });
        bottom = Math.max(bottom, top + height);
      }
      top = bottom + measures.treeGap;
    }
    const right = Math.min(groups.length, this.#treesPerRow) * width;
    this.#trees = trees;
    this.#extent = { left: 0, top: 0, right, bottom: top };
  }

  #layoutOf(group: GroupModel, kind: LayoutKind, folded: ReadonlySet<number>): CachedLayout {
    const key = `${kind} ${group.shapeVersion}`;
    const cached = this.#cache.get(group);
    if (cached !== undefined && cached.key === key && cached.folded === folded) return cached;
    this.#laidOut += 1;
    const shape = {
      children: group.children,
      slotOf: (nodeId: number) => group.nodes[nodeId]?.slot ?? -1,
      depthOf: (nodeId: number) => group.nodes[nodeId]?.depth ?? 0,
      folded,
    };
    return { layout: layoutTree(shape, kind), key, folded };
  }
}

/** Left edge of the cards of a column. */
export function columnLeft(tree: PlacedTree, depth: number): number {
  return tree.left + depth * measures.columnWidth;
}

/** Top edge of the card of a row. */
export function rowTop(tree: PlacedTree, row: number): number {
  return tree.top + measures.titleHeight + row * measures.rowHeight;
}

/**
 * The visible nodes of a tree that meet the box.
 *
 * @yields column by column, from top to bottom.
 */
export function* nodesWithin(tree: PlacedTree, box: Box): Generator<PlacedNode> {
  const first = Math.max(0, Math.floor((box.left - tree.left - measures.cardWidth) / measures.columnWidth));
  const last = Math.min(
    tree.layout.columns.length - 1,
    Math.floor((box.right - tree.left) / measures.columnWidth),
  );
  for (let depth = first; depth <= last; depth += 1) {
    const column = tree.layout.columns[depth] ?? [];
    const { first: from, end } = rangeWithin(tree, column, box.top, box.bottom);
    for (let index = from; index < end; index += 1) {
      const nodeId = column[index] ?? 0;
      const y = rowTop(tree, tree.layout.rows[nodeId] ?? 0);
      yield { group: tree.group, nodeId, x: columnLeft(tree, depth), y };
    }
  }
}

/** The nodes of a column (top to bottom) whose cards meet the vertical range: `first` ≤ index < `end`. */
export function rangeWithin(
  tree: PlacedTree,
  column: readonly number[],
  top: number,
  bottom: number,
): { readonly first: number; readonly end: number } {
  const topOf = (index: number): number => rowTop(tree, tree.layout.rows[column[index] ?? 0] ?? 0);
  return {
    first: firstIndex(column.length, (index) => topOf(index) + measures.cardHeight >= top),
    end: firstIndex(column.length, (index) => topOf(index) > bottom),
  };
}

/** The first index in 0..count for which `isReached` holds; it must hold for all later ones. */
export function firstIndex(count: number, isReached: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

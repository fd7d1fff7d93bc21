/**
 * Where the steps of one tree stand: every step in the column of its depth, rows counted from 0.
 * Pure and deterministic. Two layouts:
 *
 * - `lanes`: one row per leaf. A trajectory runs straight along its row, what was branched from it
 *   starts on rows below, as in the graph of a version history.
 * - `tidy`: parents centred on their children and subtrees packed (Reingold-Tilford in the linear time
 *   of Buchheim et al., d3-hierarchy's `tree`).
 */
import { hierarchy, tree } from 'd3-hierarchy';

export type LayoutKind = 'lanes' | 'tidy';

/** What a layout needs to know of a tree. */
export interface TreeShape {
  /** Child ids by node id. */
  readonly children: readonly (readonly number[])[];
  /** The trajectory that sampled the node: a child of the same trajectory goes straight on. */
  slotOf(nodeId: number): number;
  depthOf(nodeId: number): number;
  /** Nodes whose descendants are hidden. */
  readonly folded: ReadonlySet<number>;
}

/** The layout of one tree. */
export interface TreeLayout {
  /** `[nodes]` row by node id, in units of a row's height, ≥ 0; NaN for hidden nodes. */
  readonly rows: Float32Array;
  /** Height of the tree in rows. */
  readonly rowCount: number;
  /** Visible children by node id, from top to bottom; the one that goes straight on is first in lanes. */
  readonly children: readonly (readonly number[])[];
  /** Visible node ids by depth, from top to bottom. */
  readonly columns: readonly (readonly number[])[];
}

/** Lays out one tree; an empty tree has no rows. */
export function layoutTree(shape: TreeShape, kind: LayoutKind): TreeLayout {
  const rows = new Float32Array(shape.children.length).fill(Number.NaN);
  if (rows.length === 0) return { rows, rowCount: 0, children: [], columns: [] };
  const children = shape.children.map((_unused, nodeId) => orderedChildren(shape, nodeId));
  const rowCount = kind === 'lanes' ? layOutLanes(children, rows) : layOutTidy(children, rows);
  return { rows, rowCount, children, columns: columnsOf(shape, rows) };
}

/** Visible children, the one that goes straight on first. */
function orderedChildren(shape: TreeShape, nodeId: number): readonly number[] {
  if (shape.folded.has(nodeId)) return [];
  const children = shape.children[nodeId] ?? [];
  const straight = children.findIndex((child) => shape.slotOf(child) === shape.slotOf(nodeId));
  if (straight <= 0) return children;
  const first = children[straight] ?? 0;
  return [first, ...children.slice(0, straight), ...children.slice(straight + 1)];
}

/** Depth first with an own stack: trees may be deeper than the call stack allows. */
function layOutLanes(ordered: readonly (readonly number[])[], rows: Float32Array): number {
  let lastRow = 0;
  const pending: { readonly nodeId: number; readonly row: number | null }[] = [{ nodeId: 0, row: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const row = next.row ?? (lastRow += 1);
    rows[next.nodeId] = row;
    const children = ordered[next.nodeId] ?? [];
    for (let index = children.length - 1; index >= 0; index -= 1) {
      pending.push({ nodeId: children[index] ?? 0, row: index === 0 ? row : null });
    }
  }
  return lastRow + 1;
}

function layOutTidy(ordered: readonly (readonly number[])[], rows: Float32Array): number {
  const root = tree<number>()
    .nodeSize([1, 1])
    .separation(() => 1)(hierarchy(0, (nodeId) => ordered[nodeId]));
  let top = Infinity;
  let bottom = -Infinity;
  root.each(({ x }) => {
    top = Math.min(top, x);
    bottom = Math.max(bottom, x);
  });
  root.each(({ data, x }) => {
    rows[data] = x - top;
  });
  return bottom - top + 1;
}

function columnsOf(shape: TreeShape, rows: Float32Array): number[][] {
  const columns: number[][] = [];
  for (let nodeId = 0; nodeId < rows.length; nodeId += 1) {
    if (Number.isNaN(rows[nodeId])) continue;
    (columns[shape.depthOf(nodeId)] ??= []).push(nodeId);
  }
  for (const column of columns) column.sort((a, b) => (rows[a] ?? 0) - (rows[b] ?? 0));
  return columns;
}

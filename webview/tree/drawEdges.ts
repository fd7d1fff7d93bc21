/** Edges: out of a card, down a common line, into the cards below. Only what is in sight is drawn. */
import { formatColour } from '../shared/colour';
import type { Box, PlacedTree } from './forestLayout';
import { columnLeft, firstIndex, measures, rowTop } from './forestLayout';
import type { HighlightedPath, Scene } from './scene';

/** Distance from a card's right edge to the line its children hang on. */
const busOffset = 28;
const bend = 7;
const thickness = 1.4;

/** All edges of a tree that meet the box. */
export function drawEdges(context: CanvasRenderingContext2D, scene: Scene, tree: PlacedTree, box: Box): void {
  context.fillStyle = formatColour(scene.theme.border);
  const firstColumn = Math.max(0, Math.floor((box.left - tree.left) / measures.columnWidth) - 1);
  const lastColumn = Math.min(
    tree.layout.columns.length - 2,
    Math.floor((box.right - tree.left) / measures.columnWidth),
  );
  for (let depth = firstColumn; depth <= lastColumn; depth += 1) {
    drawColumn(context, { tree, box, depth });
  }
}

interface EdgeColumn {
  readonly tree: PlacedTree;
  readonly box: Box;
  readonly depth: number;
}

function drawColumn(context: CanvasRenderingContext2D, edges: EdgeColumn): void {
  const { tree, box, depth } = edges;
  const { rows, children, columns } = tree.layout;
  const column = columns[depth] ?? [];
  const middleOf = (nodeId: number): number => rowTop(tree, rows[nodeId] ?? 0) + measures.cardHeight / 2;
  const lowest = (nodeId: number): number =>
    Math.max(middleOf(nodeId), middleOf(children[nodeId]?.at(-1) ?? nodeId));
  const highest = (nodeId: number): number =>
    Math.min(middleOf(nodeId), middleOf(children[nodeId]?.[0] ?? nodeId));
  const right = columnLeft(tree, depth) + measures.cardWidth;
  const bus = right + busOffset;
  const start = firstIndex(column.length, (index) => lowest(column[index] ?? 0) >= box.top);
  for (let index = start; index < column.length; index += 1) {
    const parent = column[index] ?? 0;
    const top = highest(parent);
    if (top > box.bottom) break;
    if ((children[parent]?.length ?? 0) === 0) continue;
    context.fillRect(right, middleOf(parent) - thickness / 2, busOffset, thickness);
    const from = Math.max(top, box.top - 10);
    const height = Math.min(lowest(parent), box.bottom + 10) - from;
    if (height > thickness) context.fillRect(bus - thickness / 2, from, thickness, height);
    drawStubs(context, edges, { parent, bus });
  }
}

/** The horizontal ends. */
function drawStubs(
  context: CanvasRenderingContext2D,
  { tree, box }: EdgeColumn,
  { parent, bus }: { readonly parent: number; readonly bus: number },
): void {
  const { rows, children } = tree.layout;
  const all = children[parent] ?? [];
  const middleOf = (index: number): number =>
    rowTop(tree, rows[all[index] ?? 0] ?? 0) + measures.cardHeight / 2;
  const length = measures.columnWidth - measures.cardWidth - busOffset;
  for (let index = firstIndex(all.length, (at) => middleOf(at) >= box.top); index < all.length; index += 1) {
    const middle = middleOf(index);
    if (middle > box.bottom) return;
    context.fillRect(bus, middle - thickness / 2, length, thickness);
  }
}

/** The edges of the highlighted path, dashed where they were inherited. */
export function drawPath(
  context: CanvasRenderingContext2D,
  { theme, camera, forest }: Scene,
  path: HighlightedPath,
): void {
  const tree = forest.treeOf(path.group);
  if (tree === undefined) return;
  context.strokeStyle = formatColour(theme.focus);
  context.lineWidth = Math.max(3, 2 / camera.scale);
  for (const nodeId of path.nodeIds) {
    const parentId = path.group.nodes[nodeId]?.parentId ?? null;
    const row = tree.layout.rows[nodeId];
    if (parentId === null || row === undefined || Number.isNaN(row)) continue;
    context.setLineDash(path.inherited.has(nodeId) ? [7, 4] : []);
    context.beginPath();
    traceEdge(context, tree, parentId, nodeId);
    context.stroke();
  }
  context.setLineDash([]);
}

function traceEdge(
  context: CanvasRenderingContext2D,
  tree: PlacedTree,
  parentId: number,
  nodeId: number,
): void {
  const { rows } = tree.layout;
  const depth = tree.group.nodes[parentId]?.depth ?? 0;
  const right = columnLeft(tree, depth) + measures.cardWidth;
  const bus = right + busOffset;
  const from = rowTop(tree, rows[parentId] ?? 0) + measures.cardHeight / 2;
  const to = rowTop(tree, rows[nodeId] ?? 0) + measures.cardHeight / 2;
  context.moveTo(right, from);
  if (Math.abs(to - from) > 2 * bend) {
    context.arcTo(bus, from, bus, to, bend);
    context.arcTo(bus, to, bus + bend, to, bend);
  }
  context.lineTo(columnLeft(tree, depth + 1), to);
}

/**
 * Draws trees from far away: one rectangle per node, on whole pixels of the screen. What would fall on
 * pixels that are painted already is left out, so a frame costs pixels, not nodes.
 */
import { formatColour, mixColours } from '../shared/colour';
import type { Rgb } from '../shared/colour';
import { colourAt } from './colourScale';
import type { Box, PlacedTree } from './forestLayout';
import { columnLeft, firstIndex, measures, nodesWithin, rowTop } from './forestLayout';
import { appearanceOf } from './nodeAppearance';
import type { Scene } from './scene';
import { isKept } from './scene';

const { cardWidth, cardHeight, columnWidth } = measures;
/** Columns narrower than this leave no room for edges, CSS pixels. */
const narrowestColumn = 8;
/** Where the common line of a node's children stands in the gap between columns, as a share of it. */
const busShare = 0.45;

/** @param context In screen coordinates. @param box The visible part of the world. */
export function drawFarTree(
  context: CanvasRenderingContext2D,
  scene: Scene,
  tree: PlacedTree,
  box: Box,
): void {
  if (columnWidth * scene.camera.scale >= narrowestColumn) drawFarEdges(context, scene, tree, box);
  drawFarNodes(context, scene, tree, box);
  drawFarHits(context, scene, tree);
}

function drawFarEdges(context: CanvasRenderingContext2D, scene: Scene, tree: PlacedTree, box: Box): void {
  const { camera, theme } = scene;
  const { rows, children, columns } = tree.layout;
  context.fillStyle = formatColour(theme.border);
  const lineOf = (nodeId: number): number =>
    Math.round(camera.y + (rowTop(tree, rows[nodeId] ?? 0) + cardHeight / 2) * camera.scale);
  const [top, bottom] = [0, scene.size.height];
  const first = Math.max(0, Math.floor((box.left - tree.left) / columnWidth) - 1);
  const last = Math.min(columns.length - 2, Math.floor((box.right - tree.left) / columnWidth));
  for (let depth = first; depth <= last; depth += 1) {
    const column = columns[depth] ?? [];
    const gap = (columnWidth - cardWidth) * camera.scale;
    const right = camera.x + (columnLeft(tree, depth) + cardWidth) * camera.scale;
    const bus = Math.round(right + gap * busShare);
    const lowest = (nodeId: number): number => lineOf(children[nodeId]?.at(-1) ?? nodeId);
    const start = firstIndex(
      column.length,
      (index) => Math.max(lineOf(column[index] ?? 0), lowest(column[index] ?? 0)) >= top,
    );
    let painted = -1;
    for (let index = start; index < column.length; index += 1) {
      const parent = column[index] ?? 0;
      const from = Math.min(lineOf(parent), lineOf(children[parent]?.[0] ?? parent));
      if (from > bottom) break;
      const to = Math.max(lineOf(parent), lowest(parent));
      if ((children[parent]?.length ?? 0) === 0 || to <= painted) continue;
      painted = to;
      context.fillRect(Math.round(right), lineOf(parent), Math.ceil(gap), 1);
      const clippedFrom = Math.max(from, top);
      if (to > from) context.fillRect(bus, clippedFrom, 1, Math.min(to, bottom) - clippedFrom + 1);
    }
  }
}

function drawFarNodes(context: CanvasRenderingContext2D, scene: Scene, tree: PlacedTree, box: Box): void {
  const { camera } = scene;
  const width = Math.max(1, Math.round(cardWidth * camera.scale));
  const height = Math.max(1, Math.round(cardHeight * camera.scale));
  const byStep = new Map<number, number[]>();
  let last = { x: -1, line: -1, isKept: false };
  for (const { group, nodeId, x, y } of nodesWithin(tree, box)) {
    const line = Math.round(camera.y + y * camera.scale);
    const kept = isKept(scene, group, nodeId);
    if (last.x === x && last.line === line && (last.isKept || !kept)) continue;
    last = { x, line, isKept: kept };
    const node = group.nodes[nodeId];
    if (node === undefined) continue;
    const step = kept ? appearanceOf(group, node, scene.colourBy, scene.scale).step : -2;
    const left = Math.round(camera.x + x * camera.scale);
    const places = byStep.get(step);
    if (places === undefined) byStep.set(step, [left, line]);
    else places.push(left, line);
  }
  for (const [step, places] of byStep) {
    context.fillStyle = formatColour(farColour(scene, step));
    for (let index = 0; index < places.length; index += 2) {
      context.fillRect(places[index] ?? 0, places[index + 1] ?? 0, width, height);
    }
  }
}

function farColour({ theme, palette, scale }: Scene, step: number): Rgb {
  if (step === -2) return mixColours(theme.background, theme.border, 0.5);
  return step === -1 ? theme.border : colourAt(palette, scale.kind, step);
}

function drawFarHits(context: CanvasRenderingContext2D, scene: Scene, { group }: PlacedTree): void {
  const { camera } = scene;
  const size = 5;
  context.fillStyle = formatColour(scene.theme.charts.yellow);
  let painted = -1;
  for (const nodeId of scene.hits.get(group) ?? []) {
    const placed = scene.forest.place(group, nodeId);
    if (placed === null) continue;
    const line = Math.round(camera.y + placed.y * camera.scale);
    const key = line * 10_000 + placed.x;
    if (key === painted || line < -size || line > scene.size.height) continue;
    painted = key;
    context.fillRect(Math.round(camera.x + placed.x * camera.scale) - size, line, size, size);
  }
}

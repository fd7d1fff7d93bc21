/** Draws one frame of the forest. What is out of sight costs nothing. */
import { formatColour, mixColours } from '../shared/colour';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import { visibleBox } from './camera';
import { colourAt } from './colourScale';
import { drawMiddleCard, drawNearCard } from './drawCard';
import { drawEdges } from './drawEdges';
import { drawMark, marksOf } from './drawMarks';
import { fitText } from './drawText';
import type { Box, PlacedNode, PlacedTree } from './forestLayout';
import { columnLeft, measures, rangeWithin, rowTop } from './forestLayout';
import { appearanceOf } from './nodeAppearance';
import { rewardSummary } from './rewardSummary';
import type { Scene } from './scene';
import { detailLevel, isKept, isSame } from './scene';

const { cardWidth, cardHeight, columnWidth } = measures;

export function drawScene(context: CanvasRenderingContext2D, scene: Scene): void {
  const { camera, size, theme, forest } = scene;
  context.save();
  context.fillStyle = formatColour(theme.background);
  context.fillRect(0, 0, size.width, size.height);
  context.translate(camera.x, camera.y);
  context.scale(camera.scale, camera.scale);
  const box = visibleBox(camera, size);
  const trees = forest.treesWithin(box);
  for (const tree of trees) {
    drawEdges(context, scene, tree, box);
    if (detailLevel(camera.scale) === 'far') drawFarNodes(context, scene, tree, box);
    else drawCards(context, scene, tree, box);
  }
  for (const tree of trees) drawTitle(context, scene, tree, box);
  drawSelection(context, scene);
  context.restore();
}

/** The visible nodes of a tree that meet the box. */
export function* nodesWithin(tree: PlacedTree, box: Box): Generator<PlacedNode> {
  const first = Math.max(0, Math.floor((box.left - tree.left - cardWidth) / columnWidth));
  const last = Math.min(tree.layout.columns.length - 1, Math.floor((box.right - tree.left) / columnWidth));
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

function drawCards(context: CanvasRenderingContext2D, scene: Scene, tree: PlacedTree, box: Box): void {
  const isNear = detailLevel(scene.camera.scale) === 'near';
  const wide = { ...box, left: box.left - columnWidth };
  for (const placed of nodesWithin(tree, wide)) {
    const isBright = isKept(scene, placed.group, placed.nodeId);
    context.globalAlpha = isBright ? 1 : 0.22;
    if (isNear) drawNearCard(context, scene, placed);
    else drawMiddleCard(context, scene, placed);
    drawFold(context, scene, tree, placed);
    drawRings(context, scene, placed);
    if (scene.camera.scale >= 0.3) {
      for (const mark of marksOf(scene.forest, placed)) {
        if (isNear || mark.kind !== 'exhausted') drawMark(context, scene.theme, mark);
      }
    }
  }
  context.globalAlpha = 1;
}

/** Rectangles by colour; those that would fall on the same line of pixels are drawn once. */
function drawFarNodes(context: CanvasRenderingContext2D, scene: Scene, tree: PlacedTree, box: Box): void {
  const byStep = new Map<number, number[]>();
  const pixel = 1 / scene.camera.scale;
  let last = { x: -1, line: -1, isKept: false };
  for (const { group, nodeId, x, y } of nodesWithin(tree, box)) {
    const line = Math.floor(y * scene.camera.scale);
    const kept = isKept(scene, group, nodeId);
    if (last.x === x && last.line === line && (last.isKept || !kept)) continue;
    last = { x, line, isKept: kept };
    const node = group.nodes[nodeId];
    if (node === undefined) continue;
    const step = kept ? appearanceOf(group, node, scene.colourBy, scene.scale).step : -2;
    const places = byStep.get(step);
    if (places === undefined) byStep.set(step, [x, y]);
    else places.push(x, y);
  }
  for (const [step, places] of byStep) {
    context.fillStyle = formatColour(farColour(scene, step));
    for (let index = 0; index < places.length; index += 2) {
      context.fillRect(places[index] ?? 0, places[index + 1] ?? 0, cardWidth, Math.max(cardHeight, pixel));
    }
  }
  drawFarHits(context, scene, tree);
}

function farColour({ theme, palette, scale }: Scene, step: number): ReturnType<typeof colourAt> {
  if (step === -2) return mixColours(theme.background, theme.border, 0.5);
  return step === -1 ? theme.border : colourAt(palette, scale.kind, step);
}

function drawFarHits(context: CanvasRenderingContext2D, scene: Scene, { group }: PlacedTree): void {
  const size = 6 / scene.camera.scale;
  context.fillStyle = formatColour(scene.theme.charts.yellow);
  for (const nodeId of scene.hits.get(group) ?? []) {
    const placed = scene.forest.place(group, nodeId);
    if (placed !== null) context.fillRect(placed.x - size, placed.y, size, Math.max(size, cardHeight));
  }
}

/** A plate under a folded card that says how many steps it hides. */
function drawFold(
  context: CanvasRenderingContext2D,
  scene: Scene,
  tree: PlacedTree,
  placed: PlacedNode,
): void {
  if (!tree.folded.has(placed.nodeId)) return;
  const { theme } = scene;
  const label = `+${hiddenBelow(placed)}`;
  const left = placed.x + cardWidth + 6;
  context.fillStyle = formatColour(theme.card);
  context.strokeStyle = formatColour(theme.muted);
  context.lineWidth = 1.2;
  context.beginPath();
  context.roundRect(left, placed.y + cardHeight - 27, 50, 24, 12);
  context.fill();
  context.stroke();
  context.fillStyle = formatColour(theme.foreground);
  context.font = `600 14px ${theme.fontFamily}`;
  context.textAlign = 'center';
  context.fillText(fitText(context, label, 46), left + 25, placed.y + cardHeight - 10);
  context.textAlign = 'left';
}

/** Descendants of a node. */
export function hiddenBelow({ group, nodeId }: Pick<PlacedNode, 'group' | 'nodeId'>): number {
  let count = 0;
  const pending = [...(group.children[nodeId] ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    count += 1;
    pending.push(...(group.children[next] ?? []));
  }
  return count;
}

function drawRings(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { group, nodeId, x, y }: PlacedNode,
): void {
  const { theme } = scene;
  const isFresh = nodeId >= (scene.freshFrom.get(group) ?? Infinity);
  const isHit = scene.hits.get(group)?.has(nodeId) === true;
  const isHovered = isSame(scene.hovered, group, nodeId);
  if (!isFresh && !isHit && !isHovered) return;
  context.globalAlpha = 1;
  context.strokeStyle = formatColour(
    isHit ? theme.charts.yellow : isHovered ? theme.muted : theme.charts.blue,
  );
  context.lineWidth = isHit ? 3.5 : 2;
  context.setLineDash(isFresh && !isHit && !isHovered ? [3, 3] : []);
  context.beginPath();
  context.roundRect(x - 3, y - 3, cardWidth + 6, cardHeight + 6, 6);
  context.stroke();
  context.setLineDash([]);
}

/** The selected card's frame, large enough to be seen at any zoom. */
function drawSelection(context: CanvasRenderingContext2D, scene: Scene): void {
  const { selected, forest, theme, camera } = scene;
  if (selected === null) return;
  const tree = forest.trees.find(({ group }) => group.header.groupId === selected.groupId);
  const placed = tree === undefined ? null : forest.place(tree.group, selected.nodeId);
  if (placed === null) return;
  const pixel = 1 / camera.scale;
  const grow = Math.max(3, 3 * pixel);
  context.strokeStyle = formatColour(theme.focus);
  context.lineWidth = Math.max(3, 2 * pixel);
  context.beginPath();
  context.roundRect(placed.x - grow, placed.y - grow, cardWidth + 2 * grow, cardHeight + 2 * grow, 6);
  context.stroke();
}

/** What the tree is, above it; it stays readable at small zooms as long as there is room. */
function drawTitle(
  context: CanvasRenderingContext2D,
  { theme, camera, size }: Scene,
  tree: PlacedTree,
  box: Box,
): void {
  const fontSize = Math.min(30, Math.max(13, 12 / camera.scale));
  const isCrowded = fontSize * camera.scale < 7 || (tree.bottom - tree.top) * camera.scale < 20;
  if (isCrowded) return;
  const { header } = tree.group;
  const left = Math.max(tree.left, box.left + 16 / camera.scale);
  const room = Math.min(size.width / camera.scale, tree.right - left) - 32 / camera.scale;
  context.font = `600 ${fontSize}px ${theme.fontFamily}`;
  context.fillStyle = formatColour(theme.foreground);
  const title = fitText(context, visibleText(`#${header.update} ${header.taskId}`, 'oneLine'), room * 0.6);
  context.fillText(title, left, tree.top + 28);
  const titleWidth = context.measureText(title).width;
  context.font = `${fontSize}px ${theme.fontFamily}`;
  context.fillStyle = formatColour(header.isZeroVariance ? theme.error : theme.muted);
  const summary = rewardSummary(tree.group);
  const note = summary === null ? text('rewardsPending') : summary.text;
  const mark = header.isZeroVariance ? '⊘ ' : '';
  context.fillText(
    fitText(context, mark + note, room - titleWidth),
    left + titleWidth + fontSize,
    tree.top + 28,
  );
}

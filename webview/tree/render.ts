/** Draws one frame of the forest. What is out of sight costs nothing. */
import { formatColour } from '../shared/colour';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import { visibleBox } from './camera';
import { drawMiddleCard, drawNearCard } from './drawCard';
import { drawEdges, drawPath } from './drawEdges';
import { drawMark, marksOf } from './drawMarks';
import { fitText } from './drawText';
import type { Box, PlacedNode, PlacedTree } from './forestLayout';
import { measures, nodesWithin } from './forestLayout';
import { drawFarTree } from './renderFar';
import { rewardSummary } from './rewardSummary';
import type { Scene } from './scene';
import { detailLevel, isKept, isSame } from './scene';

const { cardWidth, cardHeight, columnWidth } = measures;

/** @param context In CSS pixels of the canvas. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene): void {
  const { camera, size, theme, forest } = scene;
  context.fillStyle = formatColour(theme.background);
  context.fillRect(0, 0, size.width, size.height);
  const box = visibleBox(camera, size);
  const trees = forest.treesWithin(box);
  const isFar = detailLevel(camera.scale) === 'far';
  for (const tree of isFar ? trees : []) drawFarTree(context, scene, tree, box);
  context.save();
  context.translate(camera.x, camera.y);
  context.scale(camera.scale, camera.scale);
  for (const tree of isFar ? [] : trees) {
    drawEdges(context, scene, tree, box);
    if (scene.path?.group === tree.group) drawPath(context, scene, scene.path);
    drawCards(context, scene, tree, box);
  }
  if (isFar && scene.path !== null) drawPath(context, scene, scene.path);
  for (const tree of trees) drawTitle(context, scene, tree, box);
  drawSelection(context, scene);
  context.restore();
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

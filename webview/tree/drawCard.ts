/** Draws one step as a card: its value on its colour, and its segments as typed blocks. */
import type { SegmentKind, TreeNode, TreeSegment } from '#protocol/treeViewProtocol';
import { unpackNumber } from '#protocol/treeViewProtocol';
import type { Rgb } from '../shared/colour';
import { formatColour, mixColours, readableOn } from '../shared/colour';
import { text } from '../shared/strings';
import type { Theme } from '../shared/theme';
import { visibleText } from '../shared/visibleText';
import { colourAt } from './colourScale';
import { fitText, wrapText } from './drawText';
import type { PlacedNode } from './forestLayout';
import { measures } from './forestLayout';
import { factsOf } from './groupFacts';
import { appearanceOf, valueLabel } from './nodeAppearance';
import type { Scene } from './scene';

const { cardWidth, cardHeight } = measures;
const headerHeight = 19;
const rowHeight = 16;
const radius = 4;

/** What a card looks like besides its text. */
export interface CardStyle {
  readonly fill: Rgb | null;
  readonly label: string;
  readonly isInherited: boolean;
}

/** Colour and label of a node under the scene's colouring. */
export function cardStyle(scene: Scene, placed: PlacedNode, node: TreeNode): CardStyle {
  const { step, label } = appearanceOf(placed.group, node, scene.colourBy, scene.scale);
  const fill = step < 0 ? null : colourAt(scene.palette, scene.scale.kind, step);
  const isInherited = scene.path?.group === placed.group && scene.path.inherited.has(placed.nodeId);
  return { fill, label, isInherited };
}

/** The card with all its texts. */
export function drawNearCard(context: CanvasRenderingContext2D, scene: Scene, placed: PlacedNode): void {
  const node = placed.group.nodes[placed.nodeId];
  if (node === undefined) return;
  const { theme } = scene;
  const style = cardStyle(scene, placed, node);
  drawBody(context, theme, placed, style);
  drawHeader(context, scene, { placed, node, style });
  if (node.id === 0) drawPrompt(context, theme, placed);
  else drawSegments(context, theme, placed, node.segments);
  drawReward(context, scene, placed);
}

/** The card with a large value and the words that matter most. */
export function drawMiddleCard(context: CanvasRenderingContext2D, scene: Scene, placed: PlacedNode): void {
  const node = placed.group.nodes[placed.nodeId];
  if (node === undefined) return;
  const { theme, camera } = scene;
  const style = cardStyle(scene, placed, node);
  drawBody(context, theme, placed, style);
  const valueWidth = 76;
  fillValue(context, theme, { x: placed.x, y: placed.y, width: valueWidth, height: cardHeight }, style);
  context.fillStyle = formatColour(style.fill === null ? theme.foreground : readableOn(style.fill));
  context.font = `600 ${valueFontSize(style.label)}px ${theme.codeFamily}`;
  context.textAlign = 'center';
  const label = fitText(context, style.label, valueWidth - 6);
  context.fillText(label, placed.x + valueWidth / 2, placed.y + cardHeight / 2 + 9);
  context.textAlign = 'left';
  const area = { x: placed.x + valueWidth + 8, y: placed.y, width: cardWidth - valueWidth - 12 };
  if (camera.scale >= 0.36) drawWords(context, theme, area, wordsOf(placed, node));
  else drawStrips(context, theme, area, node.segments);
  if (camera.scale >= 0.3) drawReward(context, scene, placed);
}

/** As large as the value's field allows; characters of a code font are about 0.61 of its size wide. */
function valueFontSize(label: string): number {
  return Math.max(12, Math.min(24, Math.floor(70 / (label.length * 0.61))));
}

/** The colour that stands for a kind of segment, next to its sign. */
export function segmentColour(theme: Theme, kind: SegmentKind): Rgb {
  switch (kind) {
    case 'think':
      return theme.charts.purple;
    case 'call':
      return theme.charts.blue;
    case 'result':
      return theme.charts.green;
    case 'answer':
      return theme.charts.orange;
    case 'text':
      return theme.muted;
  }
}

/** The reward of a finished trajectory: a sign, the number and the slot, right of its last card. */
function drawReward(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { group, nodeId, x, y }: PlacedNode,
): void {
  const slot = factsOf(group).endSlot[nodeId] ?? -1;
  if (slot < 0) return;
  const { theme } = scene;
  const reward = group.scores === null ? null : unpackNumber(group.scores.rewards, slot);
  const isNear = scene.camera.scale >= 0.66;
  const left = x + cardWidth + 8;
  if (reward !== null) {
    const isRight = group.scores?.isCorrect[slot] === 1;
    const colour = isRight ? theme.charts.green : reward < 0 ? theme.charts.red : theme.muted;
    context.fillStyle = formatColour(colour);
    context.strokeStyle = formatColour(colour);
    drawOutcome(context, left + 6, y + cardHeight / 2 - 6, isRight);
    context.fillStyle = formatColour(theme.foreground);
    context.font = `600 ${isNear ? 12 : 17}px ${theme.codeFamily}`;
    context.fillText(valueLabel(reward, 'reward').replace(/\.?0+$/, ''), left + 16, y + cardHeight / 2 - 1);
  }
  if (!isNear) return;
  context.fillStyle = formatColour(theme.muted);
  context.font = `11px ${theme.fontFamily}`;
  context.fillText(text('slot', slot), left, y + cardHeight / 2 + 14);
}

function drawOutcome(context: CanvasRenderingContext2D, x: number, y: number, isRight: boolean): void {
  context.lineWidth = 2.2;
  context.beginPath();
  if (isRight) {
    context.moveTo(x - 5, y);
    context.lineTo(x - 1, y + 4);
    context.lineTo(x + 5, y - 5);
  } else {
    context.moveTo(x - 4, y - 4);
    context.lineTo(x + 4, y + 4);
    context.moveTo(x + 4, y - 4);
    context.lineTo(x - 4, y + 4);
  }
  context.stroke();
}

function drawBody(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { group, nodeId, x, y }: PlacedNode,
  style: CardStyle,
): void {
  const isReroll = group.trajectories[group.nodes[nodeId]?.slot ?? -1]?.isReroll === true;
  context.fillStyle = formatColour(theme.card);
  context.strokeStyle = formatColour(style.isInherited ? theme.focus : theme.border);
  context.lineWidth = style.isInherited ? 1.6 : 1;
  context.setLineDash(style.isInherited ? [5, 3] : isReroll ? [2, 3] : []);
  context.beginPath();
  context.roundRect(x, y, cardWidth, cardHeight, radius);
  context.fill();
  context.stroke();
  context.setLineDash([]);
}

interface ValueArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function fillValue(context: CanvasRenderingContext2D, theme: Theme, area: ValueArea, style: CardStyle): void {
  const isHeader = area.width === cardWidth;
  context.beginPath();
  context.roundRect(
    area.x,
    area.y,
    area.width,
    area.height,
    isHeader ? [radius, radius, 0, 0] : [radius, 0, 0, radius],
  );
  if (style.fill !== null) {
    context.fillStyle = formatColour(style.fill);
    context.fill();
  }
  if (style.fill === null || theme.isHighContrast) {
    context.strokeStyle = formatColour(theme.border);
    context.lineWidth = 1;
    context.stroke();
  }
  if (style.isInherited && style.fill !== null) hatch(context, style.fill, area);
}

/** Slanted lines: inherited, whatever the colour. */
function hatch(context: CanvasRenderingContext2D, fill: Rgb, area: ValueArea): void {
  context.save();
  context.clip();
  context.strokeStyle = formatColour(mixColours(fill, readableOn(fill), 0.3));
  context.lineWidth = 1.5;
  context.beginPath();
  for (let offset = -area.height; offset < area.width; offset += 9) {
    context.moveTo(area.x + offset, area.y + area.height);
    context.lineTo(area.x + offset + area.height, area.y);
  }
  context.stroke();
  context.restore();
}

interface HeaderContent {
  readonly placed: PlacedNode;
  readonly node: TreeNode;
  readonly style: CardStyle;
}

function drawHeader(context: CanvasRenderingContext2D, { theme, path }: Scene, header: HeaderContent): void {
  const { placed, node, style } = header;
  const { x, y } = placed;
  fillValue(context, theme, { x, y, width: cardWidth, height: headerHeight }, style);
  context.fillStyle = formatColour(style.fill === null ? theme.foreground : readableOn(style.fill));
  context.font = `600 12px ${theme.codeFamily}`;
  const label = fitText(context, style.label, 90);
  const isOutlined = style.isInherited && style.fill !== null;
  if (isOutlined)
    underlay(context, style.fill, { x: x + 5, y: y + 2, width: context.measureText(label).width + 6 });
  context.fillText(label, x + 8, y + 14);
  const note =
    node.id === 0 ? text('prompt') : style.isInherited && path !== null ? text('inherited') : stepNote(node);
  context.font = `11px ${theme.fontFamily}`;
  const width = context.measureText(note).width;
  if (isOutlined)
    underlay(context, style.fill, { x: x + cardWidth - width - 11, y: y + 2, width: width + 6 });
  context.fillText(note, x + cardWidth - 8 - width, y + 14);
}

/** A plain patch under a text on a hatched header. */
function underlay(
  context: CanvasRenderingContext2D,
  fill: Rgb | null,
  area: { readonly x: number; readonly y: number; readonly width: number },
): void {
  if (fill === null) return;
  const previous = context.fillStyle;
  context.fillStyle = formatColour(fill);
  context.fillRect(area.x, area.y, area.width, headerHeight - 4);
  context.fillStyle = previous;
}

function stepNote({ toolCall, stopReason, depth }: TreeNode): string {
  if (toolCall !== null) return `${toolCall.failure === null ? '' : '⚠ '}${toolCall.tool} · ${depth}`;
  return stopReason === 'end' ? `${depth}` : `⚠ ${stopReason ?? ''} · ${depth}`;
}

function drawPrompt(context: CanvasRenderingContext2D, theme: Theme, { group, x, y }: PlacedNode): void {
  context.font = `12px ${theme.codeFamily}`;
  context.fillStyle = formatColour(theme.foreground);
  const prompt = visibleText(group.header.prompt.slice(0, 400), 'oneLine');
  const lines = wrapText(context, prompt, { width: cardWidth - 16, lines: 3 });
  for (const [index, line] of lines.entries()) {
    context.fillText(line, x + 8, y + headerHeight + 14 + index * 15);
  }
}

function drawSegments(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { x, y }: PlacedNode,
  segments: readonly TreeSegment[],
): void {
  context.font = `12px ${theme.codeFamily}`;
  for (const [index, segment] of segments.slice(0, 3).entries()) {
    const top = y + headerHeight + 1 + index * rowHeight;
    const colour = segmentColour(theme, segment.kind);
    if (!theme.isHighContrast) {
      context.fillStyle = formatColour(colour, 0.13);
      context.fillRect(x + 3, top + 0.5, cardWidth - 6, rowHeight - 1);
    }
    drawSign(context, segment.kind, { x: x + 6, y: top + rowHeight / 2, colour });
    context.fillStyle = formatColour(segment.kind === 'think' ? theme.muted : theme.foreground);
    const hidden = index === 2 && segments.length > 3 ? ` +${segments.length - 3}` : '';
    const shown = visibleText(segment.text, 'oneLine') + hidden;
    context.fillText(fitText(context, shown, cardWidth - 30), x + 22, top + 12);
  }
}

interface SignPlace {
  readonly x: number;
  readonly y: number;
  readonly colour: Rgb;
}

/** Dots think, an arrow calls, an arrow back results, two bars answer, lines are plain text. */
export function drawSign(
  context: CanvasRenderingContext2D,
  kind: SegmentKind,
  { x, y, colour }: SignPlace,
): void {
  context.fillStyle = formatColour(colour);
  switch (kind) {
    case 'think':
      for (const offset of [1, 5, 9]) context.fillRect(x + offset - 0.5, y - 1, 2.5, 2.5);
      return;
    case 'call':
      fillTriangle(context, x + 1, y, 9);
      return;
    case 'result':
      fillTriangle(context, x + 10, y, -9);
      return;
    case 'answer':
      context.fillRect(x + 1, y - 3.5, 9, 2.5);
      context.fillRect(x + 1, y + 1.5, 9, 2.5);
      return;
    case 'text':
      for (const offset of [-3, 0, 3]) context.fillRect(x + 1, y + offset, 9, 1);
  }
}

function fillTriangle(context: CanvasRenderingContext2D, x: number, y: number, length: number): void {
  context.beginPath();
  context.moveTo(x, y - 4.5);
  context.lineTo(x + length, y);
  context.lineTo(x, y + 4.5);
  context.fill();
}

interface TextArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function wordsOf({ group }: PlacedNode, node: TreeNode): readonly string[] {
  if (node.id === 0) return [text('prompt'), visibleText(group.header.prompt.slice(0, 120), 'oneLine')];
  const important = node.segments.filter(({ kind }) => kind !== 'think');
  return (important.length > 0 ? important : node.segments)
    .slice(0, 2)
    .map((segment) => visibleText(segment.text, 'oneLine'));
}

function drawWords(
  context: CanvasRenderingContext2D,
  theme: Theme,
  area: TextArea,
  words: readonly string[],
): void {
  context.font = `16px ${theme.codeFamily}`;
  for (const [index, line] of words.entries()) {
    context.fillStyle = formatColour(index === 0 ? theme.foreground : theme.muted);
    const middle = words.length === 1 ? area.y + cardHeight / 2 + 6 : area.y + 29 + index * 25;
    context.fillText(fitText(context, line, area.width), area.x, middle);
  }
}

function drawStrips(
  context: CanvasRenderingContext2D,
  theme: Theme,
  area: TextArea,
  segments: readonly TreeSegment[],
): void {
  for (const [index, segment] of segments.slice(0, 3).entries()) {
    context.fillStyle = formatColour(segmentColour(theme, segment.kind));
    const width = Math.min(area.width, 18 + segment.fullLength * 3);
    context.fillRect(area.x, area.y + 12 + index * 18, width, 10);
  }
}

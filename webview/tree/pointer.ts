/** The mouse and the pen: drag to move, wheel to zoom, click to select, double click to fold. */
import type { NodeReference } from '#protocol/treeViewProtocol';
import type { PlacedMark } from './drawMarks';
import { markRadius, marksOf } from './drawMarks';
import { measures, nodesWithin } from './forestLayout';
import type { Scene } from './scene';

export interface PointerOptions {
  readonly stage: HTMLElement;
  readonly scene: () => Scene;
  readonly onPan: (x: number, y: number) => void;
  readonly onZoom: (factor: number, point: { readonly x: number; readonly y: number }) => void;
  readonly onSelect: (reference: NodeReference | null) => void;
  readonly onFold: (reference: NodeReference) => void;
  readonly onHover: (target: PointerTarget, point: { readonly x: number; readonly y: number }) => void;
}

/** What is under the pointer. */
export interface PointerTarget {
  readonly node: NodeReference | null;
  readonly mark: PlacedMark | null;
}

/** Movement below this is a click, CSS pixels. */
const dragThreshold = 4;

/** Listens until the page ends. */
export function listenToPointer(options: PointerOptions): void {
  const { stage } = options;
  let start: { x: number; y: number; isDrag: boolean } | null = null;
  let last = { x: 0, y: 0 };
  stage.addEventListener('pointerdown', (event) => {
    last = pointOf(stage, event);
    const { node } = targetAt(options.scene(), last.x, last.y);
    setContext(stage, node);
    if (event.button === 2 && node !== null) options.onSelect(node);
    if (event.button !== 0 && event.button !== 1) return;
    start = { ...last, isDrag: false };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const point = pointOf(stage, event);
    if (start === null) {
      options.onHover(targetAt(options.scene(), point.x, point.y), point);
      return;
    }
    start.isDrag ||= Math.hypot(point.x - start.x, point.y - start.y) > dragThreshold;
    if (start.isDrag) options.onPan(point.x - last.x, point.y - last.y);
    last = point;
  });
  stage.addEventListener('pointerup', (event) => {
    const isClick = start !== null && !start.isDrag && event.button === 0;
    start = null;
    if (!isClick) return;
    const { node, mark } = targetAt(options.scene(), last.x, last.y);
    options.onSelect(node);
    if (mark !== null) options.onHover({ node, mark }, last);
  });
  stage.addEventListener('pointercancel', () => (start = null));
  stage.addEventListener('pointerleave', (event) => {
    if (start === null) options.onHover({ node: null, mark: null }, pointOf(stage, event));
  });
  stage.addEventListener('dblclick', (event) => {
    const point = pointOf(stage, event);
    const { node } = targetAt(options.scene(), point.x, point.y);
    if (node !== null) options.onFold(node);
  });
  listenToWheel(options);
}

/** Wheel zooms at the pointer; with Shift, and on touch pads sideways, it moves. */
function listenToWheel({ stage, onPan, onZoom }: PointerOptions): void {
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const [x, y] = [event.deltaX * unit, event.deltaY * unit];
    const isSideways = event.shiftKey || Math.abs(x) > Math.abs(y);
    if (isSideways && !event.ctrlKey) onPan(event.shiftKey && x === 0 ? -y : -x, event.shiftKey ? 0 : -y);
    else onZoom(Math.exp(-y * (event.ctrlKey ? 0.01 : 0.0016)), pointOf(stage, event));
  };
  stage.addEventListener('wheel', onWheel, { passive: false });
}

/** The mark or else the card at a point of the stage. A mark names the node it belongs to. */
export function targetAt(scene: Scene, x: number, y: number): PointerTarget {
  const { camera, forest } = scene;
  const world = { x: (x - camera.x) / camera.scale, y: (y - camera.y) / camera.scale };
  const hit = forest.nodeAt(world.x, world.y);
  if (hit !== null) return { node: { groupId: hit.group.header.groupId, nodeId: hit.nodeId }, mark: null };
  const reach = Math.max(markRadius + 3, 5 / camera.scale);
  const around = { left: world.x - measures.columnWidth, right: world.x + measures.columnWidth };
  for (const tree of camera.scale < 0.3
    ? []
    : forest.treesWithin({ left: world.x, right: world.x, top: world.y, bottom: world.y })) {
    const box = { ...around, top: world.y - measures.rowHeight, bottom: world.y + measures.rowHeight };
    for (const placed of nodesWithin(tree, box)) {
      const mark = marksOf(forest, placed).find((at) => Math.hypot(at.x - world.x, at.y - world.y) <= reach);
      if (mark === undefined) continue;
      return { node: { groupId: tree.group.header.groupId, nodeId: mark.decision.nodeId }, mark };
    }
  }
  return { node: null, mark: null };
}

/** Tells VS Code which node its context menu is about. */
function setContext(stage: HTMLElement, node: NodeReference | null): void {
  const context = {
    webviewSection: node === null ? 'tree' : 'node',
    preventDefaultContextMenuItems: true,
    ...node,
  };
  stage.dataset['vscodeContext'] = JSON.stringify(context);
}

function pointOf(stage: HTMLElement, event: MouseEvent): { x: number; y: number } {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** The overview in the corner: the whole forest as pixels, and the part that is on screen. */
import { element, fitCanvas } from '../shared/dom';
import { formatColour } from '../shared/colour';
import { text } from '../shared/strings';
import { visibleBox } from './camera';
import { colourAt } from './colourScale';
import { columnLeft, measures, rowTop } from './forestLayout';
import { appearanceOf } from './nodeAppearance';
import type { Scene } from './scene';
import { isKept } from './scene';

const width = 176;
const height = 116;
const padding = 4;

/** See the module comment. */
export class Minimap {
  readonly element: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #frame: HTMLElement;
  #scale = { x: 1, y: 1 };

  constructor(onMove: (worldX: number, worldY: number) => void) {
    this.#canvas = element('canvas', {});
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#frame = element('div', { className: 'minimap-frame' });
    // The keyboard moves by steps and Shift+arrows, so the overview is for the pointer only.
    this.element = element(
      'div',
      { className: 'minimap', attributes: { 'aria-hidden': 'true', title: text('minimap') } },
      this.#canvas,
      this.#frame,
    );
    const move = (event: PointerEvent): void => {
      if (event.buttons !== 1) return;
      const box = this.#canvas.getBoundingClientRect();
      onMove(
        (event.clientX - box.left - padding) / this.#scale.x,
        (event.clientY - box.top - padding) / this.#scale.y,
      );
    };
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      move(event);
    });
    this.element.addEventListener('pointermove', move);
  }

  /** Draws the forest; needed when trees, colours, filter or hits changed. */
  draw(scene: Scene): void {
    const context = fitCanvas(this.#canvas, width, height);
    context.fillStyle = formatColour(scene.theme.background);
    context.fillRect(0, 0, width, height);
    const { extent } = scene.forest;
    this.#scale = {
      x: (width - 2 * padding) / Math.max(1, extent.right),
      y: (height - 2 * padding) / Math.max(1, extent.bottom),
    };
    for (const tree of scene.forest.trees) this.#drawTree(context, scene, tree);
  }

  /** Moves the frame; cheap enough for every frame. Hidden while everything is in sight. */
  moveFrame(scene: Scene): void {
    const box = visibleBox(scene.camera, scene.size);
    const { extent } = scene.forest;
    const isAllVisible =
      box.left <= 0 && box.top <= 0 && box.right >= extent.right && box.bottom >= extent.bottom;
    this.element.classList.toggle('idle', isAllVisible || scene.forest.trees.length === 0);
    const left = Math.max(0, box.left * this.#scale.x + padding);
    const top = Math.max(0, box.top * this.#scale.y + padding);
    const right = Math.min(width, box.right * this.#scale.x + padding);
    const bottom = Math.min(height, box.bottom * this.#scale.y + padding);
    this.#frame.style.transform = `translate(${left}px, ${top}px)`;
    this.#frame.style.width = `${Math.max(6, right - left)}px`;
    this.#frame.style.height = `${Math.max(6, bottom - top)}px`;
  }

  #drawTree(context: CanvasRenderingContext2D, scene: Scene, tree: Scene['forest']['trees'][number]): void {
    const nodeWidth = Math.max(2, measures.cardWidth * this.#scale.x);
    const nodeHeight = Math.max(1, measures.cardHeight * this.#scale.y * 0.85);
    const hits = scene.hits.get(tree.group);
    for (const [depth, column] of tree.layout.columns.entries()) {
      const x = padding + columnLeft(tree, depth) * this.#scale.x;
      let lastLine = -1;
      for (const nodeId of column) {
        const y = padding + rowTop(tree, tree.layout.rows[nodeId] ?? 0) * this.#scale.y;
        const line = Math.floor(y * 2);
        const isHit = hits?.has(nodeId) === true;
        const node = tree.group.nodes[nodeId];
        if ((line === lastLine && !isHit) || node === undefined) continue;
        lastLine = line;
        const { step } = appearanceOf(tree.group, node, scene.colourBy, scene.scale);
        const isPlain = step < 0 || !isKept(scene, tree.group, nodeId);
        context.fillStyle = formatColour(
          isHit
            ? scene.theme.charts.yellow
            : isPlain
              ? scene.theme.border
              : colourAt(scene.palette, scene.scale.kind, step),
        );
        context.fillRect(x, y, nodeWidth, isHit ? Math.max(3, nodeHeight) : nodeHeight);
      }
    }
  }
}

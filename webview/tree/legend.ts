/** The legend: the ramp with its numbers, or the tools by name; and what the marks mean. */
import { contextOf, element, fitCanvas } from '../shared/dom';
import { formatColour } from '../shared/colour';
import { text } from '../shared/strings';
import { colourAt } from './colourScale';
import type { Scale } from './colourScale';
import type { DecisionMark } from './decisionText';
import { drawMark } from './drawMarks';
import { colourings, valueLabel } from './nodeAppearance';
import type { Scene } from './scene';

const rampWidth = 168;
const rampHeight = 12;

/** Rebuilds the legend; it is small. */
export function updateLegend(container: HTMLElement, scene: Scene): void {
  const colouring = colourings.find(({ value }) => value === scene.colourBy);
  const unit = scene.colourBy === 'entropy' ? ` (${text('nats')})` : '';
  container.replaceChildren(
    element('strong', {}, (colouring === undefined ? '' : text(colouring.label)) + unit),
    ...(scene.scale.kind === 'categorical'
      ? toolNames(scene, scene.scale.names)
      : rampParts(scene, scene.scale)),
    marks(scene),
  );
}

function rampParts(scene: Scene, scale: Exclude<Scale, { kind: 'categorical' }>): HTMLElement[] {
  const canvas = element('canvas', { className: 'ramp', attributes: { 'aria-hidden': 'true' } });
  canvas.style.width = `${rampWidth}px`;
  canvas.style.height = `${rampHeight}px`;
  const context = fitCanvas(canvas, rampWidth, rampHeight);
  const ramp = scene.palette[scale.kind];
  for (const [index, colour] of ramp.entries()) {
    context.fillStyle = formatColour(colour);
    context.fillRect((index * rampWidth) / ramp.length, 0, rampWidth / ramp.length + 1, rampHeight);
  }
  const [low, high] =
    scale.kind === 'diverging' ? [-scale.extreme, scale.extreme] : [scale.minimum, scale.maximum];
  const ticks = [low, (low + high) / 2, high].map((value) =>
    element(
      'span',
      {},
      valueLabel(value, scene.colourBy === 'depth' ? 'entropy' : scene.colourBy).replace(/\.00$/, ''),
    ),
  );
  return [canvas, element('div', { className: 'ticks' }, ...ticks)];
}

function toolNames(scene: Scene, names: readonly string[]): HTMLElement[] {
  return names.map((name, index) => {
    const swatch = smallCanvas((context) => {
      context.fillStyle = formatColour(colourAt(scene.palette, 'categorical', index));
      context.fillRect(2, 2, 12, 12);
    });
    return element('div', { className: 'entry' }, swatch, name);
  });
}

function marks({ theme }: Scene): HTMLElement {
  const mark = (kind: DecisionMark, label: string): HTMLElement => {
    const sign = smallCanvas((context) => drawMark(context, theme, { kind, x: 8, y: 8 }));
    return element('span', { className: 'entry' }, sign, label);
  };
  const inherited = smallCanvas((context) => {
    context.strokeStyle = formatColour(theme.focus);
    context.lineWidth = 2;
    context.setLineDash([4, 2]);
    context.strokeRect(1.5, 3.5, 13, 9);
  });
  return element(
    'div',
    { className: 'legend-marks' },
    mark('taken', text('legendTaken')),
    mark('refused', text('legendRefused')),
    mark('exhausted', text('legendExhausted')),
    element('span', { className: 'entry' }, inherited, text('legendInherited')),
    element('span', { className: 'entry' }, element('span', { className: 'none' }, '–'), text('legendNone')),
  );
}

function smallCanvas(draw: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const canvas = element('canvas', { className: 'sign', attributes: { 'aria-hidden': 'true' } });
  fitCanvas(canvas, 16, 16);
  draw(contextOf(canvas));
  return canvas;
}

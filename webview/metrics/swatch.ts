/** A sample of a line beside its name. */
import type { Rgb } from '../shared/colour';
import { formatColour } from '../shared/colour';
import type { LineStyle } from './lineStyle';
import { isFilled, markerPath } from './lineStyle';

const namespace = 'http://www.w3.org/2000/svg';
const size = { width: 26, height: 12 };

/** `marker`: the marker alone, for values of a run. `line`: dash and marker. `dash`: the dash alone. */
export type SwatchKind = 'marker' | 'line' | 'dash';

/** A small picture, hidden from screen readers: a name stands beside it. */
export function createSwatch(style: LineStyle, colour: Rgb, kind: SwatchKind): SVGElement {
  const width = kind === 'marker' ? size.height : size.width;
  const svg = create('svg', {
    viewBox: `0 0 ${width} ${size.height}`,
    width: String(width),
    height: String(size.height),
    class: 'swatch',
    'aria-hidden': 'true',
  });
  const paint = formatColour(colour);
  const middle = size.height / 2;
  if (kind !== 'marker') {
    svg.append(
      create('path', {
        d: `M1 ${middle}H${width - 1}`,
        stroke: paint,
        'stroke-width': '2',
        'stroke-dasharray': style.dash.join(' '),
      }),
    );
  }
  if (kind !== 'dash') svg.append(createMark(style, paint, { x: width / 2, y: middle }));
  return svg;
}

function createMark(style: LineStyle, paint: string, { x, y }: { x: number; y: number }): SVGElement {
  return create('path', {
    d: markerPath(style.marker, x, y, 3.6),
    ...(isFilled(style.marker)
      ? { fill: paint }
      : { class: `mark-${style.marker}`, stroke: paint, 'stroke-width': '1.8' }),
  });
}

function create(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const created = document.createElementNS(namespace, name);
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value);
  if (!(created instanceof SVGElement)) throw new TypeError(`expected an SVG element, got ${name}`);
  return created;
}

/**
 * Charts as SVG, for papers: on white, with black text, whatever the theme. Written from the same
 * numbers as the charts on screen, without the charting library. Pure.
 */
import type { Rgb } from '../shared/colour';
import { white } from '../shared/colour';
import type { ChartLine, ChartModel, Domain } from './chartModel';
import { isFilled, linePalette, markedPoints, markerPath } from './lineStyle';
import { text } from './metricsText';
import { axisTickText, valueTickText } from './numberText';
import { ticksOf } from './ticks';

/** Size of one chart, and where its plot lies inside of it; user units. */
const width = 480;
const height = 300;
const plot = { left: 56, top: 34, width: 408, height: 178 };
const columns = 2;
const legendLine = 15;

/** One chart as a document. */
export function svgOf(model: ChartModel): string {
  return documentOf({ width, height: chartHeight(model) }, chartMarkup(model));
}

/** All charts as one document, in two columns. */
export function svgOfAll(models: readonly ChartModel[]): string {
  const rowHeight = Math.max(height, ...models.map(chartHeight));
  const rows = Math.ceil(models.length / columns);
  const parts = models.map((model, index) => {
    const place = `translate(${(index % columns) * width} ${Math.floor(index / columns) * rowHeight})`;
    return `<g transform="${place}">\n${chartMarkup(model)}\n</g>`;
  });
  return documentOf({ width: columns * width, height: rows * rowHeight }, parts.join('\n'));
}

function documentOf(size: { width: number; height: number }, contents: string): string {
  const box = `width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family="Helvetica, Arial, sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    contents,
    '</svg>',
    '',
  ].join('\n');
}

function chartHeight(model: ChartModel): number {
  const rows = Math.ceil(model.lines.length / legendColumns(model));
  return height + Math.max(0, rows - 2) * legendLine;
}

/** Names of runs are long. */
function legendColumns(model: ChartModel): number {
  return hasManyRuns(model) ? 1 : 2;
}

function hasManyRuns({ lines }: ChartModel): boolean {
  return new Set(lines.map(({ runId }) => runId)).size > 1;
}

function chartMarkup(model: ChartModel): string {
  const { definition, lines } = model;
  const unit = text(`unit_${definition.unit}`);
  const title = unit === '' ? text(definition.title) : `${text(definition.title)} (${unit})`;
  const palette = linePalette(white);
  return [
    label(title, { x: plot.left, y: 20, extra: ' font-size="14" font-weight="bold"' }),
    ...axesMarkup(model),
    ...(lines.length === 0
      ? [
          label(text('noValues'), {
            x: plot.left + plot.width / 2,
            y: plot.top + plot.height / 2,
            extra: middle,
          }),
        ]
      : lines.map((line) => lineMarkup(line, model, palette))),
    ...lines.map((line, index) => legendMarkup(line, index, { model, palette })),
  ].join('\n');
}

const middle = ' text-anchor="middle"';

function axesMarkup({ definition, axis, xDomain, yDomain }: ChartModel): string[] {
  const yTicks = ticksOf(yDomain, 6, definition.unit === 'count' ? 'whole' : 'number');
  const step = (yTicks[1] ?? 1) - (yTicks[0] ?? 0);
  const xTicks = ticksOf(xDomain, 6, axis === 'time' ? 'time' : 'whole');
  const bottom = plot.top + plot.height;
  const middleX = plot.left + plot.width / 2;
  return [
    ...yTicks.flatMap((value) => {
      const y = round(yOf(value, yDomain));
      return [
        `<path d="M${plot.left} ${y}h${plot.width}" stroke="#dddddd"/>`,
        label(valueTickText(value, definition.unit, step), {
          x: plot.left - 6,
          y: round(y + 4),
          extra: ' text-anchor="end"',
        }),
      ];
    }),
    ...xTicks.flatMap((value) => {
      const x = round(xOf(value, xDomain));
      return [
        `<path d="M${x} ${bottom}v4" stroke="#555555"/>`,
        label(axisTickText(value, axis), { x, y: bottom + 16, extra: middle }),
      ];
    }),
    `<path d="M${plot.left} ${plot.top}V${bottom}H${plot.left + plot.width}" fill="none" stroke="#555555"/>`,
    label(text(`axisLabel_${axis}`), { x: middleX, y: bottom + 32, extra: middle }),
  ];
}

function lineMarkup(line: ChartLine, model: ChartModel, palette: readonly Rgb[]): string {
  const points = model.xs.flatMap((x, index) => {
    const value = line.values[index];
    if (value === null || value === undefined || x < model.xDomain[0] || x > model.xDomain[1]) return [];
    return [{ x: round(xOf(x, model.xDomain)), y: round(yOf(value, model.yDomain)) }];
  });
  const colour = hex(palette[line.style.colour % palette.length] ?? white);
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const marks = markedPoints(
    points.map(({ x }) => x),
    16,
  ).flatMap((index) => points[index] ?? []);
  return [
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-linejoin="round"${dashOf(line)}/>`,
    ...marks.map(({ x, y }) => markMarkup(line, { x, y, colour })),
  ].join('\n');
}

function legendMarkup(
  line: ChartLine,
  index: number,
  { model, palette }: { readonly model: ChartModel; readonly palette: readonly Rgb[] },
): string {
  const perRow = legendColumns(model);
  const x = plot.left + (index % perRow) * (plot.width / perRow);
  const y = plot.top + plot.height + 52 + Math.floor(index / perRow) * legendLine;
  const colour = hex(palette[line.style.colour % palette.length] ?? white);
  const name = text(line.metric);
  return [
    `<path d="M${x} ${y - 4}h24" stroke="${colour}" stroke-width="1.6"${dashOf(line)}/>`,
    markMarkup(line, { x: x + 12, y: y - 4, colour }),
    label(hasManyRuns(model) ? `${name} · ${line.runTitle}` : name, { x: x + 30, y }),
  ].join('\n');
}

function markMarkup(
  { style }: ChartLine,
  { x, y, colour }: { readonly x: number; readonly y: number; readonly colour: string },
): string {
  const paint = isFilled(style.marker)
    ? `fill="${colour}"`
    : `fill="${style.marker === 'ring' ? '#ffffff' : 'none'}" stroke="${colour}" stroke-width="1.4"`;
  return `<path d="${markerPath(style.marker, x, y, 3)}" ${paint}/>`;
}

function dashOf({ style }: ChartLine): string {
  return style.dash.length === 0 ? '' : ` stroke-dasharray="${style.dash.join(' ')}"`;
}

function label(content: string, { x, y, extra = '' }: { x: number; y: number; extra?: string }): string {
  return `<text x="${x}" y="${y}"${extra}>${escaped(content)}</text>`;
}

function xOf(value: number, [low, high]: Domain): number {
  return plot.left + ((value - low) / (high - low)) * plot.width;
}

function yOf(value: number, [low, high]: Domain): number {
  return plot.top + plot.height - ((value - low) / (high - low)) * plot.height;
}

function hex({ red, green, blue }: Rgb): string {
  return `#${[red, green, blue].map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

/** For element contents and attributes; characters that XML does not know become visible. */
function escaped(content: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return content
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

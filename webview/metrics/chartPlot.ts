/** One chart on a canvas, by uPlot. It only draws and reports the pointer; what it means is decided outside. */
import uPlot from 'uplot';
import type { Rgb } from '../shared/colour';
import { formatColour, mixColours } from '../shared/colour';
import type { Theme } from '../shared/theme';
import type { ChartModel, Domain } from './chartModel';
import { nearestIndex, sampleAt } from './chartModel';
import { paintMarkers } from './linePaint';
import { linePalette } from './lineStyle';
import { axisTickText, valueTickText } from './numberText';
import { ticksOf } from './ticks';

/** What the pointer does in a plot. */
export interface PlotPorts {
  /** The position of `ChartModel.xs` pointed at; `null` when the pointer left. */
  readonly onPoint: (x: number | null) => void;
  /** A part of the axis was dragged over; `null`: double-click. */
  readonly onZoom: (domain: Domain | null) => void;
}

/** Shorter drags are clicks, CSS pixels. */
const shortestDrag = 6;

/** See the module comment. */
export class ChartPlot {
  readonly #container: HTMLElement;
  readonly #ports: PlotPorts;
  #plot: uPlot | null = null;
  #model: ChartModel | null = null;
  #look = '';
  #crosshair: number | null = null;

  constructor(container: HTMLElement, ports: PlotPorts) {
    this.#container = container;
    this.#ports = ports;
    new ResizeObserver(() => this.#resize()).observe(container);
  }

  /** Draws a model; keeps the crosshair. */
  show(model: ChartModel, theme: Theme): void {
    this.#model = model;
    const look = JSON.stringify([theme, model.axis, model.lines.map(({ style }) => style)]);
    if (this.#plot === null || look !== this.#look) {
      this.#plot?.destroy();
      this.#look = look;
      this.#plot = new uPlot(this.#options(model, theme), dataOf(model), this.#container);
      this.#listen(this.#plot);
    } else {
      this.#plot.setData(dataOf(model));
    }
  }

  /** Puts the crosshair at a position of `ChartModel.xs`, or takes it away, without reporting it. */
  moveCrosshair(x: number | null): void {
    this.#crosshair = x;
    const plot = this.#plot;
    if (plot === null) return;
    const left = x === null ? -10 : plot.valToPos(x, 'x');
    const isOutside = left < 0 || left > plot.over.clientWidth;
    plot.setCursor({ left: isOutside ? -10 : left, top: isOutside ? -10 : 1 }, false);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#container;
    if (width === 0 || height === 0) return;
    this.#plot?.setSize({ width, height });
  }

  #options(model: ChartModel, theme: Theme): uPlot.Options {
    const { clientWidth: width, clientHeight: height } = this.#container;
    const palette = linePalette(theme.background);
    const colours = model.lines.map(
      ({ style }) => palette[style.colour % palette.length] ?? theme.foreground,
    );
    return {
      width: Math.max(80, width),
      height: Math.max(60, height),
      legend: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: false, range: () => [...(this.#model ?? model).xDomain] },
        y: { range: () => [...(this.#model ?? model).yDomain] },
      },
      axes: axesOf(model, theme),
      series: [
        {},
        ...model.lines.map((line, index) => seriesOf(line.style.dash, colours[index] ?? theme.foreground)),
      ],
      cursor: this.#cursor(colours, theme.background),
      hooks: {
        // Only now the scales are those of the data; uPlot works in microtasks.
        draw: [() => this.moveCrosshair(this.#crosshair)],
        setSelect: [(plot) => this.#reportDrag(plot)],
        drawSeries: [
          (plot, series) => {
            const line = this.#model?.lines[series - 1];
            const colour = colours[series - 1];
            if (line === undefined || colour === undefined) return;
            paintMarkers(plot, series, { line, colour, background: theme.background });
          },
        ],
      },
    };
  }

  #cursor(colours: readonly Rgb[], background: Rgb): uPlot.Cursor {
    return {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: shortestDrag },
      move: (plot, left, top) => [snapped(plot, this.#model?.xs ?? [], left), top],
      dataIdx: (_plot, series, index) => {
        const line = series === 0 ? undefined : this.#model?.lines[series - 1];
        return line === undefined
          ? index
          : (sampleAt(this.#model?.xs ?? [], line.values, index)?.index ?? index);
      },
      points: {
        size: 9,
        width: 2,
        stroke: (_plot, series) => formatColour(colours[series - 1] ?? background),
        fill: () => formatColour(background),
      },
      bind: {
        dblclick: () => () => {
          this.#ports.onZoom(null);
          return null;
        },
      },
    };
  }

  /** uPlot's own event does not tell the pointer from what the program does. */
  #listen(plot: uPlot): void {
    plot.over.addEventListener('mousemove', ({ clientX }) => {
      const { left } = plot.over.getBoundingClientRect();
      const xs = this.#model?.xs ?? [];
      const x = xs[nearestIndex(xs, plot.posToVal(clientX - left, 'x'))];
      if (x !== undefined) this.#ports.onPoint(x);
    });
    plot.over.addEventListener('mouseleave', () => this.#ports.onPoint(null));
  }

  #reportDrag(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < shortestDrag) return;
    const domain: Domain = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#ports.onZoom(domain);
  }
}

/** The place of the data point nearest to the pointer. */
function snapped(plot: uPlot, xs: readonly number[], left: number): number {
  if (left < 0) return left;
  const x = xs[nearestIndex(xs, plot.posToVal(left, 'x'))];
  const place = x === undefined ? left : plot.valToPos(x, 'x');
  return place < 0 || place > plot.over.clientWidth ? left : place;
}

function dataOf({ xs, lines }: ChartModel): uPlot.AlignedData {
  return [[...xs], ...lines.map(({ values }) => [...values])];
}

function seriesOf(dash: readonly number[], colour: Rgb): uPlot.Series {
  return {
    stroke: formatColour(colour),
    width: 1.75,
    dash: [...dash],
    spanGaps: true,
    points: { show: false },
  };
}

function axesOf({ definition, axis }: ChartModel, theme: Theme): uPlot.Axis[] {
  const font = `11px ${theme.fontFamily}`;
  const strength = theme.isHighContrast ? 0.3 : 0.12;
  const grid = { stroke: formatColour(mixColours(theme.background, theme.foreground, strength)), width: 1 };
  const stroke = formatColour(theme.muted);
  const kind = axis === 'time' ? 'time' : 'whole';
  return [
    {
      stroke,
      font,
      size: 26,
      gap: 3,
      grid: { show: false },
      ticks: { ...grid, size: 4 },
      splits: (plot, _axis, low, high) => ticksOf([low, high], Math.max(2, plot.width / 90), kind),
      values: (_plot, splits) => splits.map((value) => axisTickText(value, axis)),
    },
    {
      stroke,
      font,
      size: 48,
      gap: 4,
      grid,
      ticks: { show: false },
      splits: (_plot, _axis, low, high) =>
        ticksOf([low, high], 6, definition.unit === 'count' ? 'whole' : 'number'),
      values: (_plot, splits) => {
        const step = (splits[1] ?? 1) - (splits[0] ?? 0);
        return splits.map((value) => valueTickText(value, definition.unit, step));
      },
    },
  ];
}

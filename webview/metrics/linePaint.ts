/** Marks of lines on the canvas of a chart. */
import type uPlot from 'uplot';
import type { Rgb } from '../shared/colour';
import { formatColour } from '../shared/colour';
import type { ChartLine } from './chartModel';
import { isFilled, markedPoints, markerPath } from './lineStyle';

/** Least distance between marks, CSS pixels. */
const markSpacing = 26;

/** Draws the markers of one line over it. @param series Its index in the plot, from 1. */
export function paintMarkers(plot: uPlot, series: number, { line, colour, background }: MarkerPaint): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio || 1;
  const xs = [...plot.data[0]];
  const values = [...(plot.data[series] ?? [])];
  const { min = 0, max = 0 } = plot.scales['x'] ?? {};
  const positions = xs.map((x, index) =>
    typeof values[index] !== 'number' || x < Number(min) || x > Number(max)
      ? Number.NaN
      : plot.valToPos(x, 'x', true),
  );
  ctx.save();
  ctx.lineWidth = 1.6 * ratio;
  ctx.setLineDash([]);
  ctx.strokeStyle = formatColour(colour);
  ctx.fillStyle = formatColour(line.style.marker === 'ring' ? background : colour);
  for (const index of markedPoints(positions, markSpacing * ratio)) {
    const y = plot.valToPos(values[index] ?? 0, 'y', true);
    const path = new Path2D(markerPath(line.style.marker, positions[index] ?? 0, y, 3.2 * ratio));
    if (isFilled(line.style.marker) || line.style.marker === 'ring') ctx.fill(path);
    if (!isFilled(line.style.marker)) ctx.stroke(path);
  }
  ctx.restore();
}

/** How a line is painted. */
export interface MarkerPaint {
  readonly line: ChartLine;
  readonly colour: Rgb;
  readonly background: Rgb;
}

/**
 * How lines are told apart: by colour, and by dash and marker, so that nobody has to rely on colour.
 * With one run every metric has its own of all three. With several, a run keeps its colour and marker in
 * all charts and the dash tells the metrics. Pure.
 */
import type { Rgb } from '../shared/colour';
import { ensureContrast, fromOklch, luminance } from '../shared/colour';

/** Shapes of the marks on a line. */
export const markers = ['circle', 'square', 'triangle', 'diamond', 'cross', 'ring'] as const;
export type Marker = (typeof markers)[number];

export interface LineStyle {
  /** Index into `linePalette`. */
  readonly colour: number;
  readonly marker: Marker;
  /** As for a canvas, in CSS pixels; empty: solid. */
  readonly dash: readonly number[];
}

const dashes: readonly (readonly number[])[] = [[], [6, 4], [2, 3]];

/** @param line Which metric of the chart. @param run Which run of the view. @param runs How many there are. */
export function lineStyleOf({ line, run, runs }: { line: number; run: number; runs: number }): LineStyle {
  const index = runs > 1 ? run : line;
  const { length } = markers;
  return {
    colour: index % length,
    // After all colours are used up the markers are shifted, so that no pair comes back for 36 runs.
    marker: markers[(index + Math.floor(index / length)) % length] ?? 'circle',
    dash: dashes[line % dashes.length] ?? [],
  };
}

type Oklch = readonly [lightness: number, chroma: number, hue: number];

/** Chosen so that they differ for people with protanopia, deuteranopia and tritanopia; a test measures it. */
const onDark: readonly Oklch[] = [
  [0.71, 0.15, 255],
  [0.76, 0.16, 62],
  [0.87, 0.11, 180],
  [0.6, 0.19, 0],
  [0.92, 0.12, 98],
  [0.56, 0.17, 285],
];
const onLight: readonly Oklch[] = [
  [0.5, 0.18, 265],
  [0.65, 0.17, 48],
  [0.62, 0.12, 185],
  [0.38, 0.16, 15],
  [0.3, 0.14, 285],
  [0.48, 0.11, 105],
];

/** The colours of lines on a background, each with a contrast of at least 3. */
export function linePalette(background: Rgb): readonly Rgb[] {
  const colours = luminance(background) < 0.18 ? onDark : onLight;
  return colours.map(([lightness, chroma, hue]) =>
    ensureContrast(fromOklch(lightness, chroma, hue), background, 3),
  );
}

/** The outline of a marker as an SVG path around a point. `ring` is a circle that is not filled. */
export function markerPath(marker: Marker, x: number, y: number, radius: number): string {
  const at = (dx: number, dy: number): string => `${round(x + dx * radius)} ${round(y + dy * radius)}`;
  switch (marker) {
    case 'circle':
    case 'ring': {
      const arc = `A${round(radius)} ${round(radius)} 0 1 0`;
      return `M${at(-1, 0)}${arc} ${at(1, 0)}${arc} ${at(-1, 0)}Z`;
    }
    case 'square':
      return `M${at(-0.9, -0.9)}L${at(0.9, -0.9)}L${at(0.9, 0.9)}L${at(-0.9, 0.9)}Z`;
    case 'triangle':
      return `M${at(0, -1.2)}L${at(1.1, 0.8)}L${at(-1.1, 0.8)}Z`;
    case 'diamond':
      return `M${at(0, -1.3)}L${at(1.3, 0)}L${at(0, 1.3)}L${at(-1.3, 0)}Z`;
    case 'cross':
      return `M${at(-1, -1)}L${at(1, 1)}M${at(-1, 1)}L${at(1, -1)}`;
  }
}

/** Whether the marker is an area; the others are drawn with the line's stroke. */
export function isFilled(marker: Marker): boolean {
  return marker !== 'cross' && marker !== 'ring';
}

/**
 * Which points get a marker: the first, and every one far enough from the marked one before it.
 *
 * @param positions `[P]` ascending, pixels; NaN: no point.
 */
export function markedPoints(positions: readonly number[], spacing: number): number[] {
  const marked: number[] = [];
  let last = -Infinity;
  for (const [index, position] of positions.entries()) {
    if (Number.isNaN(position) || position - last < spacing) continue;
    marked.push(index);
    last = position;
  }
  return marked;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

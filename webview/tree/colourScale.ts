/**
 * Colours of values: ramps that keep a contrast of at least 3 to the background they are drawn on,
 * at every step, so that they hold in any theme. Pure.
 */
import type { Rgb } from '../shared/colour';
import { contrast, ensureContrast, fromOklch, luminance } from '../shared/colour';

/** Contrast of every ramp step to the background (WCAG 2.2, 1.4.11 non-text contrast). */
export const rampContrast = 3;
/** Steps of a ramp. */
export const rampSteps = 33;

/** The ramps for one background. */
export interface Palette {
  /** `[rampSteps]` low to high: more is further from the background, in lightness and hue. */
  readonly sequential: readonly Rgb[];
  /** `[rampSteps]` most negative (orange), zero in the middle (grey), most positive (blue). */
  readonly diverging: readonly Rgb[];
  /** Told apart by lightness too; always shown together with a name. */
  readonly categorical: readonly Rgb[];
}

/** How values become steps of a ramp. */
export type Scale =
  | { readonly kind: 'sequential'; readonly minimum: number; readonly maximum: number }
  /** Symmetric around 0. */
  | { readonly kind: 'diverging'; readonly extreme: number }
  | { readonly kind: 'categorical'; readonly names: readonly string[] };

/** The ramps for a background. */
export function createPalette(background: Rgb): Palette {
  const isDark = luminance(background) < 0.18;
  const visible = (rgb: Rgb): Rgb => ensureContrast(rgb, background, rampContrast);
  const ramp = (at: (position: number) => Rgb): Rgb[] =>
    Array.from({ length: rampSteps }, (_unused, step) => visible(at(step / (rampSteps - 1))));
  return {
    sequential: ramp(sequentialAt(background, isDark)),
    diverging: ramp((position) => divergingAt(position * 2 - 1, isDark)),
    categorical: (isDark ? categoriesOnDark : categoriesOnLight).map(([lightness, chroma, hue]) =>
      visible(fromOklch(lightness, chroma, hue)),
    ),
  };
}

/** The step of a value in its ramp, clipped to the ends. */
export function rampStep(scale: Scale, value: number): number {
  switch (scale.kind) {
    case 'sequential':
      return stepAt((value - scale.minimum) / (scale.maximum - scale.minimum || 1));
    case 'diverging':
      return stepAt((value / (scale.extreme || 1) + 1) / 2);
    case 'categorical':
      return value;
  }
}

/** The colour of a step of a scale. */
export function colourAt(palette: Palette, kind: Scale['kind'], step: number): Rgb {
  const ramp = palette[kind];
  const index = kind === 'categorical' ? step % ramp.length : step;
  return ramp[index] ?? { red: 128, green: 128, blue: 128 };
}

function stepAt(position: number): number {
  return Math.round(Math.min(1, Math.max(0, position)) * (rampSteps - 1));
}

/**
 * Viridis-like on dark backgrounds: violet, teal, yellow, rising in lightness. On light ones turned
 * round, so that more is darker: green, teal, violet. It begins where it can just be seen.
 */
function sequentialAt(background: Rgb, isDark: boolean): (position: number) => Rgb {
  const end = isDark ? 0.91 : 0.28;
  const at = (start: number, position: number): Rgb => {
    const chroma = 0.05 + 0.11 * position ** 0.6;
    const hue = isDark ? 300 - 195 * position : 150 + 155 * position;
    return fromOklch(start + (end - start) * position, chroma, hue);
  };
  let start = isDark ? 0.45 : 0.75;
  while (contrast(at(start, 0), background) < rampContrast && Math.abs(start - end) > 0.02) {
    start += isDark ? 0.01 : -0.01;
  }
  return (position) => at(start, position);
}

function divergingAt(value: number, isDark: boolean): Rgb {
  const strength = Math.abs(value) ** 0.8;
  const hue = value < 0 ? 58 : 248;
  const chroma = (value < 0 ? 0.155 : 0.145) * strength;
  return fromOklch(isDark ? 0.53 + 0.28 * strength : 0.67 - 0.21 * strength, chroma, hue);
}

const categoriesOnDark = [
  [0.74, 0.13, 240],
  [0.8, 0.14, 70],
  [0.72, 0.14, 160],
  [0.68, 0.16, 330],
  [0.88, 0.13, 105],
  [0.64, 0.17, 20],
  [0.8, 0.08, 200],
  [0.62, 0.1, 290],
] as const;

const categoriesOnLight = [
  [0.48, 0.15, 250],
  [0.58, 0.14, 55],
  [0.5, 0.12, 155],
  [0.5, 0.18, 330],
  [0.62, 0.12, 95],
  [0.45, 0.17, 25],
  [0.58, 0.08, 205],
  [0.4, 0.14, 290],
] as const;

/** Colour arithmetic: sRGB, OKLCH and the contrast of WCAG 2. Pure. */

/** sRGB channels in 0..255. */
export interface Rgb {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

export const black: Rgb = { red: 0, green: 0, blue: 0 };
export const white: Rgb = { red: 255, green: 255, blue: 255 };

/** Reads `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)` and `rgba(…)`; alpha is ignored. `null` for anything else. */
export function parseColour(text: string): Rgb | null {
  const value = text.trim();
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(value);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})(?:[0-9a-f]{2})?$/i.exec(value);
  const channels = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/.exec(value);
  const parts =
    short?.slice(1).map((part) => parseInt(part + part, 16)) ??
    long?.slice(1).map((part) => parseInt(part, 16)) ??
    channels?.slice(1).map(Number) ??
    [];
  const [red, green, blue] = parts;
  if (red === undefined || green === undefined || blue === undefined) return null;
  return { red, green, blue };
}

/** `rgb(r g b / alpha)` for CSS and canvas. */
export function formatColour({ red, green, blue }: Rgb, alpha = 1): string {
  const channels = `${Math.round(red)},${Math.round(green)},${Math.round(blue)}`;
  return alpha === 1 ? `rgb(${channels})` : `rgba(${channels},${alpha})`;
}

/** `share` of `over` on top of `under`, 0..1, mixed in sRGB as a browser does. */
export function mixColours(under: Rgb, over: Rgb, share: number): Rgb {
  const mix = (a: number, b: number): number => a + (b - a) * share;
  return {
    red: mix(under.red, over.red),
    green: mix(under.green, over.green),
    blue: mix(under.blue, over.blue),
  };
}

/** Relative luminance, 0..1 (WCAG 2.2, definition of "relative luminance"). */
export function luminance(colour: Rgb): number {
  const linear = (channel: number): number => toLinear(channel / 255);
  return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
}

/** Contrast ratio, 1..21 (WCAG 2.2, definition of "contrast ratio"). */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** Black or white, whichever reads better; the contrast is at least 4.58 on any colour. */
export function readableOn(background: Rgb): Rgb {
  return contrast(black, background) >= contrast(white, background) ? black : white;
}

/**
 * OKLCH to sRGB (Björn Ottosson, "A perceptual color space for image processing"), clipped to the gamut.
 *
 * @param lightness 0..1. @param chroma 0..about 0.37. @param hue degrees.
 */
export function fromOklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return {
    red: fromLinear(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    green: fromLinear(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    blue: fromLinear(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  };
}

/**
 * The colour moved away from the background, in small steps towards white or black, until the
 * contrast is reached. Unchanged when it already is.
 */
export function ensureContrast(colour: Rgb, background: Rgb, ratio: number): Rgb {
  const target = luminance(background) < 0.18 ? white : black;
  let result = colour;
  for (let share = 0.01; contrast(result, background) < ratio && share <= 1.0001; share += 0.01) {
    result = mixColours(colour, target, share);
  }
  return result;
}

function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function fromLinear(value: number): number {
  const clipped = Math.min(1, Math.max(0, value));
  return 255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055);
}

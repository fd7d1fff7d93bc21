/** Tints of tokens by entropy, as a constructed style sheet: allowed by a strict policy, made per theme. */
import type { Rgb } from '../shared/colour';
import { formatColour, readableOn } from '../shared/colour';

/** Classes `heat-0` (no tint) to `heat-8`. */
export const heatSteps = 8;
/** Entropies from here on have the last class, nats. */
export const hottestEntropy = 2;

const sheet = new CSSStyleSheet();

/** The class of a token with this entropy. */
export function heatClass(entropy: number): string {
  return `heat-${Math.max(0, Math.min(heatSteps, Math.round((entropy / hottestEntropy) * heatSteps)))}`;
}

/** Makes the classes match a sequential ramp. */
export function updateTokenHeat(ramp: readonly Rgb[]): void {
  const rules = Array.from({ length: heatSteps }, (_unused, index) => {
    const colour = ramp[Math.round(((index + 1) / heatSteps) * (ramp.length - 1))];
    if (colour === undefined) return '';
    const text = formatColour(readableOn(colour));
    return `.token.heat-${index + 1} { background: ${formatColour(colour)}; color: ${text}; }`;
  });
  sheet.replaceSync(rules.join('\n'));
  if (!document.adoptedStyleSheets.includes(sheet)) {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
}

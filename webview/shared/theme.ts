/** The colours and fonts of the current theme, read from VS Code's variables, for canvases. */
import type { Rgb } from './colour';
import { black, contrast, ensureContrast, luminance, mixColours, parseColour, white } from './colour';

/** What a canvas needs to know of a theme. Marks have a contrast ≥ 3, texts ≥ 4.5 on the card. */
export interface Theme {
  readonly background: Rgb;
  readonly foreground: Rgb;
  /** Secondary text. */
  readonly muted: Rgb;
  readonly card: Rgb;
  readonly border: Rgb;
  readonly focus: Rgb;
  readonly link: Rgb;
  readonly error: Rgb;
  /** Categories, in a fixed order. */
  readonly charts: Readonly<Record<ChartColour, Rgb>>;
  readonly isDark: boolean;
  /** Everything needs a border, nothing may be told by a tint alone. */
  readonly isHighContrast: boolean;
  readonly fontFamily: string;
  readonly codeFamily: string;
}

/** Names of VS Code's chart colours. */
export type ChartColour = 'blue' | 'orange' | 'green' | 'purple' | 'yellow' | 'red';

const chartVariables: Readonly<Record<ChartColour, string>> = {
  blue: '--vscode-charts-blue',
  orange: '--vscode-charts-orange',
  green: '--vscode-charts-green',
  purple: '--vscode-charts-purple',
  yellow: '--vscode-charts-yellow',
  red: '--vscode-charts-red',
};

/** Reads the theme in force. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const body = document.body.classList;
  const isHighContrast = body.contains('vscode-high-contrast') || body.contains('vscode-high-contrast-light');
  const colour = (variable: string, fallback: Rgb): Rgb =>
    parseColour(style.getPropertyValue(variable)) ?? fallback;
  const background = colour('--vscode-editor-background', body.contains('vscode-light') ? white : black);
  const isDark = luminance(background) < 0.18;
  const foreground = ensureContrast(
    colour('--vscode-editor-foreground', colour('--vscode-foreground', isDark ? white : black)),
    background,
    7,
  );
  const card = isHighContrast ? background : mixColours(background, foreground, isDark ? 0.07 : 0.035);
  const onCard = (rgb: Rgb, ratio: number): Rgb => ensureContrast(rgb, card, ratio);
  const soft = ensureContrast(mixColours(background, foreground, 0.3), background, 3);
  return {
    background,
    foreground,
    muted: onCard(mixColours(background, foreground, 0.66), 4.5),
    card,
    border: isHighContrast ? colour('--vscode-contrastBorder', foreground) : soft,
    focus: onCard(colour('--vscode-focusBorder', foreground), 3),
    link: onCard(colour('--vscode-textLink-foreground', foreground), 4.5),
    error: onCard(colour('--vscode-errorForeground', foreground), 4.5),
    charts: chartColours(colour, card, foreground),
    isDark,
    isHighContrast,
    fontFamily: style.getPropertyValue('--vscode-font-family').trim() || 'sans-serif',
    codeFamily: style.getPropertyValue('--vscode-editor-font-family').trim() || 'monospace',
  };
}

/** Calls back after the theme changed, and returns the means to stop. */
export function onThemeChange(listener: () => void): () => void {
  const observer = new MutationObserver(() => listener());
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  return () => observer.disconnect();
}

/** Whether movement should be left out. */
export function prefersStillness(): boolean {
  return (
    document.body.classList.contains('vscode-reduce-motion') ||
    window.matchMedia('(prefers-reduced-motion: reduce)').matches
  );
}

function chartColours(
  colour: (variable: string, fallback: Rgb) => Rgb,
  card: Rgb,
  foreground: Rgb,
): Record<ChartColour, Rgb> {
  const read = (name: ChartColour): Rgb => {
    const value = colour(chartVariables[name], foreground);
    return contrast(value, card) >= 3 ? value : ensureContrast(value, card, 3);
  };
  return {
    blue: read('blue'),
    orange: read('orange'),
    green: read('green'),
    purple: read('purple'),
    yellow: read('yellow'),
    red: read('red'),
  };
}

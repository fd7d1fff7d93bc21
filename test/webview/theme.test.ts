import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { contrast } from '../../webview/shared/colour';
import { readTheme } from '../../webview/shared/theme';
import type { Theme } from '../../webview/shared/theme';
import { linePalette } from '../../webview/metrics/lineStyle';

interface BuiltIn {
  readonly class: string;
  readonly variables: Readonly<Record<string, string>>;
}

const themes: Readonly<Record<string, BuiltIn>> = JSON.parse(
  readFileSync(new URL('../fixtures/themes/builtIn.json', import.meta.url), 'utf8'),
);

afterEach(() => vi.unstubAllGlobals());

/** What canvases read in a page that wears the theme. */
function themeOf({ class: className, variables }: BuiltIn): Theme {
  const getPropertyValue = (name: string): string => variables[name.replace('--vscode-', '')] ?? '';
  vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue }));
  const contains = (wanted: string): boolean => className.split(' ').includes(wanted);
  vi.stubGlobal('document', { documentElement: {}, body: { classList: { contains } } });
  return readTheme();
}

describe.each(Object.keys(themes))('what is drawn in %s', (name) => {
  const theme = (): Theme => themeOf(themes[name]);

  test('reads the theme, not its fallbacks', () => {
    const isDark = name.includes('dark');
    expect(theme().isDark).toBe(isDark);
    expect(theme().isHighContrast).toBe(name.startsWith('hc'));
  });

  test('texts have a contrast of at least 4.5, on the background and on a card', () => {
    const { foreground, muted, link, error, background, card } = theme();
    for (const text of [foreground, muted, link, error]) {
      expect(contrast(text, card)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(text, background)).toBeGreaterThanOrEqual(4.5);
    }
  });

  test('edges, branch marks, the selected path and lines of charts have one of at least 3', () => {
    const { charts, muted, border, focus, background, card } = theme();
    for (const mark of [...Object.values(charts), muted, border, focus, ...linePalette(background)]) {
      expect(contrast(mark, background)).toBeGreaterThanOrEqual(3);
    }
    for (const mark of [...Object.values(charts), focus]) {
      expect(contrast(mark, card)).toBeGreaterThanOrEqual(3);
    }
  });
});

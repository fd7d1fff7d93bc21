import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  black,
  contrast,
  fromOklch,
  luminance,
  parseColour,
  readableOn,
  white,
} from '../../webview/shared/colour';
import { colourAt, createPalette, rampStep } from '../../webview/tree/colourScale';
import { appearanceOf, colourings, scaleFor, valueLabel } from '../../webview/tree/nodeAppearance';
import { TreeState } from '../../webview/tree/treeState';
import { createDemo, snapshotOf } from './demoGroups';

const themes = JSON.parse(
  readFileSync(new URL('../fixtures/themes/builtIn.json', import.meta.url), 'utf8'),
) as Record<string, { variables: Record<string, string> }>;

function backgroundOf(theme: string) {
  const colour = parseColour(themes[theme].variables['editor-background']);
  if (colour === null) throw new Error(`no background in ${theme}`);
  return colour;
}

test('contrast is that of WCAG', () => {
  expect(contrast(black, white)).toBeCloseTo(21, 5);
  expect(contrast(white, white)).toBe(1);
  // #777777 on white is the well-known 4.48.
  expect(contrast({ red: 119, green: 119, blue: 119 }, white)).toBeCloseTo(4.48, 2);
});

test('OKLCH ends where it should', () => {
  for (const channel of Object.values(fromOklch(1, 0, 0))) expect(channel).toBeCloseTo(255, 0);
  for (const channel of Object.values(fromOklch(0, 0, 0))) expect(channel).toBeCloseTo(0, 0);
});

describe.each(Object.keys(themes))('ramps on %s', (theme) => {
  const background = backgroundOf(theme);
  const palette = createPalette(background);

  test('every step has a contrast of at least 3 to the background', () => {
    for (const ramp of Object.values(palette)) {
      for (const colour of ramp) expect(contrast(colour, background)).toBeGreaterThanOrEqual(3);
    }
  });

  test('the value written on a step has a contrast of at least 4.5', () => {
    for (const ramp of Object.values(palette)) {
      for (const colour of ramp) expect(contrast(readableOn(colour), colour)).toBeGreaterThanOrEqual(4.5);
    }
  });

  test('more is further from the background, without exception', () => {
    const distances = palette.sequential.map((colour) => contrast(colour, background));
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect((distances.at(-1) ?? 0) / (distances[0] ?? 1)).toBeGreaterThan(2);
  });

  test('signs differ in blue against red, which all common colour blindness keeps', () => {
    const [negative, positive] = [palette.diverging[0], palette.diverging.at(-1)];
    expect(negative.red).toBeGreaterThan(negative.blue + 60);
    expect(positive?.blue).toBeGreaterThan((positive?.red ?? 0) + 60);
    const neutral = palette.diverging[16];
    expect(Math.max(...Object.values(neutral)) - Math.min(...Object.values(neutral))).toBeLessThan(6);
  });
});

test('the two backgrounds of dark and light give opposite directions of lightness', () => {
  const lightnessOf = (theme: string, step: number) =>
    luminance(colourAt(createPalette(backgroundOf(theme)), 'sequential', step));
  expect(lightnessOf('dark', 32)).toBeGreaterThan(lightnessOf('dark', 0));
  expect(lightnessOf('light', 32)).toBeLessThan(lightnessOf('light', 0));
});

test('values become steps, clipped at the ends', () => {
  expect(rampStep({ kind: 'sequential', minimum: 0, maximum: 2 }, 1)).toBe(16);
  expect(rampStep({ kind: 'sequential', minimum: 0, maximum: 2 }, 9)).toBe(32);
  expect(rampStep({ kind: 'diverging', extreme: 1.5 }, 0)).toBe(16);
  expect(rampStep({ kind: 'diverging', extreme: 1.5 }, -1.5)).toBe(0);
  expect(rampStep({ kind: 'diverging', extreme: 1.5 }, 0.75)).toBe(24);
});

test('labels carry the sign', () => {
  expect(valueLabel(0.4321, 'step')).toBe('+0.43');
  expect(valueLabel(-0.4321, 'hard')).toBe('−0.43');
  expect(valueLabel(-0.001, 'soft')).toBe('0.00');
  expect(valueLabel(1.0249, 'entropy')).toBe('1.02');
  expect(valueLabel(-1, 'reward')).toBe('−1.00');
  expect(valueLabel(3, 'depth')).toBe('3');
});

test('every node has a label under every colouring, and a colour exactly when it has a value', () => {
  const state = new TreeState();
  state.replace(snapshotOf(createDemo({ seed: 1, groups: 3, trajectories: 16, initialTrajectories: 8 })));
  for (const { value: colourBy } of colourings) {
    const scale = scaleFor(state.groups, colourBy);
    for (const group of state.groups) {
      for (const node of group.nodes) {
        const { value, step, label } = appearanceOf(group, node, colourBy, scale);
        expect(label).not.toBe('');
        if (colourBy === 'tool') expect(step >= 0).toBe(node.toolCall !== null);
        else expect(step >= 0).toBe(value !== null);
      }
    }
  }
});

test('an unscored group shows no advantage instead of zero', () => {
  const [demo] = createDemo({ seed: 1, groups: 1, trajectories: 4, initialTrajectories: 2 });
  const state = new TreeState();
  state.replace({ ...snapshotOf([]), groups: [{ ...demo.group, scores: null }] });
  const [group] = state.groups;
  for (const colourBy of ['step', 'hard', 'soft', 'reward'] as const) {
    const scale = scaleFor(state.groups, colourBy);
    expect(appearanceOf(group, group.nodes[1], colourBy, scale)).toEqual({
      value: null,
      step: -1,
      label: '–',
    });
  }
});

test('rewards that go below zero are shown around zero, others from zero up', () => {
  const [demo] = createDemo({ seed: 1, groups: 1, trajectories: 4, initialTrajectories: 2 });
  const scaleOf = (values: number[]) => {
    const state = new TreeState();
    const scores = demo.group.scores;
    if (scores === null) throw new Error('the demo is scored');
    state.replace({
      ...snapshotOf([]),
      groups: [{ ...demo.group, scores: { ...scores, values: Float32Array.from(values) } }],
    });
    return scaleFor(state.groups, 'reward');
  };
  expect(scaleOf([-1, 0, 1])).toEqual({ kind: 'diverging', extreme: 1 });
  expect(scaleOf([0, 0.5, 1.1])).toEqual({ kind: 'sequential', minimum: 0, maximum: 1.5 });
});

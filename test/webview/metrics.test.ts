import { describe, expect, test } from 'vitest';
import type { MetricRun } from '#protocol/metricsViewProtocol';
import { metricNames } from '#protocol/metricsViewProtocol';
import type { Rgb } from '../../webview/shared/colour';
import { contrast } from '../../webview/shared/colour';
import { charts } from '../../webview/metrics/chartCatalogue';
import type { ChartContext, ChartModel } from '../../webview/metrics/chartModel';
import { axisDomain, chartModel, nearestIndex, sampleAt } from '../../webview/metrics/chartModel';
import { sentenceAt, valuesAt } from '../../webview/metrics/chartValues';
import { csvOf } from '../../webview/metrics/csv';
import { commandFor, crosshairAfter, keyBindings } from '../../webview/metrics/keyboard';
import { linePalette, lineStyleOf, markedPoints } from '../../webview/metrics/lineStyle';
import { MetricsState } from '../../webview/metrics/metricsState';
import { axisText, durationText, valueText, valueTickText } from '../../webview/metrics/numberText';
import { runNames } from '../../webview/metrics/runNames';
import { svgOf, svgOfAll } from '../../webview/metrics/svgChart';
import { ticksOf, valueDomain } from '../../webview/metrics/ticks';
import { initialViewState, readViewState } from '../../webview/metrics/viewState';
import { zoomAround } from '../../webview/metrics/zoom';
import { recordedMetricRuns, smallTable } from './metricsRuns';

const first: MetricRun = {
  runId: 'a',
  title: 'first',
  name: 'first',
  state: 'running',
  table: smallTable(
    { updates: [0, 1, 2, 3], toolCalls: [0, 10, 20, 30], time: [0, 1, 2, 4] },
    { rewardMean: [null, 0.25, 0.5, 0.75], heldOutSampledAccuracy: [0.125, null, null, 0.5] },
  ),
};
const second: MetricRun = {
  runId: 'b',
  title: 'second, "best"',
  name: 'second, "best"',
  state: 'finished',
  table: smallTable({ updates: [1, 2], toolCalls: [15, 30] }, { rewardMean: [-0.5, 1] }),
};
const context = (part: Partial<ChartContext> = {}): ChartContext => ({
  runs: [first, second],
  hidden: new Set(),
  axis: 'updates',
  zoom: null,
  ...part,
});
const modelOf = (id: string, part: Partial<ChartContext> = {}): ChartModel => {
  const definition = charts.find((chart) => chart.id === id);
  if (definition === undefined) throw new Error(`no chart ${id}`);
  return chartModel(definition, context(part));
};

test('every metric is shown in exactly one chart', () => {
  expect(charts.flatMap(({ metrics }) => metrics).toSorted()).toEqual(metricNames.toSorted());
});

describe('lines of several runs', () => {
  test('stand over all positions of all runs', () => {
    const { xs, lines } = modelOf('reward', { axis: 'toolCalls' });
    expect(xs).toEqual([0, 10, 15, 20, 30]);
    expect(lines.map(({ runId, values }) => [runId, values])).toEqual([
      ['a', [null, 0.25, null, 0.5, 0.75]],
      ['b', [null, null, -0.5, null, 1]],
    ]);
  });

  test('leave out hidden runs, whose colours stay taken, and metrics that no run has', () => {
    const [line, ...others] = modelOf('reward', { hidden: new Set(['a']) }).lines;
    expect([line?.runId, line?.style.colour, others.length]).toEqual(['b', 1, 0]);
    expect(modelOf('accuracy').lines.map(({ metric, runId }) => [metric, runId])).toEqual([
      ['heldOutSampledAccuracy', 'a'],
    ]);
    expect(modelOf('loss').lines).toEqual([]);
  });

  test('the scales hold what is shown', () => {
    expect(axisDomain(context())).toEqual([-0.06, 3.06]);
    expect(axisDomain(context({ runs: [] }))).toEqual([0, 1]);
    expect(modelOf('accuracy').yDomain).toEqual([0, 1]);
    // −0.5 … 1 with 6 % of the range on both sides; zoomed to updates 2 and 3: 0.5 … 1.
    expect(modelOf('reward').yDomain).toEqual([-0.59, 1.09]);
    expect(modelOf('reward', { zoom: [1.5, 3.5] }).yDomain).toEqual([0.47, 1.03]);
  });

  test('rows at one position: the later one counts', () => {
    const run = {
      ...first,
      table: smallTable({ updates: [1, 2], toolCalls: [5, 5] }, { rewardMean: [0.1, 0.2] }),
    };
    const { xs, lines } = modelOf('reward', { runs: [run], axis: 'toolCalls' });
    expect([xs, lines[0]?.values]).toEqual([[5], [0.2]]);
  });
});

describe('values at the crosshair', () => {
  test('come from the nearest point between the first and the last of a line', () => {
    const xs = [0, 1, 2, 3, 4];
    const values = [null, 10, null, null, 40];
    expect(xs.map((_x, index) => sampleAt(xs, values, index))).toEqual([
      null,
      { index: 1, value: 10, isExact: true },
      { index: 1, value: 10, isExact: false },
      { index: 4, value: 40, isExact: false },
      { index: 4, value: 40, isExact: true },
    ]);
    expect(sampleAt(xs, values, 5)).toBeNull();
    expect([-1, 0.4, 0.6, 9].map((x) => nearestIndex(xs, x))).toEqual([0, 0, 1, 4]);
    expect(nearestIndex([], 1)).toBe(-1);
  });

  test('are the last ones without a crosshair', () => {
    expect(valuesAt(modelOf('reward'), null).map(({ sample }) => sample?.value)).toEqual([0.75, 1]);
  });

  test('are said in a sentence', () => {
    expect(sentenceAt(modelOf('reward', { runs: [first] }), 2)).toBe('update 2: mean of trajectories 0.500');
    expect(sentenceAt(modelOf('reward'), 3)).toBe(
      'update 3: mean of trajectories, first 0.750; mean of trajectories, second, "best" no value',
    );
    expect(sentenceAt(modelOf('accuracy'), 2)).toBe('update 2: held-out, sampled 50.0 % (update 3)');
    expect(sentenceAt(modelOf('loss'), null)).toBe('latest: Nothing recorded');
  });
});

test('a run is called by its name, and by its title where others have the same name', () => {
  const run = (name: string, title: string) => ({ name, title });
  expect(runNames([run('quick', 'quick-1'), run('long', 'long-1')])).toEqual(['quick', 'long']);
  expect(runNames([run('quick', 'quick-1'), run('quick', 'quick-2'), run('long', 'long-1')])).toEqual([
    'quick-1',
    'quick-2',
    'long',
  ]);
});

describe('patches', () => {
  const snapshot = { sequence: 4, runs: [first], strings: {} };

  test('add, revise, cut and remove', () => {
    const state = new MetricsState();
    state.replace(snapshot);
    const table = smallTable({ updates: [3, 4] }, { rewardMean: [0.7, 0.8] });
    state.apply({ sequence: 5, changes: [{ kind: 'rowsReplaced', runId: 'a', fromRow: 3, table }] });
    expect([...(state.runs[0]?.table.axes.updates ?? [])]).toEqual([0, 1, 2, 3, 4]);
    expect([...(state.runs[0]?.table.values.rewardMean ?? [])]).toEqual([Number.NaN, 0.25, 0.5, 0.7, 0.8]);
    state.apply({
      sequence: 6,
      changes: [
        { kind: 'runAdded', run: second },
        { kind: 'runStateChanged', runId: 'a', state: 'paused' },
      ],
    });
    expect(state.runs.map((run) => [run.runId, run.state])).toEqual([
      ['a', 'paused'],
      ['b', 'finished'],
    ]);
    state.apply({ sequence: 7, changes: [{ kind: 'runsRemoved', runIds: ['a'] }] });
    expect(state.runs.map(({ runId }) => runId)).toEqual(['b']);
  });

  test('are refused when one is missing, and passed over when they are old', () => {
    const state = new MetricsState();
    expect(state.apply({ sequence: 1, changes: [] })).toBe('stale');
    state.replace(snapshot);
    expect(state.apply({ sequence: 4, changes: [] })).toBe('stale');
    expect(state.apply({ sequence: 6, changes: [] })).toBe('gap');
    expect(state.apply({ sequence: 7, changes: [] })).toBe('stale');
    state.replace(snapshot);
    const { table } = first;
    const apply = (runId: string, fromRow: number) => () =>
      state.apply({ sequence: 5, changes: [{ kind: 'rowsReplaced', runId, fromRow, table }] });
    expect(apply('x', 0)).toThrow('expected one of the shown runs, got "x"');
    expect(apply('a', 9)).toThrow('expected to begin at row 4 or earlier, got 9');
  });
});

describe('axes', () => {
  test('have round ticks inside of the domain', () => {
    expect(ticksOf([-0.06, 3.06], 6, 'whole')).toEqual([0, 1, 2, 3]);
    expect(ticksOf([0.31, 0.94], 4)).toEqual([0.4, 0.6, 0.8]);
    expect(ticksOf([0, 0.3], 3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticksOf([-0.1, 0.1], 4)).toEqual([-0.1, -0.05, 0, 0.05, 0.1]);
    expect(ticksOf([0, 7_300], 5, 'time')).toEqual([0, 1_800, 3_600, 5_400, 7_200]);
    expect(ticksOf([5, 5], 4)).toEqual([5]);
  });

  test('never are empty', () => {
    expect(valueDomain([], 'free')).toEqual([0, 1]);
    expect(valueDomain([Number.NaN, 3], 'free')).toEqual([2.7, 3.3]);
    expect(valueDomain([0, 0], 'fromZero')).toEqual([0, 1]);
    expect(valueDomain([2, 4], 'fromZero')).toEqual([0, 4.24]);
    expect(valueDomain([-1, 1], 'fromZero')).toEqual([-1.12, 1.12]);
  });

  test('zooming stays inside of what there is', () => {
    expect(zoomAround([0, 10], { factor: 0.5, centre: 9, whole: [0, 10] })).toEqual([4.5, 9.5]);
    expect(zoomAround([4, 6], { factor: 2, centre: null, whole: [0, 10] })).toEqual([3, 7]);
    expect(zoomAround([8, 10], { factor: 2, centre: 8, whole: [0, 10] })).toEqual([6, 10]);
    expect(zoomAround([0, 6], { factor: 2, centre: null, whole: [0, 10] })).toBeNull();
  });
});

test('numbers are written for people', () => {
  expect([0, 0.5, 0.9995, 0.00016].map((value) => valueText(value, 'share'))).toEqual([
    '0 %',
    '50.0 %',
    '100.0 %',
    '0.016 %',
  ]);
  expect([0, -0.0822, 12.345, 1.238e-5, 123.45].map((value) => valueText(value, 'nats'))).toEqual([
    '0.000',
    '−0.082',
    '12.35',
    '1.24e−5',
    '123.5',
  ]);
  expect(valueText(1_234_567, 'count')).toBe('1,234,567');
  expect([0, 2, 59.6, 60, 125, 3_600, 12_000].map(durationText)).toEqual([
    '0 s',
    '2 s',
    '1 min',
    '1 min',
    '2 min 5 s',
    '1 h',
    '3 h 20 min',
  ]);
  expect(axisText(12_345, 'toolCalls')).toBe('12,345');
  expect(valueTickText(0.5, 'share', 0.5)).toBe('50%');
  expect(valueTickText(0.0001, 'share', 0.0001)).toBe('0.01%');
  expect(valueTickText(6e-5, 'nats', 2e-5)).toBe('6e−5');
  expect(valueTickText(15_000, 'count', 5_000)).toBe('15k');
  expect(valueTickText(-0.05, 'number', 0.05)).toBe('−0.05');
});

describe('lines can be told apart', () => {
  const backgrounds: Readonly<Record<string, Rgb>> = {
    dark: { red: 0x1f, green: 0x1f, blue: 0x1f },
    light: { red: 255, green: 255, blue: 255 },
    hcDark: { red: 0, green: 0, blue: 0 },
  };

  test.each(Object.keys(backgrounds))('by colour on %s, with any colour vision', (name) => {
    const background = backgrounds[name] ?? { red: 0, green: 0, blue: 0 };
    const palette = linePalette(background);
    expect(palette).toHaveLength(6);
    for (const [index, colour] of palette.entries()) {
      expect(contrast(colour, background)).toBeGreaterThanOrEqual(3);
      for (const [other, second] of palette.entries()) {
        // In OKLab 0.02 is just noticeable; the first five keep five times that.
        if (other < index)
          expect(leastDifference(colour, second), `${other} and ${index}`).toBeGreaterThan(
            index < 5 ? 0.1 : 0.05,
          );
      }
    }
  });

  test('without colour: by marker for runs, by dash for metrics, by both in a single run', () => {
    const runs = Array.from({ length: 36 }, (_unused, run) => lineStyleOf({ line: 0, run, runs: 36 }));
    expect(new Set(runs.map(({ colour, marker }) => `${colour} ${marker}`)).size).toBe(36);
    const metrics = [0, 1, 2].map((line) => lineStyleOf({ line, run: 1, runs: 2 }));
    expect(new Set(metrics.map(({ dash }) => dash.join(' '))).size).toBe(3);
    expect(new Set(metrics.map(({ colour }) => colour)).size).toBe(1);
    const alone = [0, 1, 2].map((line) => lineStyleOf({ line, run: 0, runs: 1 }));
    for (const part of ['colour', 'marker', 'dash'] as const)
      expect(new Set(alone.map((style) => String(style[part]))).size).toBe(3);
  });

  test('markers keep their distance', () => {
    expect(markedPoints([0, 5, Number.NaN, 20, 30, 41], 20)).toEqual([0, 3, 5]);
  });
});

/** Least OKLab distance over normal vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009). */
function leastDifference(a: Rgb, b: Rgb): number {
  const visions = [
    [1, 0, 0, 0, 1, 0, 0, 0, 1],
    [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
    [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
  ];
  return Math.min(
    ...visions.map((matrix) => {
      const [left, right] = [oklab(seen(a, matrix)), oklab(seen(b, matrix))];
      return Math.hypot(...left.map((part, index) => part - (right[index] ?? 0)));
    }),
  );
}

function seen({ red, green, blue }: Rgb, matrix: readonly number[]): number[] {
  const linear = [red, green, blue].map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [0, 3, 6].map((row) =>
    Math.max(
      0,
      linear.reduce((sum, part, index) => sum + part * (matrix[row + index] ?? 0), 0),
    ),
  );
}

function oklab([red = 0, green = 0, blue = 0]: readonly number[]): number[] {
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

describe('keys', () => {
  test('have one meaning each', () => {
    const keys = keyBindings.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    const plain = { ctrlKey: false, altKey: false, metaKey: false };
    expect(commandFor({ key: 'ArrowLeft', ...plain })).toBe('back');
    expect(commandFor({ key: 'c', ...plain, ctrlKey: true })).toBeNull();
  });

  test('move the crosshair, and begin at the newest value', () => {
    const at = (index: number) => ({ count: 30, index });
    expect(crosshairAfter('back', at(-1))).toBe(29);
    expect(crosshairAfter('back', at(0))).toBe(0);
    expect(crosshairAfter('forward', at(29))).toBe(29);
    expect(crosshairAfter('pageBack', at(10))).toBe(7);
    expect(crosshairAfter('last', at(3))).toBe(29);
    expect(crosshairAfter('first', { count: 0, index: -1 })).toBeNull();
  });
});

test('a stored state is read with care', () => {
  const stored = {
    runs: ['a', 3],
    hidden: 'x',
    axis: 'tokens',
    zoom: [2, 1],
    tables: ['loss', 'none'],
    scrollTop: -1,
  };
  expect(readViewState(stored)).toEqual({
    ...initialViewState,
    runs: ['a'],
    axis: 'tokens',
    tables: ['loss'],
  });
  expect(readViewState({ zoom: [1, 2] }).zoom).toEqual([1, 2]);
  for (const damaged of [undefined, null, 3, 'x', []])
    expect(readViewState(damaged)).toEqual(initialViewState);
});

describe('exports', () => {
  test('CSV has a line per run and update, with quotes where they are needed', () => {
    expect(csvOf([first, second], ['rewardMean', 'loss'])).toBe(
      [
        'run,updates,toolCalls,tokens,seconds,rewardMean,loss',
        'first,0,0,0,0,,',
        'first,1,10,1,1,0.25,',
        'first,2,20,2,2,0.5,',
        'first,3,30,3,4,0.75,',
        '"second, ""best""",1,15,1,1,-0.5,',
        '"second, ""best""",2,30,2,2,1,',
        '',
      ].join('\r\n'),
    );
  });

  test('SVG is stable, and every value stands where its axis says', () => {
    const svg = svgOf(modelOf('reward', { axis: 'toolCalls' }));
    expect(svg).toMatchSnapshot();
    // x: 408 wide from 56 for −0.6 … 30.6; y: 178 high from 34 for −0.59 … 1.09.
    expect(svg).toContain('d="M194.62 123L325.38 96.51L456.15 70.02"');
    expect(svg).toContain('second, &quot;best&quot;');
  });

  test('SVG of everything holds every chart of the recorded runs', () => {
    const models = charts.map((definition) =>
      chartModel(definition, context({ runs: recordedMetricRuns() })),
    );
    const svg = svgOfAll(models);
    expect(svg.match(/font-size="14"/g)).toHaveLength(charts.length);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('names of runs are text in an SVG', () => {
    const run = { ...first, name: '<script>alert("x")</script>\u0000' };
    const svg = svgOf(modelOf('reward', { runs: [run, second] }));
    expect(svg).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;\ufffd');
    expect(svg).not.toContain('<script');
  });
});

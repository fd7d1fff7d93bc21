/** One chart, ready to be drawn: the lines of all visible runs over one axis. Pure. */
import type { AxisName, MetricName, MetricRun } from '#protocol/metricsViewProtocol';
import type { ChartDefinition } from './chartCatalogue';
import type { LineStyle } from './lineStyle';
import { lineStyleOf } from './lineStyle';
import { runNames } from './runNames';
import { valueDomain } from './ticks';

/** Lowest and highest value of a scale; low < high. */
export type Domain = readonly [number, number];

/** One metric of one run. */
export interface ChartLine {
  readonly runId: string;
  readonly runTitle: string;
  readonly metric: MetricName;
  readonly style: LineStyle;
  /** `[X]` aligned with `ChartModel.xs`; `null` where the run has no value. */
  readonly values: readonly (number | null)[];
}

/** See the module comment. */
export interface ChartModel {
  readonly definition: ChartDefinition;
  readonly axis: AxisName;
  /** `[X]` ascending: every position at which a visible run has a row. */
  readonly xs: readonly number[];
  /** By metric, then by run. Metrics that no run has are left out. */
  readonly lines: readonly ChartLine[];
  readonly xDomain: Domain;
  readonly yDomain: Domain;
}

/** What all charts have in common. */
export interface ChartContext {
  /** All runs of the view, hidden ones too: their places decide on colours. */
  readonly runs: readonly MetricRun[];
  readonly hidden: ReadonlySet<string>;
  readonly axis: AxisName;
  /** `null`: everything. */
  readonly zoom: Domain | null;
}

/** The part of the axis that all charts show. */
export function axisDomain({ runs, hidden, axis, zoom }: ChartContext): Domain {
  if (zoom !== null) return zoom;
  const ends = runs
    .filter(({ runId }) => !hidden.has(runId))
    .flatMap(({ table }) => [table.axes[axis][0], table.axes[axis].at(-1)])
    .filter((end) => end !== undefined);
  if (ends.length === 0) return [0, 1];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  if (low === high) return [low - 1, high + 1];
  const room = (high - low) * 0.02;
  return [low - room, high + room];
}

/** The positions of all visible runs, ascending, each once. */
export function positionsOf({ runs, hidden, axis }: ChartContext): readonly number[] {
  const all = new Set(
    runs.filter(({ runId }) => !hidden.has(runId)).flatMap(({ table }) => [...table.axes[axis]]),
  );
  return [...all].sort((left, right) => left - right);
}

export function chartModel(definition: ChartDefinition, context: ChartContext): ChartModel {
  const xs = positionsOf(context);
  const xDomain = axisDomain(context);
  const names = runNames(context.runs);
  const lines = definition.metrics.flatMap((metric, line) =>
    context.runs.flatMap((run, index) => {
      if (context.hidden.has(run.runId) || !run.table.values[metric].some(Number.isFinite)) return [];
      const style = lineStyleOf({ line, run: index, runs: context.runs.length });
      const values = alignedValues(run, metric, { axis: context.axis, xs });
      return [{ runId: run.runId, runTitle: names[index] ?? run.title, metric, style, values }];
    }),
  );
  const seen = lines.flatMap(({ values }) =>
    values.filter((value, at) => value !== null && isWithin(xs[at] ?? Number.NaN, xDomain)),
  );
  const yDomain = valueDomain(
    seen.map((value) => value ?? Number.NaN),
    definition.range,
  );
  return { definition, axis: context.axis, xs, lines, xDomain, yDomain };
}

/** A value of a line near a position. */
export interface Sample {
  /** Into `xs` and `values`. */
  readonly index: number;
  readonly value: number;
  /** Whether it was recorded at this very position. */
  readonly isExact: boolean;
}

/**
 * The value of a line nearest to a position of `xs`: lines whose points are further apart than others
 * (evaluations) have one between their points too, but none before the first or after the last.
 */
export function sampleAt(
  xs: readonly number[],
  values: readonly (number | null)[],
  index: number,
): Sample | null {
  const exact = values[index];
  if (exact !== null && exact !== undefined) return { index, value: exact, isExact: true };
  const before = values.findLastIndex((value, at) => at < index && value !== null);
  const after = values.findIndex((value, at) => at > index && value !== null);
  if (before < 0 || after < 0) return null;
  const at = xs[index] ?? Number.NaN;
  const nearest = at - (xs[before] ?? -Infinity) <= (xs[after] ?? Infinity) - at ? before : after;
  const value = values[nearest];
  return value === null || value === undefined ? null : { index: nearest, value, isExact: false };
}

/** The last value of a line. */
export function lastSample(values: readonly (number | null)[]): Sample | null {
  const index = values.findLastIndex((value) => value !== null);
  const value = values[index];
  return value === null || value === undefined ? null : { index, value, isExact: true };
}

/** Index of the position nearest to `x`; −1 when there is none. */
export function nearestIndex(xs: readonly number[], x: number): number {
  if (xs.length === 0) return -1;
  const after = xs.findIndex((position) => position >= x);
  if (after <= 0) return after < 0 ? xs.length - 1 : 0;
  return x - (xs[after - 1] ?? 0) < (xs[after] ?? 0) - x ? after - 1 : after;
}

function alignedValues(
  { table }: MetricRun,
  metric: MetricName,
  { axis, xs }: { readonly axis: AxisName; readonly xs: readonly number[] },
): (number | null)[] {
  const values = new Map<number, number>();
  // Rows may share a position (nothing was paid for in an update): the later one counts.
  for (const [row, value] of table.values[metric].entries()) {
    const x = table.axes[axis][row];
    if (x !== undefined && Number.isFinite(value)) values.set(x, value);
  }
  return xs.map((x) => values.get(x) ?? null);
}

function isWithin(x: number, [low, high]: Domain): boolean {
  return x >= low && x <= high;
}

/** From the record of a run to the table of the metrics view. Pure: no `vscode`, no files. */
import type { AxisName, MetricName, MetricTable } from '#protocol/metricsViewProtocol';
import { axisNames, createTable, metricNames, rowCount, sliceTable } from '#protocol/metricsViewProtocol';
import type { LossStatistics, PolicyUpdated } from '#runs/runEvent';
import type { RunModel } from '#runs/runModel';
import type { SeriesName } from '#runs/runSeries';
import { runSeries, seriesNames } from '#runs/runSeries';

/**
 * A row per completed update, and one for update 0 when the policy was evaluated before it was trained.
 * An update in progress has no row: its sums still grow.
 */
export function metricTableOf(model: RunModel): MetricTable {
  const policies = new Map(
    model.updates.flatMap(({ update, policy }) => (policy === null ? [] : [[update, policy] as const])),
  );
  const evaluated = model.evaluations.map(({ update }) => update).filter((update) => update === 0);
  const updates = [...new Set([...evaluated, ...policies.keys()])].sort((left, right) => left - right);
  const source: RowSource = { model, policies, updates };
  const paidCalls = seriesColumn(source, 'paidCalls');
  const sampledTokens = seriesColumn(source, 'paidModelTokens');
  return createTable(
    (axis) => axisColumn(axis, { source, paidCalls, sampledTokens }),
    (metric) => metricColumn(metric, { source, paidCalls, sampledTokens }),
  );
}

/**
 * What turns one table into another: the first row that differs and all rows from there on; `null` when
 * nothing differs.
 */
export function tableChange(
  before: MetricTable,
  after: MetricTable,
): { readonly fromRow: number; readonly table: MetricTable } | null {
  const [oldRows, newRows] = [rowCount(before), rowCount(after)];
  let fromRow = 0;
  while (fromRow < Math.min(oldRows, newRows) && isSameRow(before, after, fromRow)) fromRow += 1;
  if (fromRow === oldRows && fromRow === newRows) return null;
  return { fromRow, table: sliceTable(after, fromRow) };
}

interface RowSource {
  readonly model: RunModel;
  readonly policies: ReadonlyMap<number, PolicyUpdated>;
  /** `[R]` */
  readonly updates: readonly number[];
}

/** The rows and the columns that others are computed from. */
interface Columns {
  readonly source: RowSource;
  readonly paidCalls: Float64Array;
  readonly sampledTokens: Float64Array;
}

function axisColumn(axis: AxisName, { source, paidCalls, sampledTokens }: Columns): Float64Array {
  switch (axis) {
    case 'updates':
      return Float64Array.from(source.updates);
    case 'toolCalls':
      return totals(paidCalls);
    case 'tokens':
      return totals(sampledTokens);
    case 'time':
      return totals(policyColumn(source, ({ seconds }) => sum(Object.values(seconds))));
  }
}

function metricColumn(metric: MetricName, columns: Columns): Float64Array {
  if (metric === 'paidCalls') return columns.paidCalls;
  return isSeries(metric) ? seriesColumn(columns.source, metric) : derivedColumns[metric](columns);
}

/** Recorded as it is plotted. */
type SeriesMetric = Extract<MetricName, SeriesName>;

function isSeries(metric: MetricName): metric is SeriesMetric {
  return seriesNames.some((name) => name === metric);
}

const derivedColumns: Readonly<
  Record<Exclude<MetricName, SeriesMetric>, (columns: Columns) => Float64Array>
> = {
  independentCalls: ({ source, paidCalls }) => {
    const inherited = seriesColumn(source, 'inheritedCalls');
    return paidCalls.map((paid, row) => paid + (inherited[row] ?? Number.NaN));
  },
  referenceKl: ({ source }) => lossColumn(source, 'referenceKl'),
  dualClipFraction: ({ source }) => lossColumn(source, 'dualClipFraction'),
  sampledTokensPerSecond: ({ source, sampledTokens }) => {
    const seconds = policyColumn(source, (policy) => policy.seconds['rollout'] ?? Number.NaN);
    return sampledTokens.map((tokens, row) => rate(tokens, seconds[row]));
  },
  trainedTokensPerSecond: ({ source }) =>
    policyColumn(source, ({ trainedTokens, seconds }) => rate(trainedTokens, seconds['update'])),
};

function seriesColumn({ model, updates }: RowSource, name: SeriesName): Float64Array {
  const values = new Map(runSeries(model, name).map(({ update, value }) => [update, value]));
  return Float64Array.from(updates, (update) => values.get(update) ?? Number.NaN);
}

function lossColumn(source: RowSource, name: keyof LossStatistics): Float64Array {
  return policyColumn(source, ({ loss }) => loss?.[name] ?? Number.NaN);
}

function policyColumn(
  { policies, updates }: RowSource,
  valueOf: (policy: PolicyUpdated) => number,
): Float64Array {
  return Float64Array.from(updates, (update) => {
    const policy = policies.get(update);
    return policy === undefined ? Number.NaN : valueOf(policy);
  });
}

/** Running sums; what is absent counts nothing. */
function totals(values: Float64Array): Float64Array {
  let total = 0;
  return values.map((value) => (total += Number.isNaN(value) ? 0 : value));
}

function rate(amount: number, seconds: number | undefined): number {
  return seconds === undefined || !(seconds > 0) ? Number.NaN : amount / seconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function isSameRow(left: MetricTable, right: MetricTable, row: number): boolean {
  return (
    axisNames.every((name) => Object.is(left.axes[name][row], right.axes[name][row])) &&
    metricNames.every((name) => Object.is(left.values[name][row], right.values[name][row]))
  );
}

/** The numbers as comma-separated values (RFC 4180), in full precision. Pure. */
import type { MetricName, MetricRun } from '#protocol/metricsViewProtocol';
import { axisNames } from '#protocol/metricsViewProtocol';

/** A line per run and update: the run, all axes, the metrics. What is absent is empty. */
export function csvOf(runs: readonly MetricRun[], metrics: readonly MetricName[]): string {
  const header = ['run', ...axisNames.map((axis) => (axis === 'time' ? 'seconds' : axis)), ...metrics];
  const lines = runs.flatMap(({ title, table }) =>
    Array.from(table.axes.updates, (_update, row) => [
      title,
      ...axisNames.map((axis) => numberField(table.axes[axis][row])),
      ...metrics.map((metric) => numberField(table.values[metric][row])),
    ]),
  );
  return [header, ...lines].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function numberField(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '' : String(value);
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

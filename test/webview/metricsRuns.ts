/** Runs for tests of the metrics view: the recorded ones, and generated ones of any length. */
import { createRandom } from '#base/random';
import type { MetricName, MetricRun, MetricTable } from '#protocol/metricsViewProtocol';
import { createTable } from '#protocol/metricsViewProtocol';
import type { RecordedColumn } from './metricsRecorded';
import { recordedRuns } from './metricsRecorded';

function column(values: RecordedColumn | undefined): Float64Array {
  return Float64Array.from(values ?? [], (value) => value ?? Number.NaN);
}

/** The recorded runs, as the host sends them. */
export function recordedMetricRuns(): MetricRun[] {
  return recordedRuns.map(({ title, axes, values }) => ({
    runId: `/runs/${title}`,
    title,
    name: 'quick',
    state: 'finished',
    table: createTable(
      (axis) => column(axes[axis]),
      (metric) => column(values[metric]),
    ),
  }));
}

/** A table from a few columns; all others are absent. */
export function smallTable(
  axes: { updates: number[]; toolCalls?: number[]; tokens?: number[]; time?: number[] },
  values: Partial<Record<MetricName, (number | null)[]>>,
): MetricTable {
  const none = axes.updates.map(() => null);
  return createTable(
    (axis) => column(axes[axis] ?? axes.updates),
    (metric) => column(values[metric] ?? none),
  );
}

/** A run of any length whose curves look like those of training. */
export function generatedRun(index: number, rows: number): MetricRun {
  const random = createRandom(index, rows);
  const curve = (start: number, end: number, noise: number): Float64Array =>
    Float64Array.from(
      { length: rows },
      (_unused, row) => end + (start - end) * Math.exp((-4 * row) / rows) + noise * (random.next() - 0.5),
    );
  const growing = (slope: number): Float64Array => {
    let total = 0;
    return Float64Array.from({ length: rows }, () => (total += slope * (0.8 + 0.4 * random.next())));
  };
  const best = 0.95 - 0.08 * index;
  const every = (step: number, values: Float64Array): Float64Array =>
    values.map((value, row) => (row % step === 0 ? Math.min(1, Math.max(0, value)) : Number.NaN));
  const axes = {
    updates: Float64Array.from({ length: rows }, (_unused, row) => row + 1),
    toolCalls: growing(450 + 60 * index),
    tokens: growing(5_000 + 500 * index),
    time: growing(6 + index),
  };
  const absent = new Float64Array(rows).fill(Number.NaN);
  const values: Record<MetricName, Float64Array> = {
    rewardMean: curve(0.2, best, 0.12),
    accuracy: curve(0.2, best, 0.12).map((value) => Math.min(1, Math.max(0, value))),
    heldOutSampledAccuracy: every(5, curve(0.3, best, 0.04)),
    heldOutGreedyAccuracy: every(5, curve(0.1, 1, 0.02)),
    entropyAfterTools: curve(0.5, 0.12, 0.04),
    entropyElsewhere: curve(0.12, 0.04, 0.02),
    branches: curve(20, 64, 6).map((value) => Math.round(value)),
    paidCalls: curve(540, 450, 30).map((value) => Math.round(value)),
    independentCalls: curve(680, 710, 30).map((value) => Math.round(value)),
    loss: curve(-0.05, -0.08, 0.04),
    approximateKl: curve(6e-5, 1e-5, 2e-5).map((value) => Math.abs(value)),
    referenceKl: index % 2 === 0 ? curve(0, 0.004, 0.0005).map((value) => Math.abs(value)) : absent,
    clipFractionLow: curve(0.003, 0.001, 0.001).map((value) => Math.abs(value)),
    clipFractionHigh: curve(0.002, 0.0015, 0.001).map((value) => Math.abs(value)),
    dualClipFraction: absent,
    gradientNorm: curve(0.14, 0.1, 0.05),
    sampledTokensPerSecond: curve(6_000, 7_500, 2_500),
    trainedTokensPerSecond: curve(3_000, 3_600, 900),
  };
  return {
    runId: `/runs/generated-${index}`,
    title: `generated-${index}`,
    name: `generated-${index}`,
    state: index === 0 ? 'running' : 'finished',
    table: createTable(
      (axis) => axes[axis],
      (metric) => values[metric],
    ),
  };
}

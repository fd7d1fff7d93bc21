/**
 * What the extension host and the metrics view say to each other, over a `Peer`.
 *
 * As with the rollout-tree view: the view asks for a `snapshot` first, everything later comes as
 * `patched` events numbered without gaps from its `sequence`, and a view that sees a gap asks for a new
 * snapshot. A run is one table with a row per completed update, so that every chart can be drawn over
 * every axis without asking the host again.
 */
import type { RunState } from '#protocol/treeViewProtocol';

/** What a value can be plotted over. All are totals up to and including the update of the row. */
export const axisNames = ['updates', 'toolCalls', 'tokens', 'time'] as const;

/**
 * `updates`: completed updates of the policy. `toolCalls`: calls paid for while sampling. `tokens`: tokens
 * sampled. `time`: seconds of sampling and updating, without evaluations and pauses.
 */
export type AxisName = (typeof axisNames)[number];

/** Every value that can be plotted. */
export const metricNames = [
  'rewardMean',
  'accuracy',
  'heldOutSampledAccuracy',
  'heldOutGreedyAccuracy',
  'entropyAfterTools',
  'entropyElsewhere',
  'branches',
  'paidCalls',
  'independentCalls',
  'loss',
  'approximateKl',
  'referenceKl',
  'clipFractionLow',
  'clipFractionHigh',
  'dualClipFraction',
  'gradientNorm',
  'sampledTokensPerSecond',
  'trainedTokensPerSecond',
] as const;

/**
 * Named as in `runs/runSeries` and `LossStatistics`, and: `independentCalls`, the calls that the same
 * trajectories would have cost without shared prefixes; `sampledTokensPerSecond`, over the seconds of
 * the rollout; `trainedTokensPerSecond`, over the seconds of the update. Accuracies and clip fractions
 * are shares, 0..1; entropies and KLs are in nats.
 */
export type MetricName = (typeof metricNames)[number];

/** The numbers of one run, `[R]` each: a row per completed update; row of update 0: before training. */
export interface MetricTable {
  /** Never NaN; `updates` ascends strictly, the others do not descend. */
  readonly axes: Readonly<Record<AxisName, Float64Array>>;
  /** NaN where the update does not have the value. */
  readonly values: Readonly<Record<MetricName, Float64Array>>;
}

/** A run with its numbers. */
export interface MetricRun {
  /** Unique in the view, and enough for the host to find the run again after a reload. */
  readonly runId: string;
  /** For people, unique in the folder of runs: with the time and the seed. */
  readonly title: string;
  /** For people, as the configuration names it; several runs may have the same. */
  readonly name: string;
  readonly state: RunState;
  readonly table: MetricTable;
}

/** Everything the view needs to draw. */
export interface MetricsSnapshot {
  readonly sequence: number;
  /** In the order in which they were added; it decides on colours. */
  readonly runs: readonly MetricRun[];
  /** Translations by key of `webview/metrics/metricsText.ts`; keys that are missing stay English. */
  readonly strings: Readonly<Record<string, string>>;
}

/** One fact of a patch. */
export type MetricsChange =
  | { readonly kind: 'runAdded'; readonly run: MetricRun }
  | { readonly kind: 'runsRemoved'; readonly runIds: readonly string[] }
  /** The rows from `fromRow` on are replaced by those of `table`; with none of them it only cuts. */
  | {
      readonly kind: 'rowsReplaced';
      readonly runId: string;
      readonly fromRow: number;
      readonly table: MetricTable;
    }
  | { readonly kind: 'runStateChanged'; readonly runId: string; readonly state: RunState };

/** Changes in order. `sequence` is one more than that of the patch (or snapshot) before. */
export interface MetricsPatch {
  readonly sequence: number;
  readonly changes: readonly MetricsChange[];
}

/** A text that the user wants to keep. */
export interface ExportedFile {
  /** Suggested; without a folder. */
  readonly name: string;
  readonly format: 'svg' | 'csv';
  readonly text: string;
}

/** What the view asks of the host. */
export type MetricsViewRequests = {
  /** The whole state; asked first, and after a gap. */
  snapshot: { params: null; result: MetricsSnapshot };
  /** Asks the user where, and writes the file. `isSaved` is false when the user changed their mind. */
  saveFile: { params: ExportedFile; result: { readonly isSaved: boolean } };
};

/** What the view reports. */
export type MetricsViewReports = {
  /** The user wants to choose which runs are shown. */
  runsRequested: null;
};

/** What the host reports to the view. */
export type MetricsHostReports = {
  patched: MetricsPatch;
  /** The view can no longer be fed; the text says what happened and what to do. */
  failed: { readonly message: string };
};

/** The connection seen from the view. */
export interface MetricsViewConnection {
  readonly calls: MetricsViewRequests;
  readonly serves: Record<never, never>;
  readonly emits: MetricsViewReports;
  readonly hears: MetricsHostReports;
}

/** The connection seen from the host. */
export interface MetricsHostConnection {
  readonly calls: Record<never, never>;
  readonly serves: MetricsViewRequests;
  readonly emits: MetricsHostReports;
  readonly hears: MetricsViewReports;
}

/** Rows in a table. */
export function rowCount(table: MetricTable): number {
  return table.axes.updates.length;
}

/** A table whose columns are made by one function each. */
export function createTable(
  axis: (name: AxisName) => Float64Array,
  values: (name: MetricName) => Float64Array,
): MetricTable {
  return {
    axes: {
      updates: axis('updates'),
      toolCalls: axis('toolCalls'),
      tokens: axis('tokens'),
      time: axis('time'),
    },
    values: {
      rewardMean: values('rewardMean'),
      accuracy: values('accuracy'),
      heldOutSampledAccuracy: values('heldOutSampledAccuracy'),
      heldOutGreedyAccuracy: values('heldOutGreedyAccuracy'),
      entropyAfterTools: values('entropyAfterTools'),
      entropyElsewhere: values('entropyElsewhere'),
      branches: values('branches'),
      paidCalls: values('paidCalls'),
      independentCalls: values('independentCalls'),
      loss: values('loss'),
      approximateKl: values('approximateKl'),
      referenceKl: values('referenceKl'),
      clipFractionLow: values('clipFractionLow'),
      clipFractionHigh: values('clipFractionHigh'),
      dualClipFraction: values('dualClipFraction'),
      gradientNorm: values('gradientNorm'),
      sampledTokensPerSecond: values('sampledTokensPerSecond'),
      trainedTokensPerSecond: values('trainedTokensPerSecond'),
    },
  };
}

/** The rows `start` up to, not including, `end`. */
export function sliceTable(table: MetricTable, start: number, end?: number): MetricTable {
  return createTable(
    (name) => table.axes[name].slice(start, end),
    (name) => table.values[name].slice(start, end),
  );
}

/** The rows of one table, then those of another. */
export function joinTables(first: MetricTable, second: MetricTable): MetricTable {
  return createTable(
    (name) => joined(first.axes[name], second.axes[name]),
    (name) => joined(first.values[name], second.values[name]),
  );
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** What the changes of a patch do to the runs of a metrics view. */
import type { MetricRun, MetricsChange } from '#protocol/metricsViewProtocol';
import { joinTables, rowCount, sliceTable } from '#protocol/metricsViewProtocol';

/**
 * The runs after the changes, in their order.
 *
 * @throws RangeError when a change speaks of a run that is not there or leaves out rows.
 */
export function applyMetricsChanges(
  runs: readonly MetricRun[],
  changes: readonly MetricsChange[],
): readonly MetricRun[] {
  return changes.reduce(changedRuns, runs);
}

function changedRuns(runs: readonly MetricRun[], change: MetricsChange): readonly MetricRun[] {
  switch (change.kind) {
    case 'runAdded':
      return [...runs.filter(({ runId }) => runId !== change.run.runId), change.run];
    case 'runsRemoved':
      return runs.filter(({ runId }) => !change.runIds.includes(runId));
    case 'runStateChanged':
      return withRun(runs, change.runId, (run) => ({ ...run, state: change.state }));
    case 'rowsReplaced':
      return withRun(runs, change.runId, (run) => {
        const rows = rowCount(run.table);
        if (change.fromRow > rows)
          throw new RangeError(
            `rowsReplaced: expected to begin at row ${rows} or earlier, got ${change.fromRow}`,
          );
        return { ...run, table: joinTables(sliceTable(run.table, 0, change.fromRow), change.table) };
      });
  }
}

function withRun(
  runs: readonly MetricRun[],
  runId: string,
  edit: (run: MetricRun) => MetricRun,
): readonly MetricRun[] {
  if (!runs.some((run) => run.runId === runId))
    throw new RangeError(`runId: expected one of the shown runs, got "${runId}"`);
  return runs.map((run) => (run.runId === runId ? edit(run) : run));
}

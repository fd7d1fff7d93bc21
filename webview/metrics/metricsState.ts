/** The runs as the host last reported them. Pure. */
import type { MetricRun, MetricsChange, MetricsPatch, MetricsSnapshot } from '#protocol/metricsViewProtocol';
import { joinTables, rowCount, sliceTable } from '#protocol/metricsViewProtocol';

/** `gap`: a patch is missing, ask for a snapshot. `stale`: it is older than what is known. */
export type PatchOutcome = 'applied' | 'gap' | 'stale';

/** See the module comment. */
export class MetricsState {
  #runs: readonly MetricRun[] = [];
  /** `null` before the first snapshot, and while a gap waits for one. */
  #sequence: number | null = null;

  get runs(): readonly MetricRun[] {
    return this.#runs;
  }

  replace(snapshot: MetricsSnapshot): void {
    this.#runs = snapshot.runs;
    this.#sequence = snapshot.sequence;
  }

  /** @throws RangeError when the patch speaks of a run that is not there or leaves out rows. */
  apply(patch: MetricsPatch): PatchOutcome {
    if (this.#sequence === null || patch.sequence <= this.#sequence) return 'stale';
    if (patch.sequence !== this.#sequence + 1) {
      this.#sequence = null;
      return 'gap';
    }
    this.#runs = patch.changes.reduce(changedRuns, this.#runs);
    this.#sequence = patch.sequence;
    return 'applied';
  }
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

/**
 * What a metrics view is fed with: the tables of some runs, then patches as their records grow. Knows
 * nothing of VS Code.
 */
import { metricTableOf, tableChange } from '#extension/metricsData';
import type { MetricRun, MetricsChange, MetricsPatch, MetricsSnapshot } from '#protocol/metricsViewProtocol';
import type { RunState } from '#protocol/treeViewProtocol';
import type { RunReader } from '#runs/runReader';

/** What a feed needs. */
export interface MetricsFeedOptions {
  /** A reader of the feed's own; also refreshed by it alone. */
  readonly openReader: (folder: string) => Promise<RunReader>;
  readonly runState: (folder: string) => Promise<RunState>;
  readonly onPatch: (patch: MetricsPatch) => void;
}

interface ShownRun {
  readonly reader: RunReader;
  readonly run: MetricRun;
  /** `RunReader.lines` when the table was made. */
  readonly lines: number;
}

/** See the module comment. A run's id is its folder. Calls may overlap; they are carried out in order. */
export class MetricsFeed {
  readonly #options: MetricsFeedOptions;
  /** By folder, in the order in which they were added. */
  #shown: ReadonlyMap<string, ShownRun> = new Map();
  #sequence = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: MetricsFeedOptions) {
    this.#options = options;
  }

  get folders(): readonly string[] {
    return [...this.#shown.keys()];
  }

  /**
   * Shows exactly these runs; known ones keep their place.
   *
   * @throws StorageError when one cannot be read; the others are shown as before then.
   */
  show(folders: readonly string[]): Promise<void> {
    return this.#enqueue(async () => {
      const added = folders.filter((folder) => !this.#shown.has(folder));
      const opened = await Promise.all(added.map(async (folder) => await this.#open(folder)));
      const removed = this.folders.filter((folder) => !folders.includes(folder));
      const kept = [...this.#shown].filter(([folder]) => !removed.includes(folder));
      this.#shown = new Map([...kept, ...opened.map((shown) => [shown.run.runId, shown] as const)]);
      this.#send([
        ...(removed.length === 0 ? [] : [{ kind: 'runsRemoved', runIds: removed } as const]),
        ...opened.map(({ run }) => ({ kind: 'runAdded', run }) as const),
      ]);
    });
  }

  /** Everything as it is recorded now. Later patches follow it. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.#enqueue(async () => {
      await this.#update();
      return { sequence: this.#sequence, runs: [...this.#shown.values()].map(({ run }) => run), strings: {} };
    });
  }

  /** Reads what was recorded meanwhile and sends it, if it is to be seen here. */
  refresh(): Promise<void> {
    return this.#enqueue(async () => this.#send(await this.#update()));
  }

  #enqueue<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #send(changes: readonly MetricsChange[]): void {
    if (changes.length === 0) return;
    this.#sequence += 1;
    this.#options.onPatch({ sequence: this.#sequence, changes });
  }

  async #open(folder: string): Promise<ShownRun> {
    const reader = await this.#options.openReader(folder);
    const table = metricTableOf(await reader.model());
    const state = await this.#options.runState(folder);
    const { id, name } = reader.manifest;
    return { reader, lines: reader.lines, run: { runId: folder, title: id, name, state, table } };
  }

  async #update(): Promise<MetricsChange[]> {
    const changes: MetricsChange[] = [];
    const shown = new Map(this.#shown);
    for (const [folder, known] of this.#shown) {
      const next = await this.#updated(known);
      const table = tableChange(known.run.table, next.run.table);
      if (table !== null) changes.push({ kind: 'rowsReplaced', runId: folder, ...table });
      if (next.run.state !== known.run.state)
        changes.push({ kind: 'runStateChanged', runId: folder, state: next.run.state });
      shown.set(folder, next);
    }
    this.#shown = shown;
    return changes;
  }

  async #updated({ reader, run, lines }: ShownRun): Promise<ShownRun> {
    const state = await this.#options.runState(run.runId);
    await reader.refresh();
    if (reader.lines === lines) return { reader, lines, run: { ...run, state } };
    return {
      reader,
      lines: reader.lines,
      run: { ...run, state, table: metricTableOf(await reader.model()) },
    };
  }
}

/**
 * The other end of the metrics view in a plain browser. Bundled by scripts/webviewHarness.mjs; tests
 * drive it through `window.metricsHost`. Query: `runs=1|2` recorded, `generated=N&rows=R`, `empty`, `fails`,
 * `refuses` (saving fails).
 */
import type { MetricRun, MetricsChange, MetricsHostConnection } from '#protocol/metricsViewProtocol';
import { joinTables, rowCount, sliceTable } from '#protocol/metricsViewProtocol';
import { Peer } from '#protocol/peer';
import { generatedRun, recordedMetricRuns } from './metricsRuns';

/** What tests may do with the host. */
export interface MetricsHost {
  /** Sends a patch; `skip` numbers are left out before it. */
  patch(changes: readonly MetricsChange[], skip?: number): void;
  /** Shows a run only up to a row, and grows it by `grow`. */
  cut(runId: string, rows: number): void;
  grow(runId: string): void;
  fail(message: string): void;
  /** Everything the view asked or reported, in order. */
  readonly log: { readonly kind: string; readonly value: unknown }[];
  readonly runs: readonly MetricRun[];
}

declare const window: {
  readonly location: { readonly search: string };
  readonly sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
  dispatchEvent(event: unknown): void;
  metricsHost?: MetricsHost;
  acquireVsCodeApi?: () => unknown;
  violations?: string[];
};
declare const document: {
  addEventListener(
    type: string,
    listener: (event: { blockedURI: string; violatedDirective: string }) => void,
  ): void;
};

const parameters = new URLSearchParams(window.location.search);
window.violations = [];
document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  window.violations?.push(`${violatedDirective} ${blockedURI}`),
);

const generated = Number(parameters.get('generated') ?? 0);
const whole: readonly MetricRun[] =
  generated > 0
    ? Array.from({ length: generated }, (_unused, index) =>
        generatedRun(index, Number(parameters.get('rows') ?? 60)),
      )
    : recordedMetricRuns().slice(0, Number(parameters.get('runs') ?? 1));
let runs: readonly MetricRun[] = parameters.has('empty') ? [] : whole;
let sequence = 0;
const log: { kind: string; value: unknown }[] = [];
const listeners: ((message: unknown) => void)[] = [];
const later = (task: () => void): void => void setTimeout(task, 0);

const peer = new Peer<MetricsHostConnection>(
  {
    send: (message) => {
      const data: unknown = structuredClone(message);
      later(() => window.dispatchEvent(new MessageEvent('message', { data })));
    },
    onMessage: (listener) => listeners.push(listener),
  },
  {
    snapshot: async () => {
      log.push({ kind: 'snapshot', value: sequence });
      if (parameters.has('fails'))
        throw new Error('The record of this run cannot be read: line 12 is cut off.');
      return { sequence, runs, strings: {} };
    },
    saveFile: async (file) => {
      log.push({ kind: 'saveFile', value: file });
      if (parameters.has('refuses')) throw new Error('The disk is full.');
      return { isSaved: true };
    },
  },
  AbortController,
);
peer.on('runsRequested', (value) => log.push({ kind: 'runsRequested', value }));

window.acquireVsCodeApi = () => ({
  postMessage: (message: unknown) => {
    const data: unknown = structuredClone(message);
    later(() => listeners.forEach((listener) => listener(data)));
  },
  getState: () => JSON.parse(window.sessionStorage.getItem('state') ?? 'null') ?? undefined,
  setState: (state: unknown) => window.sessionStorage.setItem('state', JSON.stringify(state)),
});

function send(changes: readonly MetricsChange[], skip = 0): void {
  sequence += 1 + skip;
  peer.emit('patched', { sequence, changes });
}

function edit(runId: string, change: (run: MetricRun) => MetricRun): void {
  runs = runs.map((run) => (run.runId === runId ? change(run) : run));
}

window.metricsHost = {
  patch: send,
  cut: (runId, rows) => {
    edit(runId, (run) => ({ ...run, state: 'running', table: sliceTable(run.table, 0, rows) }));
    const { table } = runs.find((run) => run.runId === runId) ?? whole[0] ?? generatedRun(0, 1);
    send([
      { kind: 'runStateChanged', runId, state: 'running' },
      { kind: 'rowsReplaced', runId, fromRow: 0, table },
    ]);
  },
  grow: (runId) => {
    const source = whole.find((run) => run.runId === runId);
    const known = runs.find((run) => run.runId === runId);
    if (source === undefined || known === undefined) throw new Error(`unknown run ${runId}`);
    const fromRow = rowCount(known.table);
    const table = sliceTable(source.table, fromRow, fromRow + 1);
    edit(runId, (run) => ({ ...run, table: joinTables(run.table, table) }));
    send([{ kind: 'rowsReplaced', runId, fromRow, table }]);
  },
  fail: (message) => peer.emit('failed', { message }),
  log,
  get runs() {
    return runs;
  },
};

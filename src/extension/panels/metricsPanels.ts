import * as vscode from 'vscode';
import { MetricsPanel, metricsPanelId, readShownRuns } from '#extension/panels/metricsPanel';
import { treePanelRoots } from '#extension/panels/treePanel';
import { readableRuns } from '#extension/runArgument';
import type { RunCatalog } from '#extension/runCatalog';
import { runDescription } from '#extension/runTexts';
import type { TrainingHost } from '#extension/trainingHost';
import type { RunState } from '#protocol/treeViewProtocol';

/** Runs that another process writes are looked at this often while they are shown, ms. */
const pollMs = 2000;

/** What changes the charts; everything else grows trees. */
const plottedKinds: ReadonlySet<string> = new Set(['policyUpdated', 'evaluated', 'resumed']);

/** What the metrics panel needs. */
export interface MetricsPanelsOptions {
  readonly extensionUri: vscode.Uri;
  readonly catalog: RunCatalog;
  readonly host: TrainingHost;
  readonly log: vscode.LogOutputChannel;
}

/** The metrics panel of the window: one, in which runs are compared. */
export class MetricsPanels implements vscode.WebviewPanelSerializer {
  readonly #options: MetricsPanelsOptions;
  readonly #subscriptions: { dispose(): void }[] = [];
  #view: MetricsPanel | null = null;
  #pollTimer: ReturnType<typeof setInterval> | null = null;

  constructor(options: MetricsPanelsOptions) {
    this.#options = options;
    this.#subscriptions.push(
      vscode.window.registerWebviewPanelSerializer(metricsPanelId, this),
      options.host.onActivity.on(({ folder, events }) => {
        const isSeen = events.length === 0 || events.some(({ kind }) => plottedKinds.has(kind));
        if (isSeen && this.#view?.folders.includes(folder) === true) this.#view.refreshSoon();
      }),
    );
  }

  /** Shows the panel with the run, beside those that it shows already. */
  async open(folder: string): Promise<void> {
    const known = this.#view;
    if (known !== null) {
      await known.show([...new Set([...known.folders, folder])]);
      known.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      metricsPanelId,
      vscode.l10n.t('Run Metrics'),
      vscode.ViewColumn.Active,
      this.#webviewOptions(),
    );
    try {
      await this.#fill(panel, [folder]);
    } catch (error) {
      panel.dispose();
      throw error;
    }
  }

  /** Called by VS Code after a reload of the window. Runs that are gone are left out. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    if (this.#view !== null) {
      panel.dispose();
      return;
    }
    panel.webview.options = this.#webviewOptions();
    const { catalog, log } = this.#options;
    const found: string[] = [];
    for (const folder of readShownRuns(state)) {
      try {
        await catalog.entry(folder);
        found.push(folder);
      } catch (error) {
        log.warn(`The metrics of ${folder} were not restored: ${String(error)}`);
      }
    }
    await this.#fill(panel, found);
  }

  dispose(): void {
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#view?.dispose();
  }

  #webviewOptions(): vscode.WebviewOptions {
    return { enableScripts: true, localResourceRoots: [...treePanelRoots(this.#options.extensionUri)] };
  }

  async #fill(panel: vscode.WebviewPanel, folders: readonly string[]): Promise<void> {
    const { extensionUri, catalog, log } = this.#options;
    const view = new MetricsPanel({
      panel,
      extensionUri,
      openReader: async (folder) => await catalog.openReader(folder),
      runState: async (folder) => await this.#stateOf(folder),
      chooseRuns: async (shown) => await this.#chooseRuns(shown),
      log,
    });
    this.#view = view;
    panel.onDidDispose(() => this.#forget(view));
    await view.show(folders);
    view.start();
    this.#poll();
  }

  #forget(view: MetricsPanel): void {
    view.dispose();
    if (this.#view === view) this.#view = null;
  }

  async #stateOf(folder: string): Promise<RunState> {
    const { run } = this.#options.host;
    if (run?.folder === folder && run.state !== 'ended') return run.state === 'paused' ? 'paused' : 'running';
    const { status } = await this.#options.catalog.entry(folder);
    return status === 'created' ? 'starting' : status === 'interrupted' ? 'stopped' : status;
  }

  async #chooseRuns(shown: readonly string[]): Promise<readonly string[] | undefined> {
    const runs = await readableRuns(this.#options.catalog);
    const items = runs.map((run) => ({
      label: run.manifest.id,
      description: runDescription(run),
      picked: shown.includes(run.folder),
      folder: run.folder,
    }));
    const chosen = await vscode.window.showQuickPick(items, {
      placeHolder: vscode.l10n.t('Which runs to compare'),
      canPickMany: true,
      matchOnDescription: true,
    });
    return chosen?.map(({ folder }) => folder);
  }

  /** Looks after runs that grow without this window knowing. */
  #poll(): void {
    this.#pollTimer ??= setInterval(() => {
      const view = this.#view;
      const training = this.#options.host.run?.folder;
      if (view?.panel.visible === true && view.folders.some((folder) => folder !== training))
        view.refreshSoon();
    }, pollMs);
  }
}

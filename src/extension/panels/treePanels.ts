import * as vscode from 'vscode';
import { readTreePanelSource, TreePanel, treePanelId, treePanelRoots } from '#extension/panels/treePanel';
import type { TreePanelSource } from '#extension/panels/treePanel';
import type { CatalogStatus, RunCatalog } from '#extension/runCatalog';
import type { TrainingHost } from '#extension/trainingHost';
import type { TrainingRun } from '#extension/trainingRun';
import type { RunState } from '#protocol/treeViewProtocol';

/** Runs that another process writes are looked at this often while they are shown, ms. */
const pollMs = 1000;

/** The rollout-tree panels of the window: one per run. */
export class TreePanels implements vscode.WebviewPanelSerializer {
  readonly #extensionUri: vscode.Uri;
  readonly #catalog: RunCatalog;
  readonly #host: TrainingHost;
  readonly #log: vscode.LogOutputChannel;
  readonly #panels = new Map<string, TreePanel>();
  /** Of runs that do not train here. */
  readonly #states = new Map<string, RunState>();
  readonly #subscriptions: { dispose(): void }[] = [];
  #pollTimer: ReturnType<typeof setInterval> | null = null;

  constructor(options: {
    readonly extensionUri: vscode.Uri;
    readonly catalog: RunCatalog;
    readonly host: TrainingHost;
    readonly log: vscode.LogOutputChannel;
  }) {
    this.#extensionUri = options.extensionUri;
    this.#catalog = options.catalog;
    this.#host = options.host;
    this.#log = options.log;
    this.#subscriptions.push(
      vscode.window.registerWebviewPanelSerializer(treePanelId, this),
      options.host.onActivity.on(({ folder }) => void this.#onActivity(folder)),
    );
  }

  /** Shows the trees, in the panel of the run if it has one. */
  async open(source: TreePanelSource, { preserveFocus = false } = {}): Promise<void> {
    const known = this.#panels.get(source.folder);
    if (known !== undefined) {
      known.panel.reveal(undefined, preserveFocus);
      if (JSON.stringify(known.source) === JSON.stringify(source)) known.follow();
      else await this.#fill(known.panel, source);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      treePanelId,
      vscode.l10n.t('Rollout Tree'),
      { viewColumn: vscode.ViewColumn.Active, preserveFocus },
      { enableScripts: true, localResourceRoots: treePanelRoots(this.#extensionUri) },
    );
    await this.#fill(panel, source);
  }

  /** The panel that has the focus shows the newest update of its run, and follows it. */
  async followActive(): Promise<void> {
    const active = [...this.#panels.values()].find(({ panel }) => panel.active);
    if (active === undefined) return;
    const { folder, scope } = active.source;
    if (scope.kind === 'newest') active.follow();
    else await this.#fill(active.panel, { folder, scope: { kind: 'newest' } });
  }

  /** Called by VS Code after a reload of the window. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const source = readTreePanelSource(state);
    if (source === null || this.#panels.has(source.folder)) {
      panel.dispose();
      return;
    }
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [...treePanelRoots(this.#extensionUri)],
    };
    try {
      await this.#fill(panel, source);
    } catch (error) {
      // The run is gone or damaged; a view of nothing helps nobody.
      this.#log.warn(`The rollout tree of ${source.folder} was not restored: ${String(error)}`);
      panel.dispose();
    }
  }

  dispose(): void {
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const panel of this.#panels.values()) panel.dispose();
  }

  async #fill(panel: vscode.WebviewPanel, source: TreePanelSource): Promise<void> {
    const { folder } = source;
    await this.#readState(folder);
    const reader = await this.#catalog.openReader(folder);
    const known = this.#panels.get(folder);
    known?.dispose();
    const view = new TreePanel({
      panel,
      extensionUri: this.#extensionUri,
      source,
      reader,
      runState: () => this.#stateOf(folder),
      log: this.#log,
    });
    this.#panels.set(folder, view);
    if (known?.panel !== panel) panel.onDidDispose(() => this.#forget(folder, panel));
    this.#poll();
  }

  #forget(folder: string, panel: vscode.WebviewPanel): void {
    const known = this.#panels.get(folder);
    if (known?.panel !== panel) return;
    known.dispose();
    this.#panels.delete(folder);
  }

  async #onActivity(folder: string): Promise<void> {
    const panel = this.#panels.get(folder);
    if (panel === undefined) return;
    if (this.#host.run?.folder !== folder) await this.#readState(folder);
    panel.refreshSoon();
  }

  #stateOf(folder: string): RunState {
    const { run } = this.#host;
    return run?.folder === folder ? liveState(run) : (this.#states.get(folder) ?? 'stopped');
  }

  async #readState(folder: string): Promise<void> {
    const { status } = await this.#catalog.entry(folder);
    this.#states.set(folder, recordedState(status));
  }

  /** Looks after runs that grow without this window knowing. */
  #poll(): void {
    this.#pollTimer ??= setInterval(() => {
      for (const [folder, panel] of this.#panels) {
        const isElsewhere = this.#host.run?.folder !== folder && this.#states.get(folder) === 'running';
        if (isElsewhere && panel.panel.visible) void this.#onActivity(folder);
      }
    }, pollMs);
  }
}

function liveState({ state, progress }: TrainingRun): RunState {
  switch (state) {
    case 'running':
    case 'pausing':
      return progress === null ? 'starting' : 'running';
    case 'paused':
      return 'paused';
    case 'stopping':
    case 'ended':
      return 'stopped';
  }
}

function recordedState(status: CatalogStatus): RunState {
  return status === 'created' ? 'starting' : status === 'interrupted' ? 'stopped' : status;
}

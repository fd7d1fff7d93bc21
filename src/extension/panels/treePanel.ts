import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PanelId } from '#extension/contributions';
import { TreeFeed } from '#extension/panels/treeFeed';
import { readScopeSource } from '#extension/panels/treeScope';
import type { ScopeSource } from '#extension/panels/treeScope';
import { webviewHtml } from '#extension/panels/webviewHtml';
import { Peer } from '#protocol/peer';
import type { Channel } from '#protocol/peer';
import type { RunState, TreeHostConnection } from '#protocol/treeViewProtocol';
import type { RunReader } from '#runs/runReader';

/** What a panel shows; stored by the view and handed back after a reload. */
export interface TreePanelSource {
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly scope: ScopeSource;
}

/** What a panel is made of. */
export interface TreePanelOptions {
  readonly panel: vscode.WebviewPanel;
  readonly extensionUri: vscode.Uri;
  readonly source: TreePanelSource;
  /** Its own. */
  readonly reader: RunReader;
  readonly runState: () => RunState;
  readonly log: vscode.LogOutputChannel;
}

export const treePanelId: PanelId = 'arpo.tree';

/** While a run trains, the view is fed at most this often, ms. */
const refreshMs = 120;

/** The folders that the page may load from. */
export function treePanelRoots(extensionUri: vscode.Uri): readonly vscode.Uri[] {
  return [vscode.Uri.joinPath(extensionUri, 'dist', 'webview')];
}

/** One rollout-tree view: feeds the page while it is visible, and anew when it becomes visible. */
export class TreePanel {
  readonly source: TreePanelSource;
  readonly #options: TreePanelOptions;
  readonly #feed: TreeFeed;
  readonly #subscriptions: vscode.Disposable[] = [];
  #connection: Connection | null = null;
  #refreshTimer: ReturnType<typeof setTimeout> | null = null;
  #isDisposed = false;

  constructor(options: TreePanelOptions) {
    const { panel, source, reader, runState } = options;
    this.#options = options;
    this.source = source;
    this.#feed = new TreeFeed({
      reader,
      source: source.scope,
      title: (scope) => `${reader.manifest.id} · ${scopeTitle(scope)}`,
      runState,
      actions: [],
      onPatch: (patch) => this.#connection?.peer.emit('patched', patch),
    });
    panel.title = `${scopeTitle(source.scope)} · ${reader.manifest.name}`;
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.#connection?.receive(message)),
      panel.onDidChangeViewState(() => this.#onVisibility()),
    );
    this.#onVisibility();
    panel.webview.html = this.#html();
  }

  get panel(): vscode.WebviewPanel {
    return this.#options.panel;
  }

  /** Something was recorded: the view hears of it soon. */
  refreshSoon(): void {
    if (this.#connection === null) return;
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = null;
      this.#feed.refresh().catch((error: unknown) => this.#fail(error));
    }, refreshMs);
  }

  /** Shows the newest update again, after a selection held another one. */
  follow(): void {
    this.#feed.hold(false);
    this.refreshSoon();
  }

  /** Lets go of the webview panel without closing it. */
  dispose(): void {
    this.#isDisposed = true;
    if (this.#refreshTimer !== null) clearTimeout(this.#refreshTimer);
    this.#disconnect();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** A hidden page is gone, and starts anew when it is shown: so does its connection. */
  #onVisibility(): void {
    const { visible } = this.#options.panel;
    if (visible && this.#connection === null) this.#connection = this.#connect();
    if (!visible) this.#disconnect();
  }

  #disconnect(): void {
    this.#connection?.peer.close(new Error('The view is hidden.'));
    this.#connection = null;
  }

  #connect(): Connection {
    const { webview } = this.#options.panel;
    let listener: (message: unknown) => void = () => undefined;
    const channel: Channel = {
      send: (message) => void webview.postMessage(message),
      onMessage: (heard) => (listener = heard),
    };
    const peer = new Peer<TreeHostConnection>(
      channel,
      {
        snapshot: async () => await this.#feed.snapshot(),
        nodeDetail: async (reference) => await this.#feed.nodeDetail(reference),
        findText: async ({ query, limit }, { signal }) => await this.#feed.findText(query, limit, signal),
      },
      AbortController,
    );
    // While something is selected the view stays with it.
    peer.on('selectionChanged', (reference) => {
      this.#feed.hold(reference !== null);
      if (reference === null) this.refreshSoon();
    });
    return { peer, receive: (message) => listener(message) };
  }

  #fail(error: unknown): void {
    if (this.#isDisposed) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log.error(`The rollout tree of ${this.source.folder} cannot be read: ${message}`);
    this.#connection?.peer.emit('failed', { message });
  }

  #html(): string {
    const { panel, extensionUri, source } = this.#options;
    const { webview } = panel;
    const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    const address = (name: string): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    return webviewHtml({
      language: vscode.env.language,
      title: panel.title,
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64'),
      script: address('tree.js'),
      style: address('tree.css'),
      source: JSON.stringify(source),
    });
  }
}

interface Connection {
  readonly peer: Peer<TreeHostConnection>;
  receive(message: unknown): void;
}

/** What the stored state of a view says it showed; `null` when it says nothing that can be shown. */
export function readTreePanelSource(state: unknown): TreePanelSource | null {
  if (typeof state !== 'object' || state === null || !('source' in state)) return null;
  const value = parse(state.source);
  if (typeof value !== 'object' || value === null || !('folder' in value) || !('scope' in value)) return null;
  const scope = readScopeSource(value.scope);
  return typeof value.folder !== 'string' || scope === null ? null : { folder: value.folder, scope };
}

function parse(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null; // written by another version, or damaged: nothing to restore
  }
}

function scopeTitle(scope: ScopeSource): string {
  switch (scope.kind) {
    case 'newest':
      return vscode.l10n.t('Newest update');
    case 'update':
      return vscode.l10n.t('Update {0}', scope.update);
    case 'group':
      return vscode.l10n.t('Update {0}, group {1}', scope.update, scope.group);
    case 'task':
      return vscode.l10n.t('Task {0}', scope.taskId);
  }
}

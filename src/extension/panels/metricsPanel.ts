import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PanelId } from '#extension/contributions';
import { MetricsFeed } from '#extension/panels/metricsFeed';
import { webviewHtml } from '#extension/panels/webviewHtml';
import { Peer } from '#protocol/peer';
import type { Channel } from '#protocol/peer';
import type { ExportedFile, MetricsHostConnection } from '#protocol/metricsViewProtocol';
import type { RunState } from '#protocol/treeViewProtocol';
import type { RunReader } from '#runs/runReader';

/** What a panel is made of. */
export interface MetricsPanelOptions {
  readonly panel: vscode.WebviewPanel;
  readonly extensionUri: vscode.Uri;
  readonly openReader: (folder: string) => Promise<RunReader>;
  readonly runState: (folder: string) => Promise<RunState>;
  /** Lets the user choose runs; `undefined`: they chose to leave it as it is. */
  readonly chooseRuns: (shown: readonly string[]) => Promise<readonly string[] | undefined>;
  readonly log: vscode.LogOutputChannel;
}

export const metricsPanelId: PanelId = 'arpo.metrics';

/** While a run trains, the view is fed at most this often, ms: its numbers change once per update. */
const refreshMs = 400;

/** The metrics view: feeds the page while it is visible, and anew when it becomes visible. */
export class MetricsPanel {
  readonly #options: MetricsPanelOptions;
  readonly #feed: MetricsFeed;
  readonly #subscriptions: vscode.Disposable[] = [];
  #connection: Connection | null = null;
  #refreshTimer: ReturnType<typeof setTimeout> | null = null;
  #isDisposed = false;

  constructor(options: MetricsPanelOptions) {
    const { panel, openReader, runState } = options;
    this.#options = options;
    this.#feed = new MetricsFeed({
      openReader,
      runState,
      onPatch: (patch) => this.#connection?.peer.emit('patched', patch),
    });
    panel.title = vscode.l10n.t('Run Metrics');
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.#connection?.receive(message)),
      panel.onDidChangeViewState(() => this.#onVisibility()),
    );
  }

  get panel(): vscode.WebviewPanel {
    return this.#options.panel;
  }

  get folders(): readonly string[] {
    return this.#feed.folders;
  }

  /** Loads the page; called once, after the first `show`. */
  start(): void {
    this.#onVisibility();
    this.panel.webview.html = this.#html();
  }

  /** Shows exactly these runs. @throws StorageError when one cannot be read. */
  async show(folders: readonly string[]): Promise<void> {
    await this.#feed.show(folders);
  }

  /** Something was recorded: the view hears of it soon. */
  refreshSoon(): void {
    if (this.#connection === null) return;
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = null;
      this.#feed.refresh().catch((error: unknown) => this.#fail(error));
    }, refreshMs);
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
    const { visible } = this.panel;
    if (visible && this.#connection === null) this.#connection = this.#connect();
    if (!visible) this.#disconnect();
  }

  #disconnect(): void {
    this.#connection?.peer.close(new Error('The view is hidden.'));
    this.#connection = null;
  }

  #connect(): Connection {
    const { webview } = this.panel;
    let listener: (message: unknown) => void = () => undefined;
    const channel: Channel = {
      send: (message) => void webview.postMessage(message),
      onMessage: (heard) => (listener = heard),
    };
    const peer = new Peer<MetricsHostConnection>(
      channel,
      {
        snapshot: async () => await this.#feed.snapshot(),
        saveFile: async (file) => ({ isSaved: await saveFile(file) }),
      },
      AbortController,
    );
    peer.on('runsRequested', () => {
      this.#chooseRuns().catch((error: unknown) => this.#fail(error));
    });
    return { peer, receive: (message) => listener(message) };
  }

  async #chooseRuns(): Promise<void> {
    const folders = await this.#options.chooseRuns(this.folders);
    if (folders !== undefined) await this.show(folders);
  }

  #fail(error: unknown): void {
    if (this.#isDisposed) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log.error(`The metrics cannot be read: ${message}`);
    this.#connection?.peer.emit('failed', { message });
  }

  #html(): string {
    const { panel, extensionUri } = this.#options;
    const { webview } = panel;
    const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    const address = (name: string): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    return webviewHtml({
      language: vscode.env.language,
      title: panel.title,
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64'),
      script: address('metrics.js'),
      style: address('metrics.css'),
      source: '',
    });
  }
}

interface Connection {
  readonly peer: Peer<MetricsHostConnection>;
  receive(message: unknown): void;
}

/** The runs that a view showed, by its stored state: from any version, or damaged. */
export function readShownRuns(state: unknown): readonly string[] {
  if (typeof state !== 'object' || state === null || !('runs' in state) || !Array.isArray(state.runs))
    return [];
  return state.runs.filter((folder: unknown) => typeof folder === 'string');
}

/** Asks where, and writes the file. @returns Whether it was written. */
async function saveFile({ name, format, text }: ExportedFile): Promise<boolean> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const filters = format === 'svg' ? { SVG: ['svg'] } : { CSV: ['csv'] };
  const target = await vscode.window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
    filters,
  });
  if (target === undefined) return false;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  return true;
}

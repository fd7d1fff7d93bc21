import * as vscode from 'vscode';
import type { ViewId } from '#extension/contributions';
import type { GroupEntry, RunCatalog, RunEntry, UnreadableRun, UpdateEntry } from '#extension/runCatalog';
import { runsPlaces } from '#extension/settings';
import { groupItem, olderItem, runItem, unreadableItem, updateItem } from '#extension/views/runsTreeItems';
import type { TrainingHost } from '#extension/trainingHost';

/** A row of the view. */
export type RunsNode =
  | { readonly kind: 'run'; readonly entry: RunEntry }
  | { readonly kind: 'unreadable'; readonly run: UnreadableRun }
  | { readonly kind: 'update'; readonly entry: UpdateEntry }
  /** The updates before `below`, so that long runs stay short. */
  | { readonly kind: 'older'; readonly folder: string; readonly below: number }
  | { readonly kind: 'group'; readonly entry: GroupEntry };

/** Updates shown at once. */
const pageLength = 25;
/** While a run trains, the view changes at most this often. */
const refreshMs = 500;

/** The view *Runs*: runs, their updates, their groups; every level is read when it is unfolded. */
export class RunsTree implements vscode.TreeDataProvider<RunsNode> {
  readonly #catalog: RunCatalog;
  readonly #host: TrainingHost;
  readonly #changed = new vscode.EventEmitter<RunsNode | undefined>();
  readonly #disposables: { dispose(): void }[] = [this.#changed];
  /** The rows of runs as VS Code knows them, by folder. */
  readonly #runNodes = new Map<string, RunsNode>();
  #refreshTimer: ReturnType<typeof setTimeout> | null = null;
  #watched: { dispose(): void }[] = [];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(options: { readonly catalog: RunCatalog; readonly host: TrainingHost }) {
    this.#catalog = options.catalog;
    this.#host = options.host;
    const id: ViewId = 'arpo.runs';
    this.#disposables.push(
      vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true }),
      options.host.onActivity.on(() => this.#refreshSoon()),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.refresh()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('arpo.runs')) this.refresh();
      }),
    );
  }

  /** Reads everything that is unfolded again. */
  refresh(): void {
    for (const watcher of this.#watched.splice(0)) watcher.dispose();
    this.#changed.fire(undefined);
  }

  dispose(): void {
    if (this.#refreshTimer !== null) clearTimeout(this.#refreshTimer);
    for (const disposable of [...this.#watched, ...this.#disposables]) disposable.dispose();
  }

  getTreeItem(node: RunsNode): vscode.TreeItem {
    switch (node.kind) {
      case 'run':
        return runItem(node.entry, this.#stateOf(node.entry.folder));
      case 'unreadable':
        return unreadableItem(node.run);
      case 'update':
        return updateItem(node.entry);
      case 'older':
        return olderItem(node.folder, node.below);
      case 'group':
        return groupItem(node.entry);
    }
  }

  async getChildren(node?: RunsNode): Promise<RunsNode[]> {
    if (node === undefined) return await this.#runs();
    switch (node.kind) {
      case 'run':
        return await this.#updates(node.entry.folder, Number.POSITIVE_INFINITY);
      case 'older':
        return await this.#updates(node.folder, node.below);
      case 'update':
        return node.entry.groups.map((entry): RunsNode => ({ kind: 'group', entry }));
      case 'group':
      case 'unreadable':
        return [];
    }
  }

  #stateOf(folder: string): 'live' | 'paused' | null {
    const { run } = this.#host;
    if (run?.folder !== folder) return null;
    return run.state === 'paused' || run.state === 'pausing' ? 'paused' : 'live';
  }

  async #runs(): Promise<RunsNode[]> {
    this.#watch();
    const places = runsPlaces();
    const lists = await Promise.all(places.map(({ runsFolder }) => this.#catalog.list(runsFolder)));
    const runs = lists.flat();
    this.#runNodes.clear();
    return runs.map((run) => {
      const node: RunsNode = 'manifest' in run ? { kind: 'run', entry: run } : { kind: 'unreadable', run };
      this.#runNodes.set(run.folder, node);
      return node;
    });
  }

  async #updates(folder: string, below: number): Promise<RunsNode[]> {
    const updates = (await this.#catalog.updates(folder)).filter((update) => update < below);
    const shown = updates.slice(0, pageLength);
    const entries = await Promise.all(shown.map((update) => this.#catalog.update(folder, update)));
    const nodes = entries.map((entry): RunsNode => ({ kind: 'update', entry }));
    const last = shown.at(-1);
    if (updates.length > pageLength && last !== undefined) nodes.push({ kind: 'older', folder, below: last });
    return nodes;
  }

  #refreshSoon(): void {
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = null;
      this.#changed.fire(undefined);
    }, refreshMs);
  }

  /** Runs that others write, for example the command line, come and grow as well. */
  #watch(): void {
    if (this.#watched.length > 0) return;
    this.#watched = runsPlaces().flatMap(({ runsFolder }) => {
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.file(runsFolder), '*/{run.json,events.jsonl}'),
      );
      const onFile = (): void => this.#refreshSoon();
      watcher.onDidCreate(onFile);
      watcher.onDidDelete(onFile);
      watcher.onDidChange(onFile);
      return [watcher];
    });
  }
}

/** What a command was called on: a row of the view *Runs*, a test's plain object, or nothing. */
import * as vscode from 'vscode';
import type { ScopeSource } from '#extension/panels/treeScope';
import type { RunCatalog, RunEntry } from '#extension/runCatalog';
import { runDescription } from '#extension/runTexts';
import { runsPlaces } from '#extension/settings';
import type { RunsNode } from '#extension/views/runsTree';

/** The run folder of a row; `null` when the argument is no row. */
export function folderOf(argument: unknown): string | null {
  if (!isRow(argument)) return null;
  switch (argument.kind) {
    case 'older':
      return argument.folder;
    case 'unreadable':
      return argument.run.folder;
    case 'run':
    case 'update':
    case 'group':
      return argument.entry.folder;
  }
}

/** What of the run the row stands for. */
export function scopeOf(argument: unknown): ScopeSource {
  if (!isRow(argument)) return { kind: 'newest' };
  if (argument.kind === 'update') return { kind: 'update', update: argument.entry.update };
  if (argument.kind !== 'group') return { kind: 'newest' };
  const { update, group } = argument.entry.started;
  return { kind: 'group', update, group };
}

/** The task of a row of a group; `null` for other rows. */
export function taskOf(argument: unknown): string | null {
  return isRow(argument) && argument.kind === 'group' ? argument.entry.started.taskId : null;
}

/** Every readable run of the open folders, newest first within its folder. */
export async function readableRuns(catalog: RunCatalog): Promise<readonly RunEntry[]> {
  const lists = await Promise.all(runsPlaces().map(({ runsFolder }) => catalog.list(runsFolder)));
  return lists.flat().filter((run): run is RunEntry => 'manifest' in run);
}

/** Lets the user choose; the only one is chosen at once. `undefined`: the user chose none. */
export async function pickRun(runs: readonly RunEntry[], placeHolder: string): Promise<RunEntry | undefined> {
  if (runs.length === 1) return runs[0];
  const items = runs.map((run) => ({ label: run.manifest.id, description: runDescription(run), run }));
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true }))?.run;
}

const rowKinds: readonly string[] = ['run', 'update', 'group', 'older', 'unreadable'];

/** Rows come back from VS Code as they were given to it; nobody else calls these commands with arguments. */
function isRow(argument: unknown): argument is RunsNode {
  return (
    typeof argument === 'object' &&
    argument !== null &&
    'kind' in argument &&
    rowKinds.includes(String(argument.kind))
  );
}

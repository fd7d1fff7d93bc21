import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { SettingId } from '#extension/contributions';

/** What happens with a run that was interrupted because the window closed. */
export type ResumeAfterReload = 'ask' | 'always' | 'never';

/** A workspace folder on disk, and where its runs are. */
export interface RunsPlace {
  readonly workspaceFolder: vscode.WorkspaceFolder;
  /** Absolute. */
  readonly runsFolder: string;
}

/** The runs folders of all workspace folders that are on disk. */
export function runsPlaces(): readonly RunsPlace[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map((workspaceFolder) => ({ workspaceFolder, runsFolder: runsFolderOf(workspaceFolder) }));
}

/** Whether the rollout tree opens when training starts. */
export function opensTree(): boolean {
  return read('arpo.training.openTree', true);
}

export function resumeAfterReload(): ResumeAfterReload {
  return read<ResumeAfterReload>('arpo.training.resumeAfterReload', 'ask');
}

function runsFolderOf({ uri }: vscode.WorkspaceFolder): string {
  const folder = read('arpo.runs.folder', 'runs', uri).trim() || 'runs';
  return isAbsolute(folder) ? folder : join(uri.fsPath, folder);
}

function read<Value>(id: SettingId, fallback: Value, scope?: vscode.Uri): Value {
  return vscode.workspace.getConfiguration(undefined, scope ?? null).get<Value>(id, fallback);
}

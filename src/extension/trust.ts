import * as vscode from 'vscode';

/**
 * Training and tools run what a folder's files ask for. A hidden command can be called all the same, so
 * the commands check as well.
 *
 * @throws Error in an untrusted workspace.
 */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new Error(
    vscode.l10n.t(
      'Training runs code and files of this folder, so the folder must be trusted first (Workspaces: Manage Workspace Trust). Recorded runs can be viewed without.',
    ),
  );
}

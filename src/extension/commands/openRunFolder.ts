import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import { folderOf, pickRun, readableRuns } from '#extension/runArgument';
import type { Services } from '#extension/services';

/** `ARPO: Open Run Folder`: shows the files of a run, in the Explorer when they are in an open folder. */
export function registerOpenRunFolder({ host, catalog, log }: Services): vscode.Disposable {
  return registerCommand('arpo.openRunFolder', log, async (argument) => {
    const folder = folderOf(argument) ?? host.run?.folder ?? (await pickFolder(catalog));
    if (folder === undefined) return;
    const manifest = vscode.Uri.joinPath(vscode.Uri.file(folder), 'run.json');
    const isOpen = vscode.workspace.getWorkspaceFolder(manifest) !== undefined;
    await vscode.commands.executeCommand(isOpen ? 'revealInExplorer' : 'revealFileInOS', manifest);
  });
}

/** `ARPO: Refresh Runs`. */
export function registerRefreshRuns({ runsTree, log }: Services): vscode.Disposable {
  return registerCommand('arpo.refreshRuns', log, async () => runsTree.refresh());
}

async function pickFolder(catalog: Services['catalog']): Promise<string | undefined> {
  const runs = await readableRuns(catalog);
  if (runs.length === 0) throw new Error(vscode.l10n.t('There is no run yet. “ARPO: Train” makes one.'));
  return (await pickRun(runs, vscode.l10n.t('Which run’s folder to open')))?.folder;
}

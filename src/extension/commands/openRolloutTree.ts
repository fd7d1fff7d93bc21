import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import { folderOf, pickRun, readableRuns, scopeOf, taskOf } from '#extension/runArgument';
import type { Services } from '#extension/services';

/** `ARPO: Open Rollout Tree`: of the row it is called on, else of the run that trains, else of a chosen one. */
export function registerOpenRolloutTree(services: Services): vscode.Disposable {
  const { host, catalog, treePanels, log } = services;
  return registerCommand('arpo.openRolloutTree', log, async (argument) => {
    const folder = folderOf(argument) ?? host.run?.folder ?? (await pickFolder(catalog));
    if (folder !== undefined) await treePanels.open({ folder, scope: scopeOf(argument) });
  });
}

/** `ARPO: Open Trees of This Task`: all trees of the group's task, over the updates. */
export function registerOpenTaskTrees({ treePanels, log }: Services): vscode.Disposable {
  return registerCommand('arpo.openTaskTrees', log, async (argument) => {
    const [folder, taskId] = [folderOf(argument), taskOf(argument)];
    if (folder !== null && taskId !== null)
      await treePanels.open({ folder, scope: { kind: 'task', taskId } });
  });
}

/** `ARPO: Follow Newest Update`: for the tree that has the focus. */
export function registerFollowNewestUpdate({ treePanels, log }: Services): vscode.Disposable {
  return registerCommand('arpo.followNewestUpdate', log, async () => await treePanels.followActive());
}

async function pickFolder(catalog: Services['catalog']): Promise<string | undefined> {
  const runs = await readableRuns(catalog);
  if (runs.length === 0) throw new Error(vscode.l10n.t('There is no run yet. “ARPO: Train” makes one.'));
  return (await pickRun(runs, vscode.l10n.t('Which run to show')))?.folder;
}

import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import { folderOf, pickRun, readableRuns } from '#extension/runArgument';
import type { Services } from '#extension/services';

/** `ARPO: Open Run Metrics`: of the row it is called on, else of the run that trains, else of a chosen one. */
export function registerOpenRunMetrics(services: Services): vscode.Disposable {
  const { host, catalog, metricsPanels, log } = services;
  return registerCommand('arpo.openRunMetrics', log, async (argument) => {
    const folder = folderOf(argument) ?? host.run?.folder ?? (await pickFolder(catalog));
    if (folder !== undefined) await metricsPanels.open(folder);
  });
}

async function pickFolder(catalog: Services['catalog']): Promise<string | undefined> {
  const runs = await readableRuns(catalog);
  if (runs.length === 0) throw new Error(vscode.l10n.t('There is no run yet. “ARPO: Train” makes one.'));
  return (await pickRun(runs, vscode.l10n.t('Which run to show')))?.folder;
}

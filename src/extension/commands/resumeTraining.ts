import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import { folderOf, pickRun, readableRuns } from '#extension/runArgument';
import { isResumable } from '#extension/runCatalog';
import { requirePlace } from '#extension/runConfigurations';
import type { Services } from '#extension/services';
import { opensTree, resumeAfterReload } from '#extension/settings';
import { requireTrust } from '#extension/trust';

/** `ARPO: Resume Training`: goes on with the paused run, or with one that was stopped or interrupted. */
export function registerResumeTraining(services: Services): vscode.Disposable {
  const { host, catalog, log } = services;
  return registerCommand('arpo.resumeTraining', log, async (argument) => {
    requireTrust();
    if (host.run !== null && folderOf(argument) !== null && folderOf(argument) !== host.run.folder) {
      throw new Error(vscode.l10n.t('A run is training already. Stop it first.'));
    }
    if (host.run !== null) {
      await host.run.unpause();
      return;
    }
    const folder = folderOf(argument) ?? (await pickResumable(services));
    if (folder === undefined) return;
    if (!isResumable(await catalog.entry(folder)))
      throw new Error(
        vscode.l10n.t('This run cannot be resumed: it has finished, or another process trains it.'),
      );
    await resumeRun(services, folder);
  });
}

/** Offers to go on with the run that was training when the window closed, as the settings say. */
export async function offerInterruptedRun(services: Services): Promise<void> {
  const { host, catalog, log } = services;
  const folder = host.interruptedFolder;
  const wish = resumeAfterReload();
  if (folder === null || wish === 'never' || !vscode.workspace.isTrusted) return;
  try {
    const entry = await catalog.entry(folder);
    if (!isResumable(entry) || host.isBusy) return;
    const resume = vscode.l10n.t('Resume');
    const text = vscode.l10n.t(
      '{0} was interrupted after update {1} when the window closed.',
      entry.manifest.id,
      entry.completedUpdates,
    );
    const answer = wish === 'always' ? resume : await vscode.window.showInformationMessage(text, resume);
    await host.forgetInterrupted();
    if (answer === resume && !host.isBusy) await resumeRun(services, folder);
  } catch (error) {
    // The run may be gone by now; nobody asked for it.
    log.warn(`The interrupted run ${folder} is not offered: ${String(error)}`);
  }
}

async function resumeRun({ host, treePanels, log }: Services, folder: string): Promise<void> {
  const { workspaceFolder } = requirePlace(vscode.Uri.file(folder));
  const run = await host.start({ kind: 'resume', folder, baseFolder: workspaceFolder.uri.fsPath });
  log.info(`${run.name} goes on from the state stored after update ${run.resumedFrom}`);
  if (run.resumedFrom === 0) {
    const text = vscode.l10n.t('{0} had stored no state to go on from, so it begins anew.', run.name);
    void vscode.window.showInformationMessage(text);
  }
  const source = { folder: run.folder, scope: { kind: 'newest' } } as const;
  if (opensTree()) await treePanels.open(source, { preserveFocus: true });
}

async function pickResumable({ catalog }: Services): Promise<string | undefined> {
  const runs = (await readableRuns(catalog)).filter(isResumable);
  if (runs.length === 0) throw new Error(vscode.l10n.t('No run here was stopped or interrupted.'));
  return (await pickRun(runs, vscode.l10n.t('Which run to go on with')))?.folder;
}

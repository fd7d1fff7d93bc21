import * as vscode from 'vscode';
import { newRunConfiguration } from '#extension/commands/newRunConfiguration';
import { registerCommand } from '#extension/registerCommand';
import { findRunConfigurations, RunConfigurations } from '#extension/runConfigurations';
import type { ChosenConfiguration } from '#extension/runConfigurations';
import type { Services } from '#extension/services';
import { opensTree } from '#extension/settings';
import { requireTrust } from '#extension/trust';

/** `ARPO: Train`: picks a run configuration (or takes the file it is called on) and trains it. */
export function registerTrain(services: Services): vscode.Disposable {
  const { host, treePanels, log } = services;
  const configurations = new RunConfigurations();
  const command = registerCommand('arpo.train', log, async (argument) => {
    requireTrust();
    const chosen =
      argument instanceof vscode.Uri ? await configurations.read(argument) : await pick(configurations);
    if (chosen === undefined) return;
    const run = await host.start({ kind: 'new', ...chosen });
    const source = { folder: run.folder, scope: { kind: 'newest' } } as const;
    if (opensTree()) await treePanels.open(source, { preserveFocus: true });
  });
  return vscode.Disposable.from(command, configurations);
}

type Item = vscode.QuickPickItem & { readonly choose: () => Promise<ChosenConfiguration | undefined> };

/** `undefined`: the user chose nothing, or to write a new one. */
async function pick(configurations: RunConfigurations): Promise<ChosenConfiguration | undefined> {
  const files = await findRunConfigurations();
  const items: Item[] = [
    ...files.map((uri) => fileItem(configurations, uri)),
    {
      label: vscode.l10n.t('Built-in example: directory hunt'),
      description: vscode.l10n.t('about a minute on two processors'),
      iconPath: new vscode.ThemeIcon('beaker'),
      choose: async () => configurations.builtIn(),
    },
    {
      label: vscode.l10n.t('New Run Configuration…'),
      iconPath: new vscode.ThemeIcon('new-file'),
      choose: async () => {
        await newRunConfiguration();
        return undefined;
      },
    },
  ];
  const placeHolder = vscode.l10n.t('What to train');
  const item = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
  return await item?.choose();
}

function fileItem(configurations: RunConfigurations, uri: vscode.Uri): Item {
  const path = vscode.workspace.asRelativePath(uri);
  return {
    label: path.slice(path.lastIndexOf('/') + 1),
    description: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '',
    iconPath: new vscode.ThemeIcon('json'),
    choose: async () => await configurations.read(uri),
  };
}

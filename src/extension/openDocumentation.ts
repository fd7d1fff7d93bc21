import * as vscode from 'vscode';
import type { CommandId } from '#extension/contributions';

/** The names a README has: as in the repository, and as `vsce` packages it. */
const fileNames = ['README.md', 'readme.md'];

/** `ARPO: Open Documentation`: shows the extension's README, rendered. Works without a network. */
export function registerOpenDocumentation(
  extensionUri: vscode.Uri,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const command: CommandId = 'arpo.openDocumentation';
  return vscode.commands.registerCommand(command, async () => {
    const readme = await findReadme(extensionUri);
    if (readme !== null) {
      await vscode.commands.executeCommand('markdown.showPreview', readme);
      return;
    }
    log.error(`No README in ${extensionUri.toString()}`);
    const message = vscode.l10n.t('The documentation is missing in this installation. Install ARPO again.');
    await vscode.window.showErrorMessage(message);
  });
}

async function findReadme(folder: vscode.Uri): Promise<vscode.Uri | null> {
  const entries = await vscode.workspace.fs.readDirectory(folder);
  const entry = entries.find(([name]) => fileNames.includes(name));
  return entry === undefined ? null : vscode.Uri.joinPath(folder, entry[0]);
}

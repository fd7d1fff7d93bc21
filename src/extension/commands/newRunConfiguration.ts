import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import { requirePlace } from '#extension/runConfigurations';
import type { Services } from '#extension/services';

/** `ARPO: New Run Configuration`: writes a commented file, with completion from its schema, and opens it. */
export function registerNewRunConfiguration({ log }: Services): vscode.Disposable {
  return registerCommand('arpo.newRunConfiguration', log, newRunConfiguration);
}

/** Asks for a name; an existing file is not touched. */
export async function newRunConfiguration(): Promise<void> {
  const { uri: folder } = requirePlace(undefined).workspaceFolder;
  const name = await vscode.window.showInputBox({
    prompt: vscode.l10n.t('Name of the configuration; its file is NAME.arpo.jsonc'),
    value: 'experiment',
    validateInput: problemOf,
  });
  if (name === undefined) return;
  const uri = vscode.Uri.joinPath(folder, `${name}.arpo.jsonc`);
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true, contents: new TextEncoder().encode(template(name)) });
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
}

function problemOf(name: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
    ? null
    : vscode.l10n.t('Expected 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit.');
}

/** Every other setting has its default; completion (Ctrl+Space) lists them. */
function template(name: string): string {
  return `// A run configuration of ARPO. What is left out has its default; completion lists every setting.
{
  "name": "${name}",
  // Equal seeds give equal runs.
  "seed": 0,
  "updates": 24,
  "task": { "name": "directory-hunt", "level": "B" },
  "rollout": {
    // Tasks sampled for one update; each becomes one tree.
    "groupsPerUpdate": 8,
    // paper, released, aepo, quantile, random, or none (GRPO).
    "branching": { "preset": "paper" },
  },
  "optimizer": { "learningRate": 3e-4 },
}
`;
}

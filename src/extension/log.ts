import * as vscode from 'vscode';
import type { CommandId } from '#extension/contributions';

/** The output channel *ARPO*; the user chooses its level. Whoever creates it disposes it. */
export function createLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('ARPO', { log: true });
}

/** `ARPO: Show Log`: opens the output channel, leaving the focus where it is. */
export function registerShowLog(log: vscode.LogOutputChannel): vscode.Disposable {
  const command: CommandId = 'arpo.showLog';
  return vscode.commands.registerCommand(command, () => log.show(true));
}

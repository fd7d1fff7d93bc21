import type * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import type { Services } from '#extension/services';

/** `ARPO: Stop Training`: ends the run; it can be resumed. */
export function registerStopTraining({ host, log }: Services): vscode.Disposable {
  return registerCommand('arpo.stopTraining', log, async () => await host.stop('stopped by the user'));
}

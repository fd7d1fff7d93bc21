import type * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import type { Services } from '#extension/services';

/** `ARPO: Pause Training`: waits after the update in progress, keeping everything in memory. */
export function registerPauseTraining({ host, log }: Services): vscode.Disposable {
  return registerCommand('arpo.pauseTraining', log, async () => await host.run?.pause());
}

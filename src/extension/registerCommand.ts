import * as vscode from 'vscode';
import type { CommandId } from '#extension/contributions';
import { AbortError } from '#protocol/peer';

/**
 * Registers a command of ours. What it throws is logged and shown with a way to the log; that the user
 * cancelled is neither.
 */
export function registerCommand(
  id: CommandId,
  log: vscode.LogOutputChannel,
  run: (argument: unknown) => Promise<void>,
): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (argument?: unknown) => {
    try {
      await run(argument);
    } catch (error) {
      if (!(error instanceof AbortError)) showError(error, log);
    }
  });
}

/** Logs an error with its code, and shows its message with *Show Log*. Does not wait for the user. */
export function showError(error: unknown, log: vscode.LogOutputChannel): void {
  const message = error instanceof Error ? error.message : String(error);
  log.error(describe(error));
  const showLog = vscode.l10n.t('Show Log');
  // The first line says what happened; the rest (a worker's last output) is in the log.
  const firstLine = message.split('\n', 1)[0] ?? message;
  void vscode.window.showErrorMessage(firstLine, showLog).then((chosen) => {
    if (chosen === showLog) log.show(true);
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  const remote = 'remoteStack' in error ? `\n${String(error.remoteStack)}` : '';
  return `${error.message}${code}\n${error.stack ?? ''}${remote}`;
}

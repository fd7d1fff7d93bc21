import * as vscode from 'vscode';
import type { ViewId } from '#extension/contributions';
import { createLog, registerShowLog } from '#extension/log';
import { registerOpenDocumentation } from '#extension/openDocumentation';

/**
 * Entry point for VS Code. Registers and returns: no file is read and no process started here, so
 * that VS Code's start stays fast whatever the folder holds.
 */
export function activate(context: vscode.ExtensionContext): void {
  const log = createLog();
  context.subscriptions.push(
    log,
    registerShowLog(log),
    registerOpenDocumentation(context.extensionUri, log),
    registerRunsView(),
  );
  log.info(`ARPO ${String(context.extension.packageJSON.version)} on VS Code ${vscode.version}`);
}

/** The view *Runs*. Without runs it has no items, and VS Code shows the welcome of package.json. */
function registerRunsView(): vscode.Disposable {
  const view: ViewId = 'arpo.runs';
  return vscode.window.registerTreeDataProvider<never>(view, {
    getChildren: () => [],
    getTreeItem: (run) => run,
  });
}

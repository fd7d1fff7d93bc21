import { join } from 'node:path';
import * as vscode from 'vscode';
import { registerNewRunConfiguration } from '#extension/commands/newRunConfiguration';
import {
  registerFollowNewestUpdate,
  registerOpenRolloutTree,
  registerOpenTaskTrees,
} from '#extension/commands/openRolloutTree';
import { registerOpenRunFolder, registerRefreshRuns } from '#extension/commands/openRunFolder';
import { registerOpenRunMetrics } from '#extension/commands/openRunMetrics';
import { registerPauseTraining } from '#extension/commands/pauseTraining';
import { offerInterruptedRun, registerResumeTraining } from '#extension/commands/resumeTraining';
import { registerShowEngines } from '#extension/commands/showEngines';
import { registerStopTraining } from '#extension/commands/stopTraining';
import { registerTrain } from '#extension/commands/train';
import { ContextKeys } from '#extension/contextKeys';
import { createLog, registerShowLog } from '#extension/log';
import { registerOpenDocumentation } from '#extension/openDocumentation';
import { MetricsPanels } from '#extension/panels/metricsPanels';
import { TreePanels } from '#extension/panels/treePanels';
import { RunCatalog } from '#extension/runCatalog';
import type { Services } from '#extension/services';
import { TrainingHost } from '#extension/trainingHost';
import { RunsTree } from '#extension/views/runsTree';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';

/** What tests inside VS Code may look at. Nothing else uses it. */
export interface ExtensionApi {
  readonly services: Services;
}

let host: TrainingHost | null = null;

/**
 * Entry point for VS Code. Registers and returns: no file is read and no process started here, so
 * that VS Code's start stays fast whatever the folder holds.
 */
export function activate(context: vscode.ExtensionContext): ExtensionApi {
  const services = createServices(context);
  host = services.host;
  context.subscriptions.push(
    registerShowLog(services.log),
    registerOpenDocumentation(context.extensionUri, services.log),
    ...commandsOf(services),
  );
  services.log.info(`ARPO ${String(context.extension.packageJSON.version)} on VS Code ${vscode.version}`);
  void offerInterruptedRun(services);
  return { services };
}

/** The window closes: the run is ended in order, so that the next one can go on with it. */
export async function deactivate(): Promise<void> {
  await host?.close();
}

function createServices(context: vscode.ExtensionContext): Services {
  const { extensionUri, extensionPath } = context;
  const log = createLog();
  const keys = new ContextKeys();
  const catalog = new RunCatalog(nodeFileSystem, nodeProcessTable);
  const places = {
    programFolder: join(extensionPath, 'dist'),
    builtinFolder: join(extensionPath, 'media', 'policies'),
    log: (line: string) => log.info(line),
  };
  const created = new TrainingHost({ memory: context.workspaceState, places, keys, log });
  const runsTree = new RunsTree({ catalog, host: created });
  const treePanels = new TreePanels({ extensionUri, catalog, host: created, log });
  const metricsPanels = new MetricsPanels({ extensionUri, catalog, host: created, log });
  context.subscriptions.push(log, runsTree, treePanels, metricsPanels);
  return { log, places, catalog, host: created, runsTree, treePanels, metricsPanels };
}

function commandsOf(services: Services): vscode.Disposable[] {
  return [
    registerFollowNewestUpdate(services),
    registerNewRunConfiguration(services),
    registerOpenRolloutTree(services),
    registerOpenRunFolder(services),
    registerOpenRunMetrics(services),
    registerOpenTaskTrees(services),
    registerPauseTraining(services),
    registerRefreshRuns(services),
    registerResumeTraining(services),
    registerShowEngines(services),
    registerStopTraining(services),
    registerTrain(services),
  ];
}

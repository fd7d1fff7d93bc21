import type * as vscode from 'vscode';
import type { MetricsPanels } from '#extension/panels/metricsPanels';
import type { TreePanels } from '#extension/panels/treePanels';
import type { RunCatalog } from '#extension/runCatalog';
import type { TrainingHost } from '#extension/trainingHost';
import type { TrainingPlaces } from '#extension/trainingRun';
import type { RunsTree } from '#extension/views/runsTree';

/** What commands work with. */
export interface Services {
  readonly log: vscode.LogOutputChannel;
  readonly places: TrainingPlaces;
  readonly catalog: RunCatalog;
  readonly host: TrainingHost;
  readonly runsTree: RunsTree;
  readonly treePanels: TreePanels;
  readonly metricsPanels: MetricsPanels;
}

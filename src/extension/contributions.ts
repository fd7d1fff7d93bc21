/**
 * The ids that package.json contributes, typed. Code uses these and never a literal; a test compares
 * them with package.json both ways. No `vscode` import here, so that any test can read them.
 */

/** The extension's own id: `publisher.name`. */
export const extensionId = 'arpo.arpo';

/** Every command of the extension; a command is registered under one of these only. */
export const commands = [
  'arpo.followNewestUpdate',
  'arpo.newRunConfiguration',
  'arpo.openDocumentation',
  'arpo.openRolloutTree',
  'arpo.openRunFolder',
  'arpo.openRunMetrics',
  'arpo.openTaskTrees',
  'arpo.pauseTraining',
  'arpo.refreshRuns',
  'arpo.resumeTraining',
  'arpo.showEngines',
  'arpo.showLog',
  'arpo.stopTraining',
  'arpo.train',
] as const;
export type CommandId = (typeof commands)[number];

/** Every view, each in the activity-bar container `arpo`. */
export const views = ['arpo.runs'] as const;
export type ViewId = (typeof views)[number];

/** The activity-bar container. */
export const viewContainer = 'arpo';

/** Every webview panel. */
export const panels = ['arpo.metrics', 'arpo.tree'] as const;
export type PanelId = (typeof panels)[number];

/** Every setting, as written in settings.json. */
export const settings = [
  'arpo.runs.folder',
  'arpo.training.openTree',
  'arpo.training.resumeAfterReload',
] as const satisfies readonly string[];
export type SettingId = (typeof settings)[number];

/** Every context key that `when` clauses may ask for. */
export const contextKeys = ['arpo.isPaused', 'arpo.isTraining'] as const;
export type ContextKey = (typeof contextKeys)[number];

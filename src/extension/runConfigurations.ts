import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { runsPlaces } from '#extension/settings';
import type { RunsPlace } from '#extension/settings';
import { formatProblems, parseRunConfig } from '#runs/configText';
import type { ConfigProblem } from '#runs/configText';
import type { RunConfig } from '#runs/runConfig';

/** The names that make a file a run configuration; package.json and its schema use the same. */
export const configurationPattern = '**/{*.arpo.jsonc,arpo.run.jsonc}';

/** A configuration, ready to be trained, and where its run goes. */
export interface ChosenConfiguration {
  readonly config: RunConfig;
  /** What its relative paths are relative to. */
  readonly baseFolder: string;
  readonly runsFolder: string;
}

/** Run configurations of the open folders, by path. */
export async function findRunConfigurations(): Promise<readonly vscode.Uri[]> {
  const files = await vscode.workspace.findFiles(configurationPattern, '**/node_modules/**', 200);
  return files
    .filter(({ scheme }) => scheme === 'file')
    .toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

/** Problems of run configurations, in the editor and in the Problems view. */
export class RunConfigurations {
  readonly #diagnostics = vscode.languages.createDiagnosticCollection('arpo');
  readonly #closed = vscode.workspace.onDidChangeTextDocument(({ document }) =>
    this.#diagnostics.delete(document.uri),
  );

  /** The built-in example. @throws Error when no folder is open that runs could be stored in. */
  builtIn(): ChosenConfiguration {
    const { workspaceFolder, runsFolder } = requirePlace(undefined);
    const parsed = parseRunConfig('{}', 'built-in example');
    if (parsed.config === null) throw new Error(formatProblems(parsed.problems));
    return { config: parsed.config, baseFolder: workspaceFolder.uri.fsPath, runsFolder };
  }

  /**
   * Reads a file, unsaved changes included.
   *
   * @throws Error with all problems, which are then also shown in the editor.
   */
  async read(uri: vscode.Uri): Promise<ChosenConfiguration> {
    const { runsFolder } = requirePlace(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    const name = vscode.workspace.asRelativePath(uri);
    const parsed = parseRunConfig(document.getText(), name);
    if (parsed.config === null) {
      this.#diagnostics.set(
        uri,
        parsed.problems.map((problem) => diagnosticOf(problem, document)),
      );
      await vscode.window.showTextDocument(document);
      throw new Error(
        vscode.l10n.t('{0} cannot be used: {1}', name, formatProblems(parsed.problems.slice(0, 1))),
      );
    }
    this.#diagnostics.delete(uri);
    return { config: parsed.config, baseFolder: dirname(uri.fsPath), runsFolder };
  }

  dispose(): void {
    this.#diagnostics.dispose();
    this.#closed.dispose();
  }
}

/** Where the runs of a file go; of the first open folder when none is given. */
export function requirePlace(uri: vscode.Uri | undefined): RunsPlace {
  const places = runsPlaces();
  const folder = uri === undefined ? undefined : vscode.workspace.getWorkspaceFolder(uri);
  const place =
    folder === undefined
      ? places[0]
      : places.find(({ workspaceFolder }) => workspaceFolder.index === folder.index);
  if (place !== undefined) return place;
  throw new Error(vscode.l10n.t('Open a folder on disk first (File: Open Folder…): runs are stored in it.'));
}

function diagnosticOf(problem: ConfigProblem, document: vscode.TextDocument): vscode.Diagnostic {
  const start = new vscode.Position((problem.line ?? 1) - 1, (problem.column ?? 1) - 1);
  const range =
    document.getWordRangeAtPosition(start, /"[^"]*"|[^\s,\]}]+/) ?? new vscode.Range(start, start);
  const text = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`;
  const diagnostic = new vscode.Diagnostic(range, text, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'ARPO';
  return diagnostic;
}

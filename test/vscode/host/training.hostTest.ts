import * as assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { extensionId } from '#extension/contributions';
import type { ExtensionApi } from '#extension/extension';
import type { Services } from '#extension/services';
import type { TrainingRun } from '#extension/trainingRun';
import { until } from './until';

const limitMs = 60_000;

describe('training in VS Code', function () {
  this.timeout(limitMs * 2);
  let services: Services;
  let folder: string;

  before(async () => {
    const extension = vscode.extensions.getExtension<ExtensionApi>(extensionId);
    assert.ok(extension);
    ({ services } = await extension.activate());
    const [workspace] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(workspace);
    folder = mkdtempSync(join(workspace.uri.fsPath, 'training-'));
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('arpo.stopTraining');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('trains a configuration to its end, with the tree open', async () => {
    const ended = await train({ updates: 2 });
    const { run } = ended;
    await until('the tree’s tab', () => openTabs('arpo.tree') === 1);
    assert.deepEqual((await ended.end).kind, 'finished');
    const entry = await services.catalog.entry(run.folder);
    assert.equal(entry.status, 'finished');
    assert.equal(entry.completedUpdates, 2);
    await processGone(run.processId);
  });

  it('lists the run, its updates and their groups', async () => {
    const [run] = await services.runsTree.getChildren();
    assert.ok(run);
    const updates = await services.runsTree.getChildren(run);
    assert.deepEqual(
      updates.map((update) => services.runsTree.getTreeItem(update).label),
      ['Update 2', 'Update 1'],
    );
    const [update] = updates;
    assert.ok(update);
    const groups = await services.runsTree.getChildren(update);
    assert.equal(groups.length, 2);
    for (const group of groups) {
      const { description, label } = services.runsTree.getTreeItem(group);
      assert.ok(typeof label === 'string' && label.endsWith('?'), JSON.stringify(label));
      assert.match(String(description), /^(all|[+−]\d\.\d\d …).* · \d+ branch(es)?$/);
    }
  });

  it('stops within a second, and goes on with the same run', async () => {
    const { run } = await train({ updates: 200 });
    await recorded(run, 'policyUpdated');
    const before = performance.now();
    await vscode.commands.executeCommand('arpo.stopTraining');
    const milliseconds = performance.now() - before;
    console.log(`    stopped after ${milliseconds.toFixed(0)} ms`);
    assert.ok(milliseconds < 3000, `stopping took ${milliseconds} ms`);
    await processGone(run.processId);
    const entry = await services.catalog.entry(run.folder);
    assert.equal(entry.status, 'stopped');
    await vscode.commands.executeCommand('arpo.resumeTraining', { kind: 'run', entry });
    assert.equal(services.host.run?.folder, run.folder);
  });

  it('pauses between two updates, and goes on', async () => {
    const { run } = await train({ updates: 200 });
    await vscode.commands.executeCommand('arpo.pauseTraining');
    await until('the pause', () => run.state === 'paused', limitMs);
    assert.equal((await services.catalog.entry(run.folder)).status, 'paused');
    await vscode.commands.executeCommand('arpo.resumeTraining');
    await recorded(run, 'updateStarted');
    assert.equal((await services.catalog.entry(run.folder)).status, 'running');
  });

  it('survives a worker that is killed', async () => {
    const { run, end } = await train({ updates: 200 });
    await recorded(run, 'groupScored');
    process.kill(run.processId, 'SIGKILL');
    assert.equal((await end).kind, 'failed');
    await until('the end', () => !services.host.isBusy);
    const entry = await services.catalog.entry(run.folder);
    assert.equal(entry.status, 'failed');
    await services.catalog.update(run.folder, 1);
    await vscode.commands.executeCommand('arpo.resumeTraining', { kind: 'run', entry });
    assert.ok(services.host.run);
    await recorded(services.host.run, 'nodesAdded');
  });

  it('shows every problem of a configuration where it is', async () => {
    const uri = write('broken', { updates: -1, rollout: { groupsPerUpdate: 'many' } });
    await vscode.commands.executeCommand('arpo.train', uri);
    const problems = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'ARPO');
    assert.equal(problems.length, 2);
    assert.equal(services.host.isBusy, false);
  });

  it('completes settings of a configuration from its schema', async () => {
    const uri = vscode.Uri.file(join(folder, 'fresh.arpo.jsonc'));
    writeFileSync(uri.fsPath, '{\n  "\n}\n');
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    let labels: string[] = [];
    await until('completions', () => {
      void vscode.commands
        .executeCommand<vscode.CompletionList>(
          'vscode.executeCompletionItemProvider',
          uri,
          new vscode.Position(1, 3),
        )
        .then(
          ({ items }) =>
            (labels = items.map(({ label }) => (typeof label === 'string' ? label : label.label))),
        );
      return labels.includes('updates') && labels.includes('rollout');
    });
  });

  it('a worker that cannot start says so, and leaves no run', async () => {
    const before = runFolders();
    await vscode.commands.executeCommand(
      'arpo.train',
      write('nowhere', { policy: { checkpoint: './nowhere' } }),
    );
    assert.equal(services.host.isBusy, false);
    assert.deepEqual(runFolders(), before);
  });

  function write(name: string, settings: object): vscode.Uri {
    const path = join(folder, `${name}.arpo.jsonc`);
    writeFileSync(path, JSON.stringify({ name, ...settings }, null, 2));
    return vscode.Uri.file(path);
  }

  async function train({
    updates,
  }: {
    updates: number;
  }): Promise<{ run: TrainingRun; end: TrainingRun['ended'] }> {
    const uri = write('short', {
      updates,
      rollout: { groupsPerUpdate: 2 },
      engine: { threads: 1, processes: 1 },
      optimizer: { minibatches: 1 },
      evaluation: { tasks: 2, every: 0, greedy: false },
    });
    await vscode.commands.executeCommand('arpo.train', uri);
    const { run } = services.host;
    assert.ok(run, readLog());
    return { run, end: run.ended };
  }

  function runFolders(): string[] {
    const [workspace] = vscode.workspace.workspaceFolders ?? [];
    return workspace === undefined ? [] : readdirSync(join(workspace.uri.fsPath, 'runs'));
  }
});

function readLog(): string {
  const log = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'output');
  return log?.getText() ?? 'no run was started';
}

function openTabs(viewType: string): number {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(viewType))
    .length;
}

async function recorded(run: TrainingRun, kind: string): Promise<void> {
  let isRecorded = false;
  const subscription = run.onRecorded.on((events) => {
    isRecorded ||= events.some((event) => event.kind === kind);
  });
  await until(`a recorded ${kind}`, () => isRecorded, limitMs);
  subscription.dispose();
}

/** Neither the worker nor its own processes are left. */
async function processGone(processId: number): Promise<void> {
  const isThere = (): boolean => {
    try {
      readFileSync(`/proc/${processId}/stat`);
      return true;
    } catch {
      return childrenOf(processId).length > 0;
    }
  };
  await until(`the end of process ${processId}`, () => !isThere(), 5000);
}

function childrenOf(processId: number): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [, parent] =
        readFileSync(join('/proc', name, 'stat'), 'utf8')
          .split(') ')[1]
          ?.split(' ') ?? [];
      return parent === String(processId);
    } catch {
      return false; // ended meanwhile
    }
  });
}

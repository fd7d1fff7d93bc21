import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { commands, extensionId, views } from '#extension/contributions';
import { recordCalls } from './callRecorder';
import { until } from './until';

/** Of processor time, which other programs change less than time. Ours is 50; a busy machine gets three times that. */
const activationBudgetMs = 150;

describe('the extension in its host', () => {
  const extension = vscode.extensions.getExtension(extensionId);
  assert.ok(extension, `${extensionId} is not installed`);

  it('stays inactive until it is needed', () => {
    assert.equal(extension.isActive, false);
  });

  it('activates fast and touches no file, process or socket', async () => {
    const bundle = vscode.Uri.joinPath(extension.extensionUri, 'dist', 'extension.js').fsPath;
    const usedBefore = process.cpuUsage();
    const started = performance.now();
    const calls = await recordCalls(bundle, async () => extension.activate());
    const milliseconds = performance.now() - started;
    const { user, system } = process.cpuUsage(usedBefore);
    const cpuMilliseconds = (user + system) / 1000;
    const own = await recordCalls(__filename, async () => existsSync(__filename));
    assert.deepEqual(own, ['node:fs.existsSync'], 'the recorder sees nothing');
    console.log(`    activation: ${milliseconds.toFixed(1)} ms, CPU ${cpuMilliseconds.toFixed(1)} ms`);
    assert.deepEqual(calls, []);
    assert.ok(cpuMilliseconds < activationBudgetMs, `activation took ${cpuMilliseconds} ms of CPU`);
  });

  it('registers exactly the commands it contributes', async () => {
    const all = await vscode.commands.getCommands(true);
    const madeByViews = new RegExp(`^(${views.join('|').replaceAll('.', '\\.')})\\.`);
    const own = all.filter((command) => command.startsWith('arpo.') && !madeByViews.test(command));
    assert.deepEqual(own.toSorted(), commands.toSorted());
  });

  it('opens its view', async () => {
    await vscode.commands.executeCommand(`${views[0]}.focus`);
  });

  it('shows the log, with its own and VS Code’s version', async () => {
    await vscode.commands.executeCommand('arpo.showLog');
    const version = String(extension.packageJSON.version);
    const first = `ARPO ${version} on VS Code ${vscode.version}`;
    await until(`an output document with "${first}"`, () =>
      vscode.workspace.textDocuments.some(
        (document) => document.uri.scheme === 'output' && document.getText().includes(first),
      ),
    );
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { projectFolder } from '../../../scripts/vscodeWeb.mjs';
import { packageUnderTest } from '../sharedWorkbench.mjs';
import { startWorkbench } from '../workbench.mjs';

describe('metrics in the window', function () {
  this.timeout(180_000);
  let workbench;
  before(async () => {
    workbench = await startWorkbench({ vsix: packageUnderTest() });
    for (const branching of ['paper', 'none']) await record(join(workbench.folder, 'runs'), branching);
  });
  after(() => workbench?.stop());

  it('palette → ARPO: Open Run Metrics → charts of the chosen run', async () => {
    await workbench.runCommand('ARPO: Open Run Metrics');
    await workbench.page.locator('.quick-input-list .monaco-list-row').first().click();
    const frame = await charts(workbench, 3);
    const reward = frame.locator('[data-chart=reward] .plot');
    assert.match(await reward.getAttribute('aria-valuetext'), /^latest: mean of trajectories −?\d/);
    await reward.focus();
    await workbench.page.keyboard.press('End');
    assert.match(await reward.getAttribute('aria-valuetext'), /^update 2: /);
    await workbench.screenshot('metrics-one-run');
  });

  it('compares it with another one', async () => {
    const frame = await charts(workbench, 3);
    await frame.getByRole('button', { name: 'Choose Runs…' }).click();
    const { page } = workbench;
    const rows = page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row');
    await rows.nth(1).click();
    await page.keyboard.press('Enter');
    const both = await charts(workbench, 6);
    assert.equal(await both.locator('.runs button').count(), 2);
    await workbench.screenshot('metrics-two-runs');
  });

  it('shows the same runs after a reload of the window', async () => {
    // A browser’s VS Code writes what is open every few seconds only.
    await workbench.page.waitForTimeout(8_000);
    await workbench.page.reload();
    await workbench.page.waitForSelector('.monaco-workbench .part.statusbar', { timeout: 60_000 });
    const frame = await charts(workbench, 6);
    assert.equal(await frame.locator('.runs button').count(), 2);
  });
});

/** Two updates of the example: rows for the state before them and for each. */
async function record(runsFolder, branching) {
  const options = ['--updates', '2', '--branching', branching, '--out', runsFolder];
  const settings = ['--set', 'evaluation.tasks=4', '--set', 'rollout.groupsPerUpdate=4'];
  const program = join(projectFolder, 'dist', 'cli.js');
  await promisify(execFile)(process.execPath, [program, 'train', ...options, ...settings]);
}

function charts(workbench, rows) {
  return workbench.webviewFrame(`.view[data-rows="${rows}"]`, 60_000);
}

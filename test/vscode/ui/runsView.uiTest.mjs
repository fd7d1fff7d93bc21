import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { sharedWorkbench } from '../sharedWorkbench.mjs';
import { themes } from '../workbench.mjs';

describe('the view Runs', () => {
  let workbench;
  before(async () => {
    workbench = await sharedWorkbench();
  });
  after(() => workbench.runCommand('View: Close All Editors'));

  it('welcomes a folder without runs', async () => {
    await workbench.openContainer('ARPO');
    await workbench.sideBar.getByText('No run has been recorded in this folder yet.').waitFor();
  });

  it('leads to the documentation', async () => {
    await workbench.sideBar.getByRole('button', { name: 'Open Documentation' }).click();
    const frame = await workbench.webviewFrame('.markdown-body');
    await frame.getByRole('heading', { level: 1 }).first().waitFor();
  });

  it('shows the log from the palette', async () => {
    await workbench.runCommand('ARPO: Show Log');
    // \s, because the editor writes no-break spaces
    const panel = workbench.page.locator('.part.panel');
    await panel
      .getByText(/ARPO\s\d+\.\d+\.\d+\son\sVS\sCode/)
      .first()
      .waitFor();
    await workbench.runCommand('View: Hide Panel');
  });

  it('can be seen in every built-in theme', async () => {
    const files = await workbench.screenshotInThemes('runs-view');
    assert.equal(files.length, Object.keys(themes).length);
    assert.equal(new Set(files.map((file) => statSync(file).size)).size, files.length, 'the pictures differ');
  });
});

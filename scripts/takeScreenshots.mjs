// Pictures for the documents, taken in a real VS Code with the packaged extension installed.
//
//   node scripts/takeScreenshots.mjs [--scene NAME] [--themes]
//
// Writes out/screenshots/NAME.png in Dark Modern; with --themes one file per built-in theme. A new picture
// is a new entry of `scenes`.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorkbench } from '../test/vscode/workbench.mjs';
import { build, packageExtension } from './packageExtension.mjs';
import { setupVscodeWeb } from './setupVscodeWeb.mjs';
import { cacheFolder } from './vscodeWeb.mjs';

/** Name of the picture → what to do before it is taken. */
const scenes = {
  'runs-view': async (workbench) => {
    await workbench.openContainer('ARPO');
    await workbench.sideBar.getByText('No run has been recorded').waitFor();
  },
  'run-configuration': async (workbench) => {
    await workbench.openFile('arpo.run.jsonc');
  },
  'rollout-tree': async (workbench) => {
    await trainQuick(workbench);
    const { sideBar } = workbench;
    await unfold(sideBar.locator('.monaco-list-row', { hasText: 'finished' }).first());
    await unfold(sideBar.locator('.monaco-list-row', { hasText: 'Update 2' }).first());
    const group = sideBar.locator('.monaco-list-row[aria-level="3"]').nth(1);
    await group.click();
    await workbench.webviewFrame('[data-nodes]:not([data-nodes="0"])');
    await selectBranchingStep(workbench);
  },
  metrics: async (workbench) => {
    if ((await workbench.sideBar.getByText('finished').count()) === 0) await trainQuick(workbench);
    await workbench.runCommand('ARPO: Open Run Metrics');
    await workbench.webviewFrame('canvas');
    await workbench.clearNotifications();
    await workbench.runCommand('View: Close Primary Side Bar');
    await workbench.page.waitForTimeout(1500);
  },
};

/** Updates of the pictured run: enough for trees with branches, and for curves. */
const pictured = { name: 'quick', updates: 8, evaluation: { every: 2 } };

async function trainQuick(workbench) {
  await workbench.openContainer('ARPO');
  writeFileSync(join(workbench.folder, 'pictured.arpo.jsonc'), JSON.stringify(pictured));
  await workbench.runCommand('ARPO: Train');
  await workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: 'pictured' }).first().click();
  const limitMs = 240_000;
  await workbench.sideBar
    .getByText(/finished/)
    .first()
    .waitFor({ timeout: limitMs });
}

async function unfold(row) {
  await row.waitFor();
  if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
}

/** Selects the prompt and walks to the step where trajectories branch, so that the pane shows a decision. */
async function selectBranchingStep(workbench) {
  await workbench.clearNotifications();
  await workbench.runCommand('View: Close Primary Side Bar');
  await workbench.page.waitForTimeout(500);
  // Looked up again: the panel may be laid out anew beside a closed side bar.
  const frame = await workbench.webviewFrame('[data-nodes]:not([data-nodes="0"])');
  await frame
    .locator('.stage')
    .first()
    .click({ position: { x: 60, y: 60 } });
  for (let step = 0; step < 4; step += 1) await workbench.page.keyboard.press('ArrowRight');
  await workbench.page.waitForTimeout(800);
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({ options: { scene: { type: 'string' }, themes: { type: 'boolean' } } });
  const names = values.scene === undefined ? Object.keys(scenes) : [values.scene];
  const unknown = names.find((name) => !(name in scenes));
  if (unknown !== undefined) {
    throw new Error(`There is no scene "${unknown}"; there are: ${Object.keys(scenes).join(', ')}.`);
  }
  await setupVscodeWeb();
  const vsix = await packageForPictures();
  const workbench = await startWorkbench({ vsix });
  try {
    for (const name of names) {
      await scenes[name](workbench);
      for (const file of await picture(workbench, name, values.themes === true)) console.log(file);
    }
  } finally {
    await workbench.stop();
    rmSync(vsix);
  }
}

async function packageForPictures() {
  mkdirSync(cacheFolder, { recursive: true });
  build(['--production']);
  return packageExtension({ file: join(cacheFolder, `pictured-${process.pid}.vsix`) });
}

async function picture(workbench, name, inEveryTheme) {
  if (inEveryTheme) return workbench.screenshotInThemes(name);
  await workbench.setTheme('darkModern');
  return [await workbench.screenshot(name)];
}

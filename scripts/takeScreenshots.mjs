// Pictures for the documents, taken in a real VS Code with the packaged extension installed.
//
//   node scripts/takeScreenshots.mjs [--scene NAME] [--themes]
//
// Writes out/screenshots/NAME.png in Dark Modern; with --themes one file per built-in theme. A new picture
// is a new entry of `scenes`.
import { mkdirSync, rmSync } from 'node:fs';
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
};

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

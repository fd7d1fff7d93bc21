// npm start [-- FOLDER]: opens the extension in VS Code, with examples/workspace or the folder given.
// In the desktop VS Code where `code` and a display are there; else in the browser: a VS Code server is set
// up, the extension packaged and installed into it. START_IN=browser chooses the latter, PORT its port.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, packageExtension } from './packageExtension.mjs';
import { setupVscodeWeb } from './setupVscodeWeb.mjs';
import {
  cacheFolder,
  exampleFolder,
  findFreePort,
  installVsix,
  projectFolder,
  startServer,
} from './vscodeWeb.mjs';

const isWindows = process.platform === 'win32';
const hasDisplay =
  process.platform !== 'linux' ||
  process.env.DISPLAY !== undefined ||
  process.env.WAYLAND_DISPLAY !== undefined;
const folder = process.argv[2] === undefined ? exampleFolder : resolve(process.argv[2]);

try {
  const code = findDesktopCode();
  await (code === undefined ? startInBrowser() : startOnDesktop(code));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** The command of a desktop VS Code; in a remote window `code` would be another program. */
function findDesktopCode() {
  const isRemote = process.env.VSCODE_IPC_HOOK_CLI !== undefined;
  if (process.env.START_IN === 'browser' || isRemote || !hasDisplay) return undefined;
  const isThere = (name) =>
    spawnSync(name, ['--version'], { shell: isWindows, stdio: 'ignore' }).status === 0;
  return ['code', 'code-insiders', 'codium'].find(isThere);
}

/** A window with the extension from its source folder, and settings and extensions of its own. */
function startOnDesktop(code) {
  build();
  const dataFolder = join(cacheFolder, 'desktop');
  const result = spawnSync(
    code,
    [
      '--new-window',
      `--extensionDevelopmentPath=${projectFolder}`,
      `--user-data-dir=${join(dataFolder, 'data')}`,
      `--extensions-dir=${join(dataFolder, 'extensions')}`,
      folder,
    ],
    { shell: isWindows, stdio: 'inherit' },
  );
  if (result.status !== 0)
    throw new Error(`${code} ended with ${result.status}. START_IN=browser avoids it.`);
}

/** The packaged extension in a VS Code server; settings are kept between starts. */
async function startInBrowser() {
  const port = await findFreePort(Number(process.env.PORT ?? 8088)); // asked first, it may fail
  await setupVscodeWeb();
  const dataFolder = join(cacheFolder, 'browser');
  mkdirSync(dataFolder, { recursive: true });
  build(['--production']);
  installVsix(await packageExtension({ file: join(dataFolder, 'arpo.vsix') }), dataFolder);
  const server = await startServer({ dataFolder, port });
  const url = `${server.origin}/?${new URLSearchParams({ folder })}`;
  console.log(`\n  VS Code with ARPO is running:\n\n    ${url}\n\n  Ctrl+C ends it.\n`);
  openInBrowser(url);
}

/** Opens the page where there is a screen to show it; the address was printed in any case. */
function openInBrowser(url) {
  if (!hasDisplay || process.env.NO_OPEN !== undefined) return;
  const openers = { win32: ['cmd', '/c', 'start', ''], darwin: ['open'] };
  const [command, ...words] = openers[process.platform] ?? ['xdg-open'];
  const opener = spawn(command, [...words, url], { stdio: 'ignore', detached: true });
  opener.on('error', (error) => console.error(`Could not open a browser (${error.message}).`));
  opener.unref();
}

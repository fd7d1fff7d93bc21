// npm run test:vscode: the extension in a real VS Code.
//   1. tests inside the extension host (test/vscode/host), through @vscode/test-electron: in the desktop VS
//      Code where there is one, else in the VS Code of setupVscodeWeb.mjs
//   2. tests of the window (test/vscode/ui), with the packaged extension installed
// `-- --host` or `-- --ui` runs one of the two, `-- --grep TEXT` only tests with that name.
import { runTests } from '@vscode/test-electron';
import { build as bundle, stop as stopBundler } from 'esbuild';
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import Mocha from 'mocha';
import { pictureFailure, stopSharedWorkbench } from '../test/vscode/sharedWorkbench.mjs';
import { build } from './packageExtension.mjs';
import { setupVscodeWeb } from './setupVscodeWeb.mjs';
import { exampleFolder, projectFolder } from './vscodeWeb.mjs';

const options = readOptions();
/** Set in the process that runs failed suites of the window a second time. */
const isSecondTry = process.env.ARPO_TEST_SECOND_TRY === 'yes';
// Per process, so that two runs at once do not meet.
const hostTestsOut = join(projectFolder, 'out', `hostTests-${process.pid}`); // beside node_modules, for mocha
const runFolder = mkdtempSync(join(tmpdir(), 'arpo-'));
const packageFile = join(runFolder, 'arpo.vsix');
const started = Date.now();
/** Every process started from here inherits it, so that one left behind is found. */
const runMarker = randomUUID();
process.env.ARPO_TEST_RUN = runMarker;
process.env.TMPDIR = runFolder; // temporary files of all of them go there, and with it
if (options.grep !== undefined) process.env.ARPO_TEST_GREP = options.grep;
process.once('SIGTERM', () => process.exit(143));
process.once('exit', leaveNothing);

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  await setupVscodeWeb();
  report('VS Code is set up');
  build(options.ui ? ['--production'] : []);
  await bundleHostTests();
  report('built');
  const packaged = options.ui ? packageForTests() : Promise.resolve('');
  const hostPassed = options.host ? (await runHostTests()) || (!isSecondTry && (await runHostTests())) : true;
  if (options.ui) report(`packaged ${await packaged}`);
  const failedSuites = options.ui ? await runUiTests() : [];
  const uiPassed = failedSuites.length === 0 || (!isSecondTry && runAgain(failedSuites));
  const left = findProcessesLeft();
  if (left.length > 0) {
    console.error(
      `Processes left behind:\n${left.map(({ pid, command }) => `${pid} ${command}`).join('\n')}`,
    );
  }
  const passed = hostPassed && uiPassed && left.length === 0;
  report(passed ? 'all passed' : 'FAILED');
  process.exitCode = passed ? 0 : 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: { host: { type: 'boolean' }, ui: { type: 'boolean' }, grep: { type: 'string' } },
  });
  const isEverything = values.host === values.ui;
  return {
    host: isEverything || values.host === true,
    ui: isEverything || values.ui === true,
    mochaOptions: values.grep === undefined ? {} : { grep: values.grep },
    grep: values.grep,
  };
}

function report(what) {
  console.log(`\n# ${what} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

async function bundleHostTests() {
  const folder = join(projectFolder, 'test', 'vscode', 'host');
  const tests = readdirSync(folder).filter((file) => file.endsWith('.hostTest.ts'));
  rmSync(hostTestsOut, { recursive: true, force: true });
  await bundle({
    absWorkingDir: projectFolder,
    entryPoints: ['suite.ts', ...tests].map((file) => join(folder, file)),
    outdir: hostTestsOut,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2023',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  await stopBundler();
}

/** Packages in a process of its own, beside the in-host tests; its output is shown when it fails. */
async function packageForTests() {
  const script = join(projectFolder, 'scripts', 'packageExtension.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    '--no-build',
    '--out',
    packageFile,
  ]);
  process.env.ARPO_VSIX = packageFile;
  return stdout.trimEnd().split('\n').at(-1);
}

async function runHostTests() {
  const desktop = findDesktop();
  report(`in-host tests, in ${desktop ?? 'VS Code server + Chromium'}`);
  const workspace = join(runFolder, 'workspace'); // a copy: tests may write into it
  cpSync(exampleFolder, workspace, { recursive: true });
  try {
    await runTests({
      vscodeExecutablePath: desktop ?? join(projectFolder, 'scripts', 'codeWeb.mjs'),
      extensionDevelopmentPath: projectFolder,
      extensionTestsPath: join(hostTestsOut, 'suite.js'),
      launchArgs: [
        workspace,
        `--user-data-dir=${join(runFolder, 'data')}`,
        `--extensions-dir=${join(runFolder, 'extensions')}`,
      ],
    });
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

/** The desktop VS Code: VSCODE_EXECUTABLE, or where installers put it; none without a display. */
function findDesktop() {
  if (process.env.VSCODE_EXECUTABLE !== undefined) return process.env.VSCODE_EXECUTABLE;
  const hasDisplay = process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined;
  if (process.platform === 'linux' && !hasDisplay) return undefined;
  const candidates = [
    '/usr/share/code/code',
    '/Applications/Visual Studio Code.app/Contents/MacOS/Electron',
    join(process.env.LOCALAPPDATA ?? '', 'Programs', 'Microsoft VS Code', 'Code.exe'),
  ];
  return candidates.find((file) => existsSync(file));
}

/** @returns The titles of the suites that failed. */
async function runUiTests() {
  report('tests of the window');
  const folder = join(projectFolder, 'test', 'vscode', 'ui');
  const mocha = new Mocha({ timeout: 60_000, ...options.mochaOptions });
  for (const file of readdirSync(folder)) if (file.endsWith('.uiTest.mjs')) mocha.addFile(join(folder, file));
  mocha.rootHooks({
    async afterEach() {
      if (this.currentTest.state !== 'failed') return;
      console.log(`      picture: ${await pictureFailure(this.currentTest.fullTitle())}`);
    },
  });
  await mocha.loadFilesAsync();
  const failed = new Set();
  try {
    const runner = mocha.run();
    runner.on('fail', (test) => failed.add(topSuite(test).title));
    await new Promise((resolve) => runner.once('end', resolve));
  } finally {
    await stopSharedWorkbench();
  }
  return [...failed];
}

function topSuite(test) {
  let suite = test.parent;
  while (suite.parent !== undefined && !suite.parent.root) suite = suite.parent;
  return suite;
}

/**
 * A window driven from outside can miss a key on a busy machine, so a suite that failed is run once more, in
 * a window and process of its own. What fails twice has failed; the first failure stays in the output.
 */
function runAgain(suites) {
  return suites.every((title) => {
    report(`once more: ${title}`);
    const grep = `^${title.replaceAll(/[^\w\s]/g, '.')} `;
    const words = [join(projectFolder, 'scripts', 'testIntegration.mjs'), '--ui', '--grep', grep];
    const env = { ...process.env, ARPO_TEST_SECOND_TRY: 'yes', TMPDIR: runFolder };
    return spawnSync(process.execPath, words, { stdio: 'inherit', env }).status === 0;
  });
}

/** The processes that carry this run's marker, this one left out (Linux). */
function findProcessesLeft() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readProcessFile(name, 'environ').includes(`ARPO_TEST_RUN=${runMarker}`))
    .map((name) => ({
      pid: Number(name),
      command: readProcessFile(name, 'cmdline').replaceAll('\0', ' '),
    }));
}

/** Also when the run is broken off: ends what is left, then removes what was made. */
function leaveNothing() {
  for (let left = findProcessesLeft(); left.length > 0; left = findProcessesLeft()) {
    for (const { pid } of left) endProcess(pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // while dying they still write files
  }
  for (const folder of [runFolder, hostTestsOut]) rmSync(folder, { recursive: true, force: true });
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ESRCH: ended meanwhile
  }
}

/** Empty for a process that ended meanwhile or belongs to someone else. */
function readProcessFile(pid, name) {
  try {
    return readFileSync(join('/proc', pid, name), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return '';
    throw error;
  }
}

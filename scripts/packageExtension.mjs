// Builds the extension for production and packages it: arpo-<platform>-<version>.vsix.
//
//   npm run package                          for this platform
//   npm run package -- --target linux-arm64  for another (any can be packaged anywhere)
//   npm run package -- --out FILE            elsewhere
//   npm run package -- --no-build            what dist holds already
//   npm run package -- --list                only the names of the files, as JSON
//
// A VSIX is per platform because the worker needs ONNX Runtime's native library. The installed package
// brings those of all platforms (290 MB); a VSIX gets one platform's.
import { createVSIX, listFiles, PackageManager } from '@vscode/vsce';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkBundles } from './checkBundle.mjs';
import { projectFolder } from './vscodeWeb.mjs';

const binaries = 'node_modules/onnxruntime-node/bin/napi-v6';
/** VS Code's platform names → the files of ONNX Runtime that are loaded there. */
const targets = {
  'linux-x64': [`${binaries}/linux/x64/*`],
  'linux-arm64': [`${binaries}/linux/arm64/*`],
  'win32-x64': [`${binaries}/win32/x64/*`],
  'win32-arm64': [`${binaries}/win32/arm64/*`],
  // The package holds this library twice, under two names; the binding asks for the short one.
  'darwin-arm64': [
    `${binaries}/darwin/arm64/onnxruntime_binding.node`,
    `${binaries}/darwin/arm64/libonnxruntime.1.dylib`,
  ],
};
const currentTarget = `${process.platform}-${process.arch}`;

/** The files of a VSIX for the target, as `vsce ls` names them. */
function listPackagedFiles(target) {
  return listFiles({
    cwd: projectFolder,
    packageManager: PackageManager.Npm,
    ignoreFile: writeIgnoreFile(target),
  });
}

/** Packages what `build(['--production'])` left in dist, and returns the VSIX file. */
export async function packageExtension({ target = currentTarget, file } = {}) {
  const ignoreFile = writeIgnoreFile(target);
  const { name, version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  const packagePath = file ?? join(projectFolder, `${name}-${target}-${version}.vsix`);
  await createVSIX({
    cwd: projectFolder,
    packagePath,
    target,
    ignoreFile,
    useYarn: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  return packagePath;
}

/** Bundles everything into dist. */
export function build(flags = []) {
  const result = spawnSync(process.execPath, [join('scripts', 'build.mjs'), '--quiet', ...flags], {
    cwd: projectFolder,
    stdio: 'inherit',
  });
  if (result.status !== 0) throw new Error('The build failed; see above.');
}

/** .vscodeignore plus the binaries of the target: vsce reads one file only. */
function writeIgnoreFile(target) {
  const files = targets[target];
  if (files === undefined) {
    throw new Error(
      `There is no package for "${target}": ONNX Runtime has no binaries for it. ` +
        `Possible targets: ${Object.keys(targets).join(', ')}.`,
    );
  }
  const folder = join(projectFolder, 'out');
  mkdirSync(folder, { recursive: true });
  const ignoreFile = join(folder, `vscodeignore-${target}`);
  const common = readFileSync(join(projectFolder, '.vscodeignore'), 'utf8');
  writeFileSync(ignoreFile, `${common}\n${files.map((pattern) => `!${pattern}`).join('\n')}\n`);
  return ignoreFile;
}

async function main() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      out: { type: 'string' },
      'no-build': { type: 'boolean' },
      list: { type: 'boolean' },
    },
  });
  const target = values.target ?? currentTarget;
  if (values.list === true) {
    console.log(JSON.stringify(await listPackagedFiles(target), null, 2));
    return;
  }
  if (values['no-build'] !== true) build(['--production']);
  await checkBundles();
  const file = await packageExtension({ target, file: values.out });
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB for ${target}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

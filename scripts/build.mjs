// Bundles every entry point with esbuild. `--quiet` prints errors only, `--watch` rebuilds.
import { context } from 'esbuild';
import { existsSync } from 'node:fs';

const quiet = process.argv.includes('--quiet');
const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const common = {
  bundle: true,
  outdir: 'dist',
  target: 'es2023',
  // jsonc-parser's `main` is UMD, whose inner requires a bundler cannot follow.
  mainFields: ['module', 'main'],
  minify: production,
  sourcemap: production ? false : 'linked',
  logLevel: quiet ? 'error' : 'warning',
};
/** Native or self-loading packages stay outside; they are resolved from node_modules at run time. */
const external = ['vscode', 'onnxruntime-node', 'pyodide', '@tensorflow/tfjs-node-gpu'];
const nodeEntries = {
  cli: 'src/cli/main.ts',
  rollout: 'src/worker/rolloutProcess.ts',
  pyodideThread: 'src/worker/pyodideThread.ts',
  worker: 'src/worker/main.ts',
  extension: 'src/extension/extension.ts',
  bench: 'bench/main.ts',
};
const webEntries = { 'webview/tree': 'webview/tree/main.ts', 'webview/metrics': 'webview/metrics/main.ts' };
const present = (entries) =>
  Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));

const builds = [
  { ...common, entryPoints: present(nodeEntries), platform: 'node', format: 'cjs', external },
  { ...common, entryPoints: present(webEntries), platform: 'browser', format: 'iife' },
].filter(({ entryPoints }) => Object.keys(entryPoints).length > 0);

for (const options of builds) {
  const build = await context(options);
  if (watch) {
    await build.watch();
  } else {
    await build.rebuild();
    await build.dispose();
  }
}
if (!quiet)
  console.log(watch ? 'watching' : `built ${builds.flatMap((b) => Object.keys(b.entryPoints)).join(', ')}`);

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** In every package for linux-x64. */
const always = [
  'LICENSE',
  'media/arpo.svg',
  'media/icon.png',
  'media/walkthroughConfigure.svg',
  'media/walkthroughMetrics.svg',
  'media/walkthroughTrain.svg',
  'media/walkthroughTree.svg',
  'media/policies/directory-hunt/config.json',
  'media/policies/directory-hunt/generation_config.json',
  'media/policies/directory-hunt/model.safetensors',
  'media/policies/directory-hunt/tokenizer.json',
  'media/policies/directory-hunt/tokenizer_config.json',
  'package.json',
  'package.nls.json',
  'node_modules/onnxruntime-common/dist/cjs/index.js',
  'node_modules/onnxruntime-common/dist/cjs/package.json',
  'node_modules/onnxruntime-common/package.json',
  'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1',
  'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node',
  'node_modules/onnxruntime-node/dist/backend.js',
  'node_modules/onnxruntime-node/dist/binding.js',
  'node_modules/onnxruntime-node/dist/index.js',
  'node_modules/onnxruntime-node/dist/version.js',
  'node_modules/onnxruntime-node/package.json',
  'node_modules/pyodide/package.json',
  'node_modules/pyodide/pyodide-lock.json',
  'node_modules/pyodide/pyodide.asm.mjs',
  'node_modules/pyodide/pyodide.asm.wasm',
  'node_modules/pyodide/pyodide.js',
  'node_modules/pyodide/pyodide.mjs',
  'node_modules/pyodide/python_stdlib.zip',
];
/** Also allowed: the pictures of the README, bundles (there after a build), documents, schemas, and the rest of one package. */
const allowed =
  /^(media\/(rollout-tree|run-metrics)\.png|dist\/(extension|worker|rollout|pyodideThread)\.js|dist\/webview\/\w+\.(js|css)|(README|CHANGELOG)\.md|schemas\/[\w.-]+\.json|node_modules\/onnxruntime-common\/dist\/cjs\/[\w-]+\.js)$/;

test('a package holds what is listed here and nothing else', () => {
  const args = ['scripts/packageExtension.mjs', '--list', '--target', 'linux-x64'];
  const output: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  const files = z.array(z.string()).parse(output);
  expect(always.filter((file) => !files.includes(file))).toEqual([]);
  expect(files.filter((file) => !always.includes(file) && !allowed.test(file))).toEqual([]);
});

test('a platform without native binaries is refused, with the ones that have some', () => {
  const args = ['scripts/packageExtension.mjs', '--list', '--target', 'darwin-x64'];
  const run = () => execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' });
  expect(run).toThrow(/no package for "darwin-x64".*linux-x64/);
});

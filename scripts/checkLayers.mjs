// Checks the layer table of docs/architecture.md on every import statement of src and webview
// (type imports included, which bundles no longer show) and that value imports form no cycle.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const nodeLayers = new Set(['platform', 'engine', 'worker', 'cli', 'extension', 'debug']);
const allowed = {
  base: [],
  arpo: ['base'],
  environment: ['base', 'arpo'],
  runs: ['base', 'arpo'],
  protocol: ['base', 'arpo', 'runs'],
  engine: ['base', 'arpo'],
  platform: ['base', 'arpo', 'environment', 'protocol', 'runs'],
  training: ['base', 'arpo', 'environment', 'engine', 'runs'],
  worker: ['base', 'arpo', 'environment', 'engine', 'platform', 'protocol', 'runs', 'training'],
  cli: ['base', 'arpo', 'environment', 'engine', 'platform', 'protocol', 'runs', 'training', 'worker'],
  debug: ['base', 'arpo', 'runs'],
  extension: ['base', 'arpo', 'debug', 'platform', 'protocol', 'runs'],
  webview: ['base', 'arpo', 'protocol'],
};
/** Packages that only some layers may import; any other package is allowed where Node is. */
const packages = {
  vscode: ['extension'],
  'onnxruntime-node': ['engine'],
  'onnxruntime-common': ['engine'],
  '@tensorflow/tfjs': ['engine'],
  '@tensorflow/tfjs-core': ['engine'],
  '@tensorflow/tfjs-node-gpu': ['engine'],
  '@huggingface/tokenizers': ['engine'],
  pbf: ['engine'],
  pyodide: ['worker'],
  minisearch: ['environment'],
  zod: ['engine'],
  'jsonc-parser': ['runs', 'extension'],
  '@vscode/debugadapter': ['debug'],
  '@vscode/debugprotocol': ['debug', 'extension'],
  '@vscode/webview-ui-toolkit': ['webview'],
};

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/g;

const files = ['src', 'webview'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).split(sep).join('/')),
);
const layerOf = (file) => (file.startsWith('webview/') ? 'webview' : file.split('/')[1]);

const errors = [];
const valueImports = new Map();
for (const file of files) {
  const layer = layerOf(file);
  if (!(layer in allowed)) errors.push(`${file}: layer "${layer}" is not in the table`);
  for (const [, typeOnly, fromPath, dynamicPath] of readFileSync(file, 'utf8').matchAll(importPattern)) {
    const specifier = fromPath ?? dynamicPath;
    const target = resolve(specifier);
    const problem = check({ file, layer, specifier, target });
    if (problem !== null) errors.push(`${file}: ${problem}`);
    if (target !== null && typeOnly === undefined) {
      valueImports.set(file, [...(valueImports.get(file) ?? []), target]);
    }
  }
}
errors.push(...findCycles());
console.log(errors.length > 0 ? errors.join('\n') : `layers ok (${files.length} files)`);
process.exitCode = errors.length > 0 ? 1 : 0;

/** The source file behind a `#layer/module` import, or null for a package. */
function resolve(specifier) {
  return specifier.startsWith('#') ? `src/${specifier.slice(1)}.ts` : null;
}

function check({ layer, specifier, target }) {
  if (specifier.startsWith('.')) {
    const leaves = layer !== 'webview' || relative('webview', join('webview', specifier)).startsWith('../..');
    return leaves ? `imports ${specifier}: write #layer/module` : null;
  }
  if (target !== null) {
    const to = layerOf(target);
    return to === layer || allowed[layer]?.includes(to) ? null : `${layer} may not import ${specifier}`;
  }
  if (specifier.startsWith('node:')) {
    return nodeLayers.has(layer) ? null : `${layer} is pure and may not import ${specifier}`;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name in packages) return packages[name].includes(layer) ? null : `${layer} may not import ${name}`;
  return nodeLayers.has(layer) || layer === 'webview' ? null : `${layer} is pure and may not import ${name}`;
}

function findCycles() {
  const state = new Map();
  const cycles = [];
  const visit = (file, path) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    state.set(file, 'open');
    for (const next of valueImports.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of valueImports.keys()) visit(file, []);
  return cycles;
}

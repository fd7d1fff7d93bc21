// Checks what VS Code has to load: the extension host's bundle and each webview's, minified as they are
// packaged. Budgets in bytes; and no tensor library, native module or layer that brings one.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectFolder } from './vscodeWeb.mjs';

const budget = 300_000;
const bundles = [
  { entry: 'src/extension/extension.ts', platform: 'node', format: 'cjs', external: ['vscode'] },
  { entry: 'webview/tree/main.ts', platform: 'browser', format: 'iife', external: [] },
  { entry: 'webview/metrics/main.ts', platform: 'browser', format: 'iife', external: [] },
];
/** Belongs into the worker process only: tensor libraries, and our layers that use them. */
const forbidden =
  /node_modules\/(onnxruntime-|@tensorflow\/|@huggingface\/|pyodide\/)|^src\/(engine|training|worker|cli)\//;

/** Bundles in memory and throws an error that lists every broken rule. Returns one line per bundle. */
export async function checkBundles() {
  const present = bundles.filter(({ entry }) => existsSync(join(projectFolder, entry)));
  const results = await Promise.all(present.map(checkBundle));
  const problems = results.flatMap((result) => result.problems);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return results.map((result) => result.line);
}

async function checkBundle({ entry, ...options }) {
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: projectFolder,
    entryPoints: [entry],
    outdir: 'dist',
    bundle: true,
    minify: true,
    target: 'es2023',
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const bytes = outputFiles.find(({ path }) => path.endsWith('.js')).contents.length;
  const problems = Object.keys(metafile.inputs)
    .filter((file) => forbidden.test(file))
    .map((file) => `${entry} bundles ${file}, which belongs into the worker process`);
  if (bytes > budget) {
    problems.push(`${entry} has ${bytes} bytes minified; the budget is ${budget}. ${largest(metafile)}`);
  }
  return { problems, line: `${entry}: ${(bytes / 1000).toFixed(1)} KB of ${budget / 1000} KB` };
}

/** The five inputs that cost most, so that the message says where to look. */
function largest(metafile) {
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
  return Object.entries(output.inputs)
    .toSorted(([, first], [, second]) => second.bytesInOutput - first.bytesInOutput)
    .slice(0, 5)
    .map(([file, { bytesInOutput }]) => `${file} ${bytesInOutput}`)
    .join(', ');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log((await checkBundles()).join('\n'));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { nodeForVscode } from '../../../scripts/vscodeWeb.mjs';
import { sharedWorkbench } from '../sharedWorkbench.mjs';

/** What the worker does first, in the Node of the extension host and in the folder of the bundles. */
const loadRuntime = `
  const { createRequire } = require('node:module');
  const load = createRequire(process.argv[1] + '/dist/worker.js');
  const backends = load('onnxruntime-node').listSupportedBackends().map(({ name }) => name);
  load('pyodide').loadPyodide().then((python) =>
    console.log(JSON.stringify({ backends, answer: python.runPython('6 * 7') })));`;

/** Bytes, unpacked, of all but the packages that the worker loads; packed it is half of that. */
const sizeBudget = 3_000_000;

describe('the installed package', () => {
  let folder;
  before(async () => {
    const { server } = await sharedWorkbench();
    const extensions = join(server.dataFolder, 'extensions');
    const name = readdirSync(extensions).find((entry) => entry.startsWith('arpo.arpo-'));
    assert.ok(name, `no arpo.arpo in ${extensions}`);
    folder = join(extensions, name);
  });

  it('is small beside the packages that the worker loads', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.includes('node_modules'));
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    assert.ok(bytes > 0 && bytes <= sizeBudget, `${bytes} bytes of ${sizeBudget}`);
  });

  it('brings the native library and Python that the worker loads', () => {
    const args = ['-e', loadRuntime, folder];
    const { backends, answer } = JSON.parse(execFileSync(nodeForVscode(), args, { encoding: 'utf8' }));
    assert.ok(backends.includes('cpu'), `backends: ${backends.join(', ')}`);
    assert.equal(answer, 42);
  });
});

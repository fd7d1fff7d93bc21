import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Libraries whose version can change a run's numbers. */
const libraries = ['onnxruntime-node', 'pyodide'] as const;

/** Versions of the program, of Node and of the libraries that shape the numbers, for the record. */
export async function programVersions(programFolder: string): Promise<Readonly<Record<string, string>>> {
  const resolve = createRequire(join(programFolder, 'cli.js')).resolve;
  const versions: Record<string, string> = {
    arpo: await packageVersion(join(programFolder, '..', 'package.json')),
    node: process.versions.node,
  };
  for (const name of libraries) versions[name] = await libraryVersion(name, resolve);
  return versions;
}

/** A library that is missing is reported by what needs it, which says what to do. */
async function libraryVersion(name: string, resolve: (path: string) => string): Promise<string> {
  try {
    return await packageVersion(resolve(`${name}/package.json`));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')
      return 'not installed';
    throw error;
  }
}

async function packageVersion(path: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path, 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}

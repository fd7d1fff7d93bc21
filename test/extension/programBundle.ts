/** Bundles the worker's entry files for tests that start real processes. */
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TrainingPlaces } from '#extension/trainingRun';

/** A bundled program in a folder of its own. */
export interface ProgramBundle {
  readonly places: TrainingPlaces;
  /** What the processes wrote. */
  readonly lines: readonly string[];
  /** Command lines of processes that run this bundle (Linux). */
  findProcesses(): string[];
  dispose(): void;
}

/** Within the repository, where packages are found. */
export async function bundleProgram(): Promise<ProgramBundle> {
  mkdirSync('out', { recursive: true });
  const folder = mkdtempSync(resolve('out', 'program-'));
  const programFolder = join(folder, 'dist');
  await build({
    entryPoints: {
      worker: 'src/worker/main.ts',
      rollout: 'src/worker/rolloutProcess.ts',
      pyodideThread: 'src/worker/pyodideThread.ts',
    },
    outdir: programFolder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2023',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'pyodide'],
    logLevel: 'error',
  });
  copyFileSync('package.json', join(folder, 'package.json'));
  const lines: string[] = [];
  return {
    places: { programFolder, builtinFolder: resolve('media', 'policies'), log: (line) => lines.push(line) },
    lines,
    findProcesses: () => commandLines().filter((command) => command.includes(programFolder)),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(join('/proc', name, 'cmdline'), 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // ended meanwhile
      }
    });
}

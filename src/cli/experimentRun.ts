/** One run of an experiment: made by a process of its own, read back from its record. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { directoryHuntVocabulary } from '#environment/tasks/directoryWords';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { RunReader } from '#runs/runReader';
import type { RunEvent } from '#runs/runEvent';
import { isStorageError } from '#runs/storageError';
import type { AccuracyPoint, ExperimentRun } from '#training/experimentStatistics';
import { precedingEntropies } from '#training/precedingEntropy';
import type { EntropySum, PrecedingKind } from '#training/precedingEntropy';

/** A condition and a seed. */
export interface RunRequest {
  readonly condition: string;
  readonly seed: number;
  /** A run configuration file, or `null` for the built-in one. */
  readonly config: string | null;
  /** `path=value`, applied to the configuration. */
  readonly settings: readonly string[];
  /** The folder of all runs of the experiment. */
  readonly out: string;
  /** The bundled command line. */
  readonly program: string;
}

/** One thread and one process per run: several runs side by side use the processors better. */
const fixedSettings = [
  'engine.threads=1',
  'engine.processes=1',
  'evaluation.every=2',
  'checkpoints.resumeEvery=0',
];

/**
 * Trains, unless a finished run of exactly this request is in the folder already.
 *
 * @returns The run folder.
 */
export async function trainOnce(request: RunRequest): Promise<string> {
  const folder = join(request.out, requestKey(request));
  const known = await finishedRun(folder);
  if (known !== null) return known;
  const settings = [...fixedSettings, ...request.settings].flatMap((setting) => ['--set', setting]);
  const config = request.config === null ? [] : ['--config', request.config];
  const seed = ['--seed', String(request.seed)];
  const words = ['train', '--json', '--out', folder, ...config, ...seed, ...settings];
  await runProgram(request.program, words);
  const made = await finishedRun(folder);
  if (made === null) throw new Error(`${folder}: expected a finished run, found none.`);
  return made;
}

/** Reads what the report needs. */
export async function collectRun(folder: string, request: RunRequest): Promise<ExperimentRun> {
  const reader = await RunReader.open(nodeFileSystem, folder);
  const timed = await reader.events({ kinds: ['groupScored', 'policyUpdated', 'evaluated', 'runFinished'] });
  const events = timed.map(({ event }) => event);
  const ledgers = events.flatMap((event) => (event.kind === 'groupScored' ? [event] : []));
  const sum = (valueOf: (event: (typeof ledgers)[number]) => number): number =>
    ledgers.reduce((total, event) => total + valueOf(event), 0);
  return {
    condition: request.condition,
    seed: request.seed,
    curve: accuracyCurve(events),
    paidCalls: sum(({ ledger }) => ledger.paidCalls),
    inheritedCalls: sum(({ ledger }) => ledger.inheritedCalls),
    generatedTokens: sum(({ ledger }) => ledger.paidModelTokens),
    branches: sum(({ ledger }) => ledger.branches),
  };
}

/** Entropies of the cold-start policy, from the first update of every run; they all start from it. */
export async function collectEntropies(
  folders: readonly string[],
): Promise<ReadonlyMap<PrecedingKind, EntropySum>> {
  const totals = new Map<PrecedingKind, EntropySum>();
  for (const folder of folders) {
    const reader = await RunReader.open(nodeFileSystem, folder);
    for (const index of reader.groups(1)) {
      const { tree } = await reader.group(1, index);
      for (const [kind, { sum, count }] of precedingEntropies(tree, directoryHuntVocabulary)) {
        const total = totals.get(kind) ?? { sum: 0, count: 0 };
        totals.set(kind, { sum: total.sum + sum, count: total.count + count });
      }
    }
  }
  return totals;
}

/** Evaluations against the calls of the updates they follow; the first is recorded after update 1 was sampled. */
function accuracyCurve(events: readonly RunEvent[]): AccuracyPoint[] {
  const scored = events.flatMap((event) => (event.kind === 'groupScored' ? [event] : []));
  const paidUpTo = (update: number): number =>
    scored.reduce((sum, event) => sum + (event.update <= update ? event.ledger.paidCalls : 0), 0);
  return events.flatMap((event) => {
    if (event.kind !== 'evaluated') return [];
    const { update, sampled, greedy } = event;
    const paidCalls = paidUpTo(update);
    return [{ update, paidCalls, sampled: sampled?.accuracy ?? 0, greedy: greedy?.accuracy ?? 0 }];
  });
}

/** The newest finished run in a folder of runs, or `null`. */
async function finishedRun(folder: string): Promise<string | null> {
  const entries = await nodeFileSystem.list(folder).catch((error: unknown) => {
    if (isStorageError(error, 'notFound')) return [];
    throw error;
  });
  for (const { name } of entries.toReversed()) {
    const reader = await RunReader.open(nodeFileSystem, join(folder, name)).catch((error: unknown) => {
      if (isStorageError(error, 'notARun')) return null;
      throw error;
    });
    if (reader === null) continue;
    const finished = await reader.events({ kinds: ['runFinished'] });
    if (finished.length > 0) return join(folder, name);
  }
  return null;
}

/** Readable, and different for different settings. */
function requestKey({ condition, seed, config, settings }: RunRequest): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([config, fixedSettings, settings]))
    .digest('hex')
    .slice(0, 8);
  const words = condition.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return `${words}-${hash}-seed${seed}`;
}

function runProgram(program: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    let lastOutput = '';
    child.stderr.on('data', (chunk: Buffer) => {
      lastOutput = (lastOutput + chunk.toString('utf8')).slice(-4000);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`arpo ${words.join(' ')} ended with status ${code}:\n${lastOutput}`));
    });
  });
}

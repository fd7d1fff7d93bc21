/** `npm run experiment`: compares branching rules with their controls over seeds. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { integerOption, optionValue, UsageError } from '#cli/arguments';
import type { OptionDescription, ParsedOptions } from '#cli/arguments';
import { formatReport } from '#cli/experimentReport';
import { collectEntropies, collectRun, trainOnce } from '#cli/experimentRun';
import type { RunRequest } from '#cli/experimentRun';
import type { ProgramPlaces } from '#cli/trainCommand';
import type { ExperimentRun } from '#training/experimentStatistics';

/** What is compared, with the settings that make it. */
export const conditions: Readonly<Record<string, readonly string[]>> = {
  'GRPO, M = 16': ['rollout.branching.preset=none'],
  'GRPO, M/2 = 8': [
    'rollout.branching.preset=none',
    'rollout.branching.globalRollouts=8',
    'rollout.branching.initialRollouts=8',
  ],
  'ARPO paper': ['rollout.branching.preset=paper'],
  'ARPO released': ['rollout.branching.preset=released'],
  'ARPO quantile': ['rollout.branching.preset=quantile'],
  'random branching': ['rollout.branching.preset=random'],
};

export const experimentOptions: readonly OptionDescription[] = [
  {
    name: 'config',
    value: 'FILE',
    help: 'what all conditions share; default: the built-in example (level B)',
  },
  { name: 'seeds', value: 'N', help: 'seeds 0 … N − 1; default: 5' },
  {
    name: 'out',
    value: 'DIR',
    help: 'folder of the runs; runs that are there are not repeated; default: runs/experiment',
  },
  { name: 'jobs', value: 'N', help: 'runs at the same time, one thread each; default: one per processor' },
  {
    name: 'condition',
    value: 'NAME',
    isRepeatable: true,
    help: `one of: ${Object.keys(conditions).join('; ')}`,
  },
  { name: 'set', value: 'PATH=VALUE', isRepeatable: true, help: 'a setting for all conditions' },
  { name: 'help', value: null, help: 'show this text' },
];

/** Runs the command: progress on stderr, the report as Markdown on stdout. */
export async function runExperiment(options: ParsedOptions, places: ProgramPlaces): Promise<number> {
  const seeds = integerOption(options, 'seeds', { minimum: 1, maximum: 1000 }) ?? 5;
  const jobs = integerOption(options, 'jobs', { minimum: 1, maximum: 256 }) ?? availableParallelism();
  const names = options.get('condition') ?? Object.keys(conditions);
  for (const name of names) {
    if (!(name in conditions)) {
      throw new UsageError(
        `--condition: expected one of ${Object.keys(conditions).join('; ')}, got "${name}"`,
      );
    }
  }
  const config = optionValue(options, 'config');
  const requests = Array.from({ length: seeds }, (_, seed) =>
    names.map((condition) => ({
      condition,
      seed,
      config: config === undefined ? null : resolve(places.workingFolder, config),
      settings: [...conditions[condition], ...(options.get('set') ?? [])],
      out: resolve(places.workingFolder, optionValue(options, 'out') ?? 'runs/experiment'),
      program: `${places.programFolder}/cli.js`,
    })),
  ).flat();
  const folders = await runAll(requests, jobs);
  const runs: ExperimentRun[] = [];
  for (const [index, folder] of folders.entries()) runs.push(await collectRun(folder, requests[index]));
  const entropies = await collectEntropies(folders);
  process.stdout.write(`${formatReport(runs, entropies)}\n`);
  return 0;
}

/** Works through the requests, `jobs` at a time. @returns The run folders in the order of the requests. */
async function runAll(requests: readonly RunRequest[], jobs: number): Promise<string[]> {
  const folders: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < requests.length) {
      const index = next;
      next += 1;
      folders[index] = await trainOnce(requests[index]);
      const { condition, seed } = requests[index];
      process.stderr.write(`${index + 1}/${requests.length} ${condition}, seed ${seed}: ${folders[index]}\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return folders;
}

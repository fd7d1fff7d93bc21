/** `npm run bench`: speed and memory of training and rollouts, compared within one interleaved run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatHelp, integerOption, optionValue, parseOptions, UsageError } from '#cli/arguments';
import type { OptionDescription, ParsedOptions } from '#cli/arguments';
import { openEngine } from '#engine/engines';
import { formatReport } from './benchReport';
import { createBenchPolicy, mediumModel, smallModel } from './models';
import type { BenchModel } from './models';
import { measurePeakMemory } from './peakMemory';
import type { PeakMemory } from './peakMemory';
import { runBench } from './suite';
import { decodeVariant, trainingVariant } from './throughput';

const options: readonly OptionDescription[] = [
  { name: 'quick', value: null, help: 'one repetition and no memory: whether it runs, no figures' },
  { name: 'medium', value: null, help: 'also model M (14 M parameters; minutes longer)' },
  { name: 'repetitions', value: 'N', help: 'interleaved repetitions; default 7' },
  { name: 'json', value: null, help: 'one JSON object instead of the table' },
  { name: 'memory-of', value: 'MODEL', help: 'only trains and decodes model S or M once, to be watched' },
  { name: 'help', value: null, help: 'show this text' },
];

async function main(argumentList: readonly string[]): Promise<void> {
  const parsed = parseOptions(argumentList, options);
  if (parsed.has('help')) {
    process.stdout.write(`${formatHelp('bench', 'Measures training and rollouts.', options)}\n`);
    return;
  }
  const only = optionValue(parsed, 'memory-of');
  if (only !== undefined) {
    await runOnce(modelOf(only));
    return;
  }
  await measureAll(parsed);
}

async function measureAll(parsed: ParsedOptions): Promise<void> {
  const isQuick = parsed.has('quick');
  const repetitions =
    integerOption(parsed, 'repetitions', { minimum: 1, maximum: 1000 }) ?? (isQuick ? 1 : 7);
  const models = parsed.has('medium') ? [smallModel, mediumModel] : [smallModel];
  const loadBefore = loadavg()[0];
  const measured = await runBench({
    programFolder: __dirname,
    models,
    repetitions,
    onRepetition: (done) => process.stderr.write(`repetition ${done} of ${repetitions}\n`),
  });
  const memory = isQuick ? {} : await measureMemory(models);
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    node: process.versions.node,
    loadBefore,
    loadAfter: loadavg()[0],
  };
  const report = { machine, ...measured, memory };
  process.stdout.write(`${parsed.has('json') ? JSON.stringify(report) : formatReport(report)}\n`);
}

async function measureMemory(models: readonly BenchModel[]): Promise<Record<string, PeakMemory | null>> {
  const memory: Record<string, PeakMemory | null> = {};
  const folder = await mkdtemp(join(tmpdir(), 'arpo-bench-'));
  const train = ['train', '--updates', '2', '--set', 'evaluation.tasks=16', '--out', folder];
  try {
    memory['built-in task, two updates'] = await measurePeakMemory([join(__dirname, 'cli.js'), ...train]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  for (const { name } of models) {
    memory[`${name}, training and decode`] = await measurePeakMemory([__filename, '--memory-of', name]);
  }
  return memory;
}

async function runOnce(model: BenchModel): Promise<void> {
  const executor = await openEngine('onnx', { threads: 1 });
  const policy = createBenchPolicy(model, executor);
  for (let step = 0; step < 3; step += 1) await trainingVariant(model, policy, 'training').run(step);
  await decodeVariant(model, policy, 'decode').run(0);
}

function modelOf(name: string): BenchModel {
  const model = [smallModel, mediumModel].find((candidate) => candidate.name === name);
  if (model === undefined) throw new UsageError(`--memory-of: expected S or M, got "${name}"`);
  return model;
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    const isUsage = error instanceof UsageError;
    const text = error instanceof Error && !isUsage ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(isUsage ? 2 : 1);
  },
);

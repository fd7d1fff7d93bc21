/** `npm run cold-start`: makes the checkpoint that comes with the program, from its seed. */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { join, resolve } from 'node:path';
import { integerOption, optionValue } from '#cli/arguments';
import type { OptionDescription, ParsedOptions } from '#cli/arguments';
import { createProgressPrinter } from '#cli/progressPrinter';
import type { ProgramPlaces } from '#cli/trainCommand';
import { writeCheckpoint } from '#engine/checkpoint';
import { openEngine } from '#engine/engines';
import { createPolicy } from '#engine/llamaPolicy';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import { initializeWeights } from '#engine/model/llamaWeights';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';
import { createEnvironment } from '#environment/createEnvironment';
import type { Environment } from '#environment/environment';
import { directoryHuntVocabulary } from '#environment/tasks/directoryWords';
import { nodeDocumentReader } from '#platform/nodeDocumentReader';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { collectDemonstrations, trainColdStart } from '#training/coldStart';
import { runColdStartGate } from '#training/coldStartGate';
import type { GateResult } from '#training/coldStartGate';
import {
  demonstrationShares,
  directoryHuntGate,
  directoryHuntRecipe,
} from '#training/directoryHuntColdStart';
import { initializationStream } from '#training/seedStreams';
import { checkpointFiles } from '#worker/checkpointSource';
import { PyodideRunner } from '#worker/pyodideRunner';

/** The seed of the checkpoint that comes with the program. */
const shippedSeed = 2;

export const coldStartOptions: readonly OptionDescription[] = [
  { name: 'seed', value: 'N', help: `seed of weights and demonstrations; default: ${shippedSeed}` },
  { name: 'out', value: 'DIR', help: 'checkpoint folder to write; default: media/policies/directory-hunt' },
  { name: 'help', value: null, help: 'show this text' },
];

/** Runs the command. @returns 0, or 1 when the gate refuses the checkpoint; then nothing is written. */
export async function runColdStart(options: ParsedOptions, places: ProgramPlaces): Promise<number> {
  const seed = integerOption(options, 'seed', { minimum: 0, maximum: 4294967295 }) ?? shippedSeed;
  const out = optionValue(options, 'out');
  const folder =
    out === undefined ? join(places.builtinFolder, 'directory-hunt') : resolve(places.workingFolder, out);
  const executor = await openEngine('auto', { threads: availableParallelism() });
  const policy = createPolicy({
    config: directoryHuntRecipe.model,
    tokenizer: createWordTokenizerFiles(directoryHuntVocabulary, {
      endToken: '<eos>',
      padToken: '<pad>',
      contextLength: directoryHuntRecipe.model.max_position_embeddings,
    }),
    weights: initializeWeights(directoryHuntRecipe.model, initializationStream(seed), {
      std: directoryHuntRecipe.initialDeviation,
    }),
    executor,
    microBatchTokens: directoryHuntRecipe.microBatchTokens,
  });
  const python = new PyodideRunner({ entry: join(places.programFolder, 'pyodideThread.js') });
  const environments = await Promise.all(
    (['A', 'B'] as const).map((level) =>
      createEnvironment({ name: 'directory-hunt', level }, { python, reader: nodeDocumentReader }),
    ),
  );
  await train(policy, environments, seed);
  const isPassed = await reportGate(policy, environments);
  if (!isPassed) {
    process.stderr.write(`The gate refuses this checkpoint; ${folder} is unchanged. Try another --seed.\n`);
    return 1;
  }
  await replaceFolder(folder, policy);
  process.stdout.write(`Checkpoint written to ${folder}\n`);
  return 0;
}

async function train(policy: LlamaPolicy, environments: readonly Environment[], seed: number): Promise<void> {
  const recipe = directoryHuntRecipe;
  const shares = Object.values(demonstrationShares);
  const demonstrations = collectDemonstrations(
    environments.map((environment, index) => ({ environment, share: shares[index] })),
    recipe.demonstrations,
    { tokenizer: policy.tokenizer, seed },
  );
  const trainer = await policy.createTrainer();
  const printer = createProgressPrinter(process.stdout);
  const startedAt = performance.now();
  const onStep = (step: number, loss: number): void => {
    if (step % 50 !== 0) return;
    const seconds = (performance.now() - startedAt) / 1000;
    printer.note(`step ${step}/${recipe.steps} · loss ${loss.toFixed(4)} · ${seconds.toFixed(0)} s`);
  };
  await trainColdStart(trainer, demonstrations, { recipe, seed, onStep }, new AbortController().signal);
}

async function reportGate(policy: LlamaPolicy, environments: readonly Environment[]): Promise<boolean> {
  const sampler = await policy.createSampler();
  const { tokenizer } = policy;
  let isPassed = true;
  for (const environment of environments) {
    const signal = new AbortController().signal;
    const results = await runColdStartGate({ sampler, tokenizer }, environment, directoryHuntGate, signal);
    for (const result of results) process.stdout.write(`${environment.name}  ${formatGate(result)}\n`);
    isPassed &&= results.every((result) => result.isPassed);
  }
  return isPassed;
}

function formatGate({ name, minimum, accuracy, tokens, isPassed }: GateResult): string {
  const measured = accuracy === null ? 'no such token' : accuracy.toFixed(4);
  return `${name.padEnd(10)} ${measured.padEnd(8)} of ${tokens} (at least ${minimum}) ${isPassed ? 'ok' : 'TOO LOW'}`;
}

/** Writes beside the folder first, so that a failure leaves the old checkpoint whole. */
async function replaceFolder(folder: string, policy: LlamaPolicy): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await nodeFileSystem.remove(unfinished);
  await nodeFileSystem.makeFolder(unfinished);
  await writeCheckpoint(checkpointFiles(unfinished), policy.exportCheckpoint(null));
  await nodeFileSystem.remove(folder);
  await nodeFileSystem.rename(unfinished, folder);
}

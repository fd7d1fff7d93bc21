/** `npm run train`: trains a run in this process's terminal and is the one writer of its record. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { integerOption, optionValue, UsageError } from '#cli/arguments';
import type { OptionDescription, ParsedOptions } from '#cli/arguments';
import { formatSummary } from '#training/progressText';
import { createProgressPrinter } from '#cli/progressPrinter';
import type { ProgressPrinter } from '#cli/progressPrinter';
import { openCheckpoint } from '#worker/checkpointSource';
import { ConfigurationError } from '#worker/sessionChecks';
import { readStoredState, withRecordedEngine, withWholePaths } from '#worker/startingPoint';
import { openTrainingSession } from '#worker/trainingSession';
import type { TrainingSession } from '#worker/trainingSession';
import { programVersions } from '#platform/programVersions';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';
import { saveCheckpoint } from '#runs/checkpointFolders';
import { formatProblems, parseRunConfig, setBranching, setConfigValue } from '#runs/configText';
import type { ConfigOverride } from '#runs/configText';
import type { RunConfig } from '#runs/runConfig';
import { RunStore } from '#runs/runStore';
import type { RunRecorder } from '#training/checkpoints';
import { initialTrainingState } from '#training/trainingState';
import type { Trainer } from '#training/trainer';
import type { TrainingState } from '#training/trainingState';
import type { TrainingSummary } from '#training/trainingProgress';

export const trainOptions: readonly OptionDescription[] = [
  {
    name: 'config',
    value: 'FILE',
    help: 'run configuration (JSON with comments); default: the built-in example',
  },
  { name: 'out', value: 'DIR', help: 'folder that run folders are made in; default: runs' },
  { name: 'resume', value: 'RUN', help: 'continue the run in this folder with its own configuration' },
  { name: 'engine', value: 'NAME', help: 'tensor engine: auto, onnx, reference' },
  { name: 'seed', value: 'N', help: 'seed of all randomness' },
  { name: 'updates', value: 'N', help: 'updates of the policy' },
  { name: 'branching', value: 'RULE', help: 'preset: paper, released, aepo, quantile, random, none (GRPO)' },
  {
    name: 'set',
    value: 'PATH=VALUE',
    isRepeatable: true,
    help: 'any setting, e.g. optimizer.learningRate=1e-4',
  },
  { name: 'json', value: null, help: 'progress on stderr; the last line of stdout is one JSON object' },
  { name: 'help', value: null, help: 'show this text' },
];

/** Where the program and what it comes with are found. */
export interface ProgramPlaces {
  /** The folder of the bundled entry files. */
  readonly programFolder: string;
  /** The folder of the policies that come with the program. */
  readonly builtinFolder: string;
  /** The folder in which the command was given. */
  readonly workingFolder: string;
}

/** A run ready to be trained: opened for writing, with the state to go on from. */
interface OpenedRun {
  readonly store: RunStore;
  readonly session: TrainingSession;
  readonly state: TrainingState;
  readonly isResumed: boolean;
}

/** What opening a run needs beside the options. */
interface Opening {
  readonly places: ProgramPlaces;
  readonly printer: ProgressPrinter;
  readonly signal: AbortSignal;
}

/** Runs the command. @returns The exit status: 0, or 130 after Ctrl-C. */
export async function runTrain(options: ParsedOptions, places: ProgramPlaces): Promise<number> {
  const isJson = options.has('json');
  const printer = createProgressPrinter(isJson ? process.stderr : process.stdout);
  const abort = new AbortController();
  process.on('SIGINT', () => stopOrExit(abort));
  process.on('SIGTERM', () => stopOrExit(abort));
  try {
    const run = await openRun(options, { places, printer, signal: abort.signal });
    try {
      const summary = await trainRun(run, printer, abort.signal);
      printer.end();
      const text = isJson
        ? JSON.stringify(summaryJson(summary, run))
        : formatSummary(summary, describeRun(run));
      process.stdout.write(`${text}\n`);
    } finally {
      await run.session.dispose();
      await run.store.close();
    }
    return 0;
  } catch (error) {
    printer.end();
    if (!isStop(error, abort.signal)) throw error;
    process.stderr.write(
      `${error instanceof StoppedRun ? error.message : 'Stopped before the run began.'}\n`,
    );
    return 130;
  }
}

/** The run was stopped by the user; the message says how to continue it. */
class StoppedRun extends Error {
  readonly code = 'aborted';

  constructor(folder: string, update: number) {
    super(`Stopped after update ${update}. Continue with: npm run train -- --resume ${folder}`);
  }
}

/** The first signal stops the run in order; the second ends the process at once. */
function stopOrExit(abort: AbortController): void {
  if (abort.signal.aborted) process.exit(130);
  abort.abort(new Error('stopped by the user'));
}

/**
 * Whether an error is how a stop shows: as the signal's reason, as a cancelled request, or as the end
 * of a process that got the same signal. Anything else went wrong besides.
 */
function isStop(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return error === signal.reason || code === 'aborted' || code === 'processEnded';
}

async function trainRun(
  run: OpenedRun,
  printer: ProgressPrinter,
  signal: AbortSignal,
): Promise<TrainingSummary> {
  const { store, session, state, isResumed } = run;
  const recorder: RunRecorder = {
    append: async (events) => await store.append(events),
    saveCheckpoint: async (checkpoint) => await saveCheckpoint(nodeFileSystem, store.folder, checkpoint),
  };
  let trainer: Trainer | null = null;
  try {
    // A run that was killed before its first event has yet to begin.
    const begins = !isResumed || store.lines === 0;
    await store.append([begins ? session.started : { kind: 'resumed', fromUpdate: state.update }]);
    trainer = await session.createTrainer(recorder, state, (progress) => printer.show(progress));
    const summary = await trainer.run(signal);
    const { updates, seconds } = summary;
    const text = formatSummary(summary, describeRun(run));
    await store.append([{ kind: 'runFinished', updates, seconds: seconds.total, summary: text }]);
    return summary;
  } catch (error) {
    const isStopped = isStop(error, signal);
    await recordEnd(store, isStopped ? signal.reason : error, isStopped);
    if (!isStopped) throw error;
    throw new StoppedRun(store.folder, (trainer?.state ?? state).update);
  }
}

/** The reason a run ended early; a store that failed itself cannot hold it, and its error is thrown anyway. */
async function recordEnd(store: RunStore, error: unknown, isStopped: boolean): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
  try {
    await store.append([
      isStopped ? { kind: 'runStopped', reason: message } : { kind: 'runFailed', code, message },
    ]);
  } catch (storeError) {
    process.stderr.write(`The end of the run could not be recorded: ${String(storeError)}\n`);
  }
}

async function openRun(options: ParsedOptions, opening: Opening): Promise<OpenedRun> {
  const resumed = optionValue(options, 'resume');
  return resumed === undefined
    ? await createRun(options, opening)
    : await resumeRun(resolve(opening.places.workingFolder, resumed), options, opening);
}

async function createRun(options: ParsedOptions, { places, printer, signal }: Opening): Promise<OpenedRun> {
  const { config, baseFolder } = await readConfig(options, places);
  const versions = await programVersions(places.programFolder);
  const checkpoint = await openCheckpoint(config.policy.checkpoint, { ...places, baseFolder });
  const session = await openTrainingSession({
    config,
    checkpoint: { ...checkpoint, optimizer: null },
    referenceCheckpoint: config.objective.klCoefficient > 0 ? checkpoint : null,
    baseFolder,
    programFolder: places.programFolder,
    versions,
    onOutput: (line) => printer.note(line),
    signal,
  });
  try {
    const runsFolder = resolve(places.workingFolder, optionValue(options, 'out') ?? 'runs');
    const store = await RunStore.create(storePorts, { runsFolder, config, versions, parent: null });
    return { store, session, state: initialTrainingState, isResumed: false };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

async function resumeRun(
  folder: string,
  options: ParsedOptions,
  { places, printer, signal }: Opening,
): Promise<OpenedRun> {
  for (const name of ['config', 'out', 'seed', 'updates', 'branching', 'set']) {
    if (options.has(name)) {
      throw new UsageError(
        `--${name} cannot be combined with --resume: a resumed run keeps its own configuration.`,
      );
    }
  }
  // Opened first: while another process writes the run, its checkpoints come and go.
  const { store, recovery } = await RunStore.openForResume(storePorts, folder);
  try {
    if (recovery.reason !== null)
      printer.note(`The record had a torn tail, which was cut: ${recovery.reason}`);
    const recorded = await withRecordedEngine(folder, store.manifest.config);
    const config = withEngine(recorded, optionValue(options, 'engine'));
    const baseFolder = places.workingFolder;
    const start = await openCheckpoint(config.policy.checkpoint, { ...places, baseFolder });
    const stored = await readStoredState(folder);
    if (stored === null) printer.note('The run has no stored state to go on from: it begins anew.');
    const session = await openTrainingSession({
      config,
      checkpoint: stored?.checkpoint ?? { ...start, optimizer: null },
      referenceCheckpoint: config.objective.klCoefficient > 0 ? start : null,
      baseFolder,
      programFolder: places.programFolder,
      versions: store.manifest.versions,
      onOutput: (line) => printer.note(line),
      signal,
    });
    return { store, session, state: stored?.state ?? initialTrainingState, isResumed: true };
  } catch (error) {
    await store.close();
    throw error;
  }
}

const storePorts = { fileSystem: nodeFileSystem, processes: nodeProcessTable, now: () => Date.now() };

async function readConfig(
  options: ParsedOptions,
  { workingFolder }: ProgramPlaces,
): Promise<{ config: RunConfig; baseFolder: string }> {
  const fileName = optionValue(options, 'config');
  const path = fileName === undefined ? null : resolve(workingFolder, fileName);
  const text = path === null ? '{}' : await readConfigText(path);
  const parsed = parseRunConfig(text, fileName ?? 'built-in configuration', configOverrides(options));
  if (parsed.config === null) {
    throw new ConfigurationError(`The run configuration cannot be used:\n${formatProblems(parsed.problems)}`);
  }
  const baseFolder = path === null ? workingFolder : dirname(path);
  return { config: withWholePaths(parsed.config, baseFolder), baseFolder };
}

async function readConfigText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(`--config ${path}: the file cannot be read (${reason}).`, { cause: error });
  }
}

/** The command line's changes to the configuration, in the order in which they apply. */
export function configOverrides(options: ParsedOptions): ConfigOverride[] {
  const seed = integerOption(options, 'seed', { minimum: 0, maximum: 4294967295 });
  const updates = integerOption(options, 'updates', { minimum: 1, maximum: 1_000_000 });
  const engine = optionValue(options, 'engine');
  const branching = optionValue(options, 'branching');
  const sets = (options.get('set') ?? []).map((text) => {
    const [path, ...value] = text.split('=');
    if (value.length === 0)
      throw new UsageError(`--set ${text}: expected PATH=VALUE, for example optimizer.epochs=2`);
    return setConfigValue(path, value.join('='));
  });
  return [
    ...(branching === undefined ? [] : setBranching(branching)),
    ...(seed === undefined ? [] : [setConfigValue('seed', String(seed), `--seed ${seed}`)]),
    ...(updates === undefined ? [] : [setConfigValue('updates', String(updates), `--updates ${updates}`)]),
    ...(engine === undefined ? [] : [setConfigValue('engine.name', engine, `--engine ${engine}`)]),
    ...sets,
  ];
}

function withEngine(config: RunConfig, engine: string | undefined): RunConfig {
  if (engine === undefined) return config;
  const parsed = parseRunConfig(JSON.stringify(config), 'the configuration of the run', [
    setConfigValue('engine.name', engine, `--engine ${engine}`),
  ]);
  if (parsed.config === null) throw new ConfigurationError(formatProblems(parsed.problems));
  return parsed.config;
}

function describeRun({ store, session }: OpenedRun): { folder: string; engine: string } {
  return { folder: store.folder, engine: session.engine };
}

/** The object of `--json`. */
function summaryJson(summary: TrainingSummary, { store, session }: OpenedRun): object {
  const { updates, heldOut, toolCalls, generatedTokens, seconds } = summary;
  return {
    runDir: store.folder,
    engine: session.engine,
    seed: store.manifest.seed,
    updates,
    heldOut,
    toolCalls,
    generatedTokens,
    seconds,
  };
}

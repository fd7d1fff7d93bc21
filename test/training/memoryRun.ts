/** Whole runs in this thread and on a disk in memory: everything of a run but processes and a terminal. */
import { serialize } from 'node:v8';
import { expect } from 'vitest';
import type { Executor } from '#engine/executor';
import { readCheckpoint } from '#engine/checkpoint';
import type { Checkpoint } from '#engine/checkpoint';
import type { LlamaPolicy } from '#engine/llamaPolicy';
import type { NamedTensors } from '#engine/policy';
import type { Environment } from '#environment/environment';
import { listCheckpoints, newestState, saveCheckpoint } from '#runs/checkpointFolders';
import { isStorageError } from '#runs/storageError';
import type { RecordedGroup } from '#runs/recordedGroup';
import type { RunConfig } from '#runs/runConfig';
import type { NewRunEvent, RunEvent } from '#runs/runEvent';
import { RunReader } from '#runs/runReader';
import { RunStore } from '#runs/runStore';
import { encodeCheckpoint } from '#training/checkpoints';
import type { RolloutService } from '#training/rolloutService';
import { Trainer } from '#training/trainer';
import { initialTrainingState, parseTrainingState } from '#training/trainingState';
import type { TrainingState } from '#training/trainingState';
import type { TrainingProgress, TrainingSummary } from '#training/trainingProgress';
import { MemoryFileSystem } from '../fakes/memoryFileSystem';
import { letterEnvironment, letterPolicy, letterRollouts, practisedPolicy } from './letters';

export const runsFolder = 'runs';

export function emptyDisk(): MemoryFileSystem {
  const disk = new MemoryFileSystem();
  disk.folders.add(runsFolder);
  return disk;
}

/** What all runs of a test file share, so that graphs are compiled once. */
export interface RunBench {
  readonly trained: LlamaPolicy;
  readonly sampling: LlamaPolicy;
  readonly start: NamedTensors;
  dispose(): Promise<void>;
}

export async function openBench(executor: Executor): Promise<RunBench> {
  const trained = await practisedPolicy(executor);
  const sampling = letterPolicy({ executor });
  return {
    trained,
    sampling,
    start: trained.exportWeights(),
    dispose: async () => {
      await trained.dispose();
      await sampling.dispose();
    },
  };
}

export interface MemorySession {
  readonly disk: MemoryFileSystem;
  readonly config: RunConfig;
  /** Goes on with the one run of the disk. */
  readonly isResumed?: boolean;
  readonly signal?: AbortSignal;
  readonly environment?: Environment;
  /** Called behind every acknowledged batch of events. */
  readonly onAppended?: (events: readonly NewRunEvent[]) => void;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly wrapRollouts?: (rollouts: RolloutService) => RolloutService;
}

/** Trains as the command line does; the run folder is the only one of the disk. */
export async function trainInMemory(bench: RunBench, session: MemorySession): Promise<TrainingSummary> {
  const { disk, config, signal = new AbortController().signal, environment = letterEnvironment() } = session;
  const store = await openStore(session);
  try {
    const stored = session.isResumed === true ? await storedState(disk, store.folder) : null;
    const state = stored?.state ?? initialTrainingState;
    bench.trained.importWeights(stored?.checkpoint.weights ?? bench.start);
    const trainer = await bench.trained.createTrainer();
    if (stored?.checkpoint.optimizer) trainer.importState(stored.checkpoint.optimizer);
    const inline = letterRollouts({ config, environment, policy: bench.sampling });
    if (state.samplers.length > 0) await inline.importState(state.samplers);
    const append = async (events: readonly NewRunEvent[]): Promise<void> => {
      await store.append(events);
      session.onAppended?.(events);
    };
    if (session.isResumed === true) await append([{ kind: 'resumed', fromUpdate: state.update }]);
    let time = 0;
    const training = new Trainer(
      {
        config,
        policy: bench.trained,
        trainer,
        reference: null,
        rollouts: session.wrapRollouts?.(inline) ?? inline,
        environment,
        recorder: {
          append,
          saveCheckpoint: async (content) => await saveCheckpoint(disk, store.folder, content),
        },
        checkpointFiles: async (kept) =>
          await encodeCheckpoint(bench.trained.exportCheckpoint(kept === null ? null : trainer), kept),
        now: () => (time += 10),
        startedAt: 0,
        onProgress: session.onProgress ?? (() => undefined),
      },
      state,
    );
    return await training.run(signal);
  } finally {
    await store.close().catch(() => undefined);
  }
}

async function openStore({ disk, config, isResumed }: MemorySession): Promise<RunStore> {
  const processes = { processId: 1, hostName: 'here', isProcessAlive: () => false };
  const ports = { fileSystem: disk, processes, now: () => Date.UTC(2026, 10, 23) };
  if (isResumed !== true)
    return await RunStore.create(ports, { runsFolder, config, versions: {}, parent: null });
  return (await RunStore.openForResume(ports, runFolderOf(disk))).store;
}

export function runFolderOf(disk: MemoryFileSystem): string {
  const folder = [...disk.folders].find((path) => /^runs\/[^/]+$/.test(path));
  if (folder === undefined) throw new Error('the disk has no run');
  return folder;
}

async function storedState(
  disk: MemoryFileSystem,
  folder: string,
): Promise<{ checkpoint: Checkpoint; state: TrainingState } | null> {
  const stored = await newestState(disk, folder);
  if (stored === null) return null;
  const read = async (name: string): Promise<Uint8Array | null> => {
    try {
      return await disk.readFile(`${stored.folder}/${name}`);
    } catch (error) {
      if (isStorageError(error, 'notFound')) return null;
      throw error;
    }
  };
  const checkpoint = await readCheckpoint({ location: stored.folder, read, write: async () => undefined });
  return {
    checkpoint,
    state: parseTrainingState(new TextDecoder().decode((await read('trainer.json')) ?? new Uint8Array())),
  };
}

/** A recorded group as plain data, without its places in the columns, which depend on what came before. */
export interface PlainGroup extends Omit<RecordedGroup, 'tree' | 'started'> {
  readonly taskId: string;
  readonly nodes: RecordedGroup['tree']['nodes'];
  readonly trajectories: RecordedGroup['tree']['trajectories'];
}

function plainGroup({ started, tree, texts, decisions, scored }: RecordedGroup): PlainGroup {
  return {
    taskId: started.taskId,
    nodes: tree.nodes,
    trajectories: tree.trajectories,
    texts,
    decisions,
    scored,
  };
}

/** Everything of a run that must not depend on how often it was stopped. */
export interface RunResult {
  readonly weights: Uint8Array;
  readonly groups: readonly PlainGroup[];
  /** Updates and evaluations without their times. */
  readonly facts: readonly RunEvent[];
}

export async function resultOf(disk: MemoryFileSystem): Promise<RunResult> {
  const folder = runFolderOf(disk);
  const reader = await RunReader.open(disk, folder);
  const groups: PlainGroup[] = [];
  for (const update of reader.updates()) {
    for (const index of reader.groups(update)) groups.push(plainGroup(await reader.group(update, index)));
  }
  const events = (await reader.events({ kinds: ['policyUpdated', 'evaluated'] })).map(({ event }) => event);
  const facts = new Map<string, RunEvent>();
  for (const event of events) {
    if (event.kind === 'evaluated') facts.set(`evaluated ${event.update}`, { ...event, seconds: 0 });
    if (event.kind === 'policyUpdated') facts.set(`updated ${event.update}`, { ...event, seconds: {} });
  }
  const checkpoints = await listCheckpoints(disk, folder);
  const last = checkpoints.filter(({ purpose }) => purpose === 'weights').at(-1);
  if (last === undefined) throw new Error('the run stored no weights');
  return {
    weights: await disk.readFile(`${last.folder}/model.safetensors`),
    groups,
    facts: [...facts].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, event]) => event),
  };
}

/** Compares byte by byte; the slow comparison that tells the difference is made only when there is one. */
export function expectSameResult(result: RunResult, expected: RunResult): void {
  if (!serialize(result).equals(serialize(expected))) expect(result).toEqual(expected);
  expect(result.weights.length).toBeGreaterThan(0);
}

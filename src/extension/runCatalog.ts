/** The runs on disk, as lists show them. Knows nothing of VS Code. */
import { joinPath } from '#runs/fileSystem';
import type { FileSystem } from '#runs/fileSystem';
import type { GroupScored, GroupStarted } from '#runs/groupEvent';
import type { PolicyUpdated, RunEventKind } from '#runs/runEvent';
import { runLockHolder } from '#runs/runLock';
import type { ProcessTable } from '#runs/runLock';
import { readManifest } from '#runs/runManifest';
import type { RunManifest } from '#runs/runManifest';
import { RunModel } from '#runs/runModel';
import type { RunStatus } from '#runs/runModel';
import { listRuns, RunReader } from '#runs/runReader';
import { isStorageError } from '#runs/storageError';

/** `interrupted`: it says that it goes on, but nobody writes it. */
export type CatalogStatus = RunStatus | 'interrupted';

/** A run in a list. */
export interface RunEntry {
  readonly folder: string;
  readonly manifest: RunManifest;
  readonly status: CatalogStatus;
  readonly completedUpdates: number;
  /** Newest accuracy on held-out tasks, greedy if measured, 0..1. */
  readonly accuracy: number | null;
}

/** A folder that looks like a run and cannot be read. */
export interface UnreadableRun {
  readonly folder: string;
  readonly problem: string;
}

/** What lists show of an update. */
export interface UpdateEntry {
  readonly folder: string;
  readonly update: number;
  readonly groups: readonly GroupEntry[];
  readonly policy: PolicyUpdated | null;
}

/** What lists show of a group. */
export interface GroupEntry {
  readonly folder: string;
  readonly started: GroupStarted;
  readonly scored: GroupScored | null;
}

/** Kinds that are few and say how a run stands. */
const summaryKinds: readonly RunEventKind[] = [
  'runStarted',
  'resumed',
  'runPaused',
  'runStopped',
  'runFinished',
  'runFailed',
  'updateStarted',
  'policyUpdated',
  'evaluated',
];
const updateKinds: readonly RunEventKind[] = ['groupStarted', 'groupScored', 'policyUpdated'];
/** Readers kept open: each holds the index of its run in memory. */
const keptReaders = 4;

/** See the module comment. */
export class RunCatalog {
  readonly #fileSystem: FileSystem;
  readonly #processes: ProcessTable;
  /** The most recently used one is the last. */
  readonly #readers = new Map<string, Promise<RunReader>>();
  readonly #entries = new Map<string, { readonly length: number; readonly entry: RunEntry }>();

  constructor(fileSystem: FileSystem, processes: ProcessTable) {
    this.#fileSystem = fileSystem;
    this.#processes = processes;
  }

  /** The runs of a folder, newest first; none when there is no such folder. */
  async list(runsFolder: string): Promise<readonly (RunEntry | UnreadableRun)[]> {
    const folders = await listRuns(this.#fileSystem, runsFolder).catch((error: unknown) => {
      if (isStorageError(error, 'notFound')) return [];
      throw error;
    });
    const runs = await Promise.all(folders.map((folder) => this.#entryOrProblem(folder)));
    return runs.sort((left, right) => (createdAt(left) < createdAt(right) ? 1 : -1));
  }

  /** @throws StorageError `notARun`, `newerFormat` or `corrupt`. */
  async entry(folder: string): Promise<RunEntry> {
    const length = (await this.#fileSystem.status(joinPath(folder, 'events.jsonl')))?.length ?? 0;
    const known = this.#entries.get(folder);
    const read = known?.length === length ? known.entry : await this.#read(folder);
    this.#entries.set(folder, { length, entry: read });
    const isOver = read.status === 'finished' || read.status === 'stopped' || read.status === 'failed';
    if (isOver || (await this.isWritten(folder))) return read;
    return { ...read, status: 'interrupted' };
  }

  /** Whether a living process writes the run. */
  async isWritten(folder: string): Promise<boolean> {
    return (await runLockHolder(this.#fileSystem, this.#processes, folder)) !== null;
  }

  /** The updates that have groups, newest first, with whatever was recorded meanwhile. */
  async updates(folder: string): Promise<readonly number[]> {
    const reader = await this.#reader(folder);
    return reader
      .updates()
      .filter((update) => reader.groups(update).length > 0)
      .reverse();
  }

  async update(folder: string, update: number): Promise<UpdateEntry> {
    const reader = await this.#reader(folder);
    const events = (await reader.events({ update, kinds: updateKinds })).map(({ event }) => event);
    const scored = events.filter((event) => event.kind === 'groupScored');
    const groups = events
      .filter((event) => event.kind === 'groupStarted')
      .map((started) => ({
        folder,
        started,
        scored: scored.find(({ group }) => group === started.group) ?? null,
      }))
      .sort((left, right) => left.started.group - right.started.group);
    return { folder, update, groups, policy: events.find((event) => event.kind === 'policyUpdated') ?? null };
  }

  /** A reader of the caller's own. */
  async openReader(folder: string): Promise<RunReader> {
    return await RunReader.open(this.#fileSystem, folder);
  }

  async #entryOrProblem(folder: string): Promise<RunEntry | UnreadableRun> {
    try {
      return await this.entry(folder);
    } catch (error) {
      return { folder, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  async #read(folder: string): Promise<RunEntry> {
    const manifest = await readManifest(this.#fileSystem, folder);
    const reader = await this.openReader(folder);
    const model = new RunModel();
    for (const { event, time } of await reader.events({ kinds: summaryKinds })) model.apply(event, time);
    const heldOut = model.evaluations.findLast(({ split }) => split === 'heldOut');
    const score = heldOut?.greedy ?? heldOut?.sampled ?? null;
    return {
      folder,
      manifest,
      status: model.status,
      completedUpdates: model.completedUpdates,
      accuracy: score?.accuracy ?? null,
    };
  }

  async #reader(folder: string): Promise<RunReader> {
    const known = this.#readers.get(folder) ?? this.openReader(folder);
    this.#readers.delete(folder);
    this.#readers.set(folder, known);
    for (const oldest of this.#readers.keys()) {
      if (this.#readers.size <= keptReaders) break;
      this.#readers.delete(oldest);
    }
    try {
      const reader = await known;
      await reader.refresh();
      return reader;
    } catch (error) {
      this.#readers.delete(folder);
      throw error;
    }
  }
}

/** Whether a run can be gone on with. */
export function isResumable({ status }: Pick<RunEntry, 'status'>): boolean {
  return status === 'interrupted' || status === 'stopped' || status === 'failed';
}

function createdAt(run: RunEntry | UnreadableRun): string {
  return 'manifest' in run ? run.manifest.createdAt : '';
}

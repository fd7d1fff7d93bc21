/**
 * One run that trains in a worker process. This side stores everything the worker reports, and makes
 * sure that the process ends. Knows nothing of VS Code.
 */
import { EventSource } from '#base/event';
import { startPeerProcess } from '#platform/childProcess';
import type { PeerProcess } from '#platform/childProcess';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';
import { programVersions } from '#platform/programVersions';
import { AbortError } from '#protocol/peer';
import type { FinishedRun, HostEnd, OpenedRun, WorkerPlaces, WorkerProgress } from '#protocol/workerProtocol';
import { saveCheckpoint } from '#runs/checkpointFolders';
import type { RunConfig } from '#runs/runConfig';
import type { NewRunEvent } from '#runs/runEvent';
import { RunStore } from '#runs/runStore';
import type { RunPorts } from '#runs/runStore';

/** What is started. Relative paths of a configuration are relative to `baseFolder`. */
export type RunRequest =
  | {
      readonly kind: 'new';
      readonly config: RunConfig;
      readonly baseFolder: string;
      /** The folder that run folders are made in. */
      readonly runsFolder: string;
    }
  | { readonly kind: 'resume'; readonly folder: string; readonly baseFolder: string };

/** What a run needs of its surroundings. */
export interface TrainingPlaces {
  /** The folder of the bundled entry files. */
  readonly programFolder: string;
  /** The folder of the policies that come with the program. */
  readonly builtinFolder: string;
  /** Takes a line that the worker wrote, or a fact about the run. */
  readonly log: (line: string) => void;
}

/** `pausing`: the update in progress still has to finish. */
export type TrainingState = 'running' | 'pausing' | 'paused' | 'stopping' | 'ended';

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'finished'; readonly finished: FinishedRun }
  | { readonly kind: 'stopped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** How long the worker may take to end in order before it is killed, ms. */
const orderlyEndMs = 600;

/** See the module comment. */
export class TrainingRun {
  readonly folder: string;
  readonly name: string;
  readonly seed: number;
  /** Updates completed in the state that it goes on from, 0 when it begins anew; `null` for a new run. */
  readonly resumedFrom: number | null;
  /** Resolves when the process is gone and the record is closed; never rejects. */
  readonly ended: Promise<RunEnd>;
  readonly onStateChanged = new EventSource<TrainingState>();
  readonly onProgress = new EventSource<WorkerProgress>();
  /** After the events are stored. */
  readonly onRecorded = new EventSource<readonly NewRunEvent[]>();
  readonly #store: RunStore;
  readonly #worker: PeerProcess<HostEnd>;
  readonly #log: (line: string) => void;
  readonly #saving = new Set<Promise<unknown>>();
  #state: TrainingState = 'running';
  #progress: WorkerProgress | null = null;
  #stopReason: string | null = null;

  private constructor(
    { store, resumedFrom }: OpenedStore,
    worker: PeerProcess<HostEnd>,
    log: (line: string) => void,
  ) {
    this.#store = store;
    this.#worker = worker;
    this.#log = log;
    this.resumedFrom = resumedFrom;
    this.folder = store.folder;
    this.name = store.manifest.id;
    this.seed = store.manifest.seed;
    worker.peer.on('progress', (progress) => {
      this.#progress = progress;
      this.onProgress.fire(progress);
    });
    worker.peer.on('paused', () => void this.#notePause());
    this.ended = this.#train();
  }

  /**
   * Starts the worker, opens the run in it and lets it train.
   *
   * @throws AbortError on `signal`; RemoteError when the run cannot be opened; ProcessEndedError when
   *   the worker dies; StorageError. No process and no lock is left behind then.
   */
  static async start(request: RunRequest, places: TrainingPlaces, signal: AbortSignal): Promise<TrainingRun> {
    if (signal.aborted) throw new AbortError();
    let run: TrainingRun | null = null;
    const record = (): TrainingRun => {
      if (run === null) throw new Error('Broken invariant: the worker records before it trains.');
      return run;
    };
    const worker = startPeerProcess<HostEnd>({
      name: 'training',
      entry: `${places.programFolder}/worker.js`,
      onOutput: places.log,
      handlers: {
        append: async ({ events }) => await record().#append(events),
        saveCheckpoint: async (checkpoint) =>
          await record().#keep(saveCheckpoint(nodeFileSystem, record().folder, checkpoint)),
      },
    });
    const kill = (): void => void worker.dispose();
    signal.addEventListener('abort', kill, { once: true });
    try {
      run = new TrainingRun(await openStore(worker, request, { places, signal }), worker, places.log);
      return run;
    } catch (error) {
      await worker.dispose();
      throw signal.aborted ? new AbortError() : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  get state(): TrainingState {
    return this.#state;
  }

  /** The newest report; `null` before the first. */
  get progress(): WorkerProgress | null {
    return this.#progress;
  }

  /** Of the worker, so that tests can kill it. */
  get processId(): number {
    return this.#worker.processId;
  }

  /** Lets the update in progress finish and waits then. */
  async pause(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#setState('pausing');
    await this.#worker.peer.request('pause', null);
  }

  /** Goes on after `pause`. */
  async unpause(): Promise<void> {
    if (this.#state !== 'paused' && this.#state !== 'pausing') return;
    this.#setState('running');
    await this.#worker.peer.request('unpause', null);
  }

  /**
   * Ends training within about a second; what was recorded can be resumed.
   *
   * @param reason For the record.
   */
  async stop(reason: string): Promise<void> {
    if (this.#state !== 'stopping' && this.#state !== 'ended') {
      this.#stopReason = reason;
      this.#setState('stopping');
      await this.#endWorker();
    }
    await this.ended;
  }

  async #train(): Promise<RunEnd> {
    let end: RunEnd;
    try {
      const finished = await this.#worker.peer.request('train', { folder: this.folder });
      end = { kind: 'finished', finished };
    } catch (error) {
      end = this.#endOf(error);
    }
    // First the process, so that nothing is recorded after the end.
    await this.#endWorker();
    await Promise.allSettled(this.#saving);
    await this.#close(end);
    this.#setState('ended');
    return end;
  }

  #endOf(error: unknown): RunEnd {
    if (this.#stopReason !== null) return { kind: 'stopped', reason: this.#stopReason };
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    return { kind: 'failed', code, message };
  }

  /** A store that failed itself cannot hold the end; that it failed is the end, and is shown. */
  async #close(end: RunEnd): Promise<void> {
    try {
      await this.#append([endEvent(end)]);
    } catch (error) {
      this.#log(`The end of the run could not be recorded: ${String(error)}`);
    }
    try {
      await this.#store.close();
    } catch (error) {
      this.#log(`The record could not be closed: ${String(error)}`);
    }
  }

  async #notePause(): Promise<void> {
    if (this.#state !== 'pausing') return;
    try {
      await this.#append([{ kind: 'runPaused', reason: 'paused by the user' }]);
      if (this.#state === 'pausing') this.#setState('paused');
    } catch (error) {
      this.#log(`The pause could not be recorded: ${String(error)}`);
    }
  }

  async #append(events: readonly NewRunEvent[]): Promise<null> {
    await this.#store.append(events);
    this.onRecorded.fire(events);
    return null;
  }

  async #keep<Result>(saving: Promise<Result>): Promise<Result> {
    this.#saving.add(saving);
    try {
      return await saving;
    } finally {
      this.#saving.delete(saving);
    }
  }

  /** In order, so that the worker's own processes end with it; by force after a moment. */
  async #endWorker(): Promise<void> {
    const { peer, ended } = this.#worker;
    const inOrder = peer.request('stop', null).then(
      () => undefined,
      () => ended,
    );
    await Promise.race([inOrder, delay(orderlyEndMs)]);
    await this.#worker.dispose();
  }

  #setState(state: TrainingState): void {
    this.#state = state;
    this.onStateChanged.fire(state);
  }
}

/** A record that the run is written to, and `TrainingRun.resumedFrom`. */
interface OpenedStore {
  readonly store: RunStore;
  readonly resumedFrom: number | null;
}

async function openStore(
  worker: PeerProcess<HostEnd>,
  request: RunRequest,
  { places, signal }: { readonly places: TrainingPlaces; readonly signal: AbortSignal },
): Promise<OpenedStore> {
  const { baseFolder } = request;
  if (request.kind === 'new') {
    const { config, runsFolder } = request;
    const versions = await programVersions(places.programFolder);
    const open = { ...programOf(places), config, baseFolder, versions, resumeFolder: null };
    const { started } = await worker.peer.request('open', open, signal);
    const store = await RunStore.create(ports, {
      runsFolder,
      config: started.config,
      versions,
      parent: null,
    });
    return { store: await begin(store, started), resumedFrom: null };
  }
  const { store, recovery } = await RunStore.openForResume(ports, request.folder);
  if (recovery.reason !== null) places.log(`The record had a torn tail, which was cut: ${recovery.reason}`);
  const { config, versions } = store.manifest;
  const open = { ...programOf(places), config, baseFolder, versions, resumeFolder: store.folder };
  let opened: OpenedRun;
  try {
    opened = await worker.peer.request('open', open, signal);
  } catch (error) {
    await store.close();
    throw error;
  }
  const { started, fromUpdate } = opened;
  // A run that was killed before its first event has yet to begin.
  const event = store.lines === 0 ? started : ({ kind: 'resumed', fromUpdate } as const);
  return { store: await begin(store, event), resumedFrom: fromUpdate };
}

function programOf({ programFolder, builtinFolder }: TrainingPlaces): WorkerPlaces {
  return { programFolder, builtinFolder };
}

async function begin(store: RunStore, event: NewRunEvent): Promise<RunStore> {
  try {
    await store.append([event]);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function endEvent(end: RunEnd): NewRunEvent {
  switch (end.kind) {
    case 'finished':
      return { kind: 'runFinished', ...end.finished };
    case 'stopped':
      return { kind: 'runStopped', reason: end.reason };
    case 'failed':
      return { kind: 'runFailed', code: end.code, message: end.message };
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const ports: RunPorts = { fileSystem: nodeFileSystem, processes: nodeProcessTable, now: () => Date.now() };

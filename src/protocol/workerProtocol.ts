/**
 * What the extension host and the training worker say to each other, over a `Peer`.
 *
 * The worker trains and writes nothing: what belongs to the record it asks the host to store, and goes
 * on when the host has answered. So what was trained on is stored, and a slow disk slows training down
 * instead of filling memory. One worker serves one run: `open`, then `train`, then it is ended.
 */
import type { CheckpointContent } from '#runs/checkpointFolders';
import type { RunConfig } from '#runs/runConfig';
import type { NewRunEvent, RunStarted } from '#runs/runEvent';

/** Where the worker finds the program and what comes with it. */
export interface WorkerPlaces {
  /** The folder of the bundled entry files. */
  readonly programFolder: string;
  /** The folder of the policies that come with the program. */
  readonly builtinFolder: string;
}

/** The run to open. */
export interface OpenRequest extends WorkerPlaces {
  readonly config: RunConfig;
  /** What relative paths of `config` are relative to. */
  readonly baseFolder: string;
  /** Of the program and its libraries, for the record. */
  readonly versions: Readonly<Record<string, string>>;
  /** The folder of the run to continue; `null` for a new run. */
  readonly resumeFolder: string | null;
}

/** An opened run, not yet training. */
export interface OpenedRun {
  /** What the record of a new run begins with; its configuration has whole paths. */
  readonly started: RunStarted;
  /** Updates completed in the state it goes on from; 0 for a new run. */
  readonly fromUpdate: number;
}

/** Accuracies on held-out tasks, 0..1; `null` when that kind was not asked for. */
export interface HeldOutAccuracy {
  readonly sampled: number | null;
  readonly greedy: number | null;
}

/** Where a run stands; see `training/trainingProgress`. */
export interface WorkerProgress {
  readonly phase: 'evaluation' | 'rollout' | 'update' | 'checkpoint';
  /** Updates completed. */
  readonly update: number;
  readonly updates: number;
  /** Mean reward of the newest update; `null` before the first. */
  readonly reward: number | null;
  readonly heldOut: HeldOutAccuracy | null;
  /** Tool calls that ran, and those that branches inherited. */
  readonly toolCalls: { readonly paid: number; readonly inherited: number };
  readonly branches: number;
  readonly tokensPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** How a run that reached its last update came out. */
export interface FinishedRun {
  readonly updates: number;
  readonly seconds: number;
  /** For people: accuracies, tool calls, times; several lines. */
  readonly summary: string;
}

/** What one engine can do on this machine. */
export interface EngineReport {
  readonly name: string;
  readonly isAvailable: boolean;
  /** Why it does not load and what to do; `null` when it loads. */
  readonly problem: string | null;
  /** `null` when it does not load. */
  readonly probe: EngineProbe | null;
}

/** Figures of a short trial with the policy that comes with the program. */
export interface EngineProbe {
  /** From nothing to the first sampled token, ms. */
  readonly startMs: number;
  /** Tokens sampled per second by one process, in a batch of `batch` sequences. */
  readonly tokensPerSecond: number;
  readonly batch: number;
}

/** Host → worker. */
export type WorkerRequests = {
  /** Loads engine, policy and environment and starts the rollout processes. */
  open: { params: OpenRequest; result: OpenedRun };
  /**
   * Trains to the last update. Fails with what ended it early, or with `aborted` after `stop`.
   * `folder` is the run's, for the summary.
   */
  train: { params: { readonly folder: string }; result: FinishedRun };
  /** Lets the update in progress finish and then waits; `paused` tells when it does. */
  pause: { params: null; result: null };
  /** Goes on after `pause`. */
  unpause: { params: null; result: null };
  /** Ends training and all processes of the worker; answers when they are gone. */
  stop: { params: null; result: null };
  /** Tries every engine; takes seconds. */
  engines: { params: WorkerPlaces; result: readonly EngineReport[] };
};

/** Worker → host: the record. */
export type RecordRequests = {
  /** Answered when the events are stored. */
  append: { params: { readonly events: readonly NewRunEvent[] }; result: null };
  /** Answered with the folder, relative to the run's, when the checkpoint is complete. */
  saveCheckpoint: { params: CheckpointContent; result: string };
};

/** What the worker reports. */
export type WorkerEvents = {
  progress: WorkerProgress;
  /** Training waits between two updates. */
  paused: { readonly update: number };
};

/** The connection seen from the host. */
export type HostEnd = {
  calls: WorkerRequests;
  serves: RecordRequests;
  emits: Record<never, never>;
  hears: WorkerEvents;
};

/** The connection seen from the worker. */
export type WorkerEnd = {
  calls: RecordRequests;
  serves: WorkerRequests;
  emits: WorkerEvents;
  hears: Record<never, never>;
};

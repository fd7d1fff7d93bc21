/**
 * What happens in a run, as facts in order. The log of these events is the run: every viewer, metric
 * and resumption is derived from it. Updates are numbered from 1; update 0 is the state before any.
 */
import type { GroupEvent, NewGroupStarted, NewNodesAdded } from '#runs/groupEvent';
import type { RunConfig } from '#runs/runConfig';

/** The run began. */
export interface RunStarted {
  readonly kind: 'runStarted';
  /** The configuration with every default filled in. */
  readonly config: RunConfig;
  /** Of the program and the libraries that shape the numbers, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly engine: { readonly name: string; readonly threads: number; readonly processes: number };
  readonly policy: {
    readonly parameters: number;
    readonly vocabularySize: number;
    readonly contextLength: number;
  };
  /** As named by the environment, for example `directory-hunt/B`. */
  readonly environment: string;
  readonly host: HostDescription;
}

/** The machine, without names or paths that would identify it. */
export interface HostDescription {
  readonly platform: string;
  readonly architecture: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly accelerator: string | null;
}

/**
 * The run goes on from a stored state. Events of updates later than `fromUpdate` recorded before this
 * one are superseded: those updates are done again.
 */
export interface Resumed {
  readonly kind: 'resumed';
  /** Updates completed in the restored state. */
  readonly fromUpdate: number;
}

export interface RunPaused {
  readonly kind: 'runPaused';
  readonly reason: string;
}

/** The run ended before its last update, on request. It can be resumed. */
export interface RunStopped {
  readonly kind: 'runStopped';
  readonly reason: string;
}

export interface RunFinished {
  readonly kind: 'runFinished';
  readonly updates: number;
  readonly seconds: number;
  /** Lines for people. */
  readonly summary: string;
}

export interface RunFailed {
  readonly kind: 'runFailed';
  /** The literal code of the error, for example `notFinite`. */
  readonly code: string;
  readonly message: string;
}

/** Weights were stored under the run folder. */
export interface CheckpointSaved {
  readonly kind: 'checkpointSaved';
  readonly update: number;
  /** Relative to the run folder, parts joined by `/`. */
  readonly folder: string;
  /** `weights`: to load or share. `resume`: optimizer and sampling state included. */
  readonly purpose: 'weights' | 'resume';
}

export interface UpdateStarted {
  readonly kind: 'updateStarted';
  readonly update: number;
  readonly groups: number;
}

/** What the loss saw, over all mini-batches of the update. */
export interface LossStatistics {
  readonly loss: number;
  /** Importance ratio π / π_old over trained tokens. */
  readonly ratioMean: number;
  readonly ratioMax: number;
  /** Share of trained tokens, 0..1, whose gradient was cut by the lower or upper clip or the dual clip. */
  readonly clipFractionLow: number;
  readonly clipFractionHigh: number;
  readonly dualClipFraction: number;
  /** Mean of ratio − 1 − ln ratio over trained tokens (k3), nats. */
  readonly approximateKl: number;
  /** The same against the reference policy; `null` when there is none. */
  readonly referenceKl: number | null;
  /** Before scaling down, the largest of the mini-batches. */
  readonly gradientNorm: number;
}

/** One update of the policy is complete. */
export interface PolicyUpdated {
  readonly kind: 'policyUpdated';
  readonly update: number;
  /** `null` when every group was dropped, so that the weights did not move. */
  readonly loss: LossStatistics | null;
  readonly learningRate: number;
  /** Tokens with a loss, each counted once per trajectory it belongs to and per epoch. */
  readonly trainedTokens: number;
  readonly droppedGroups: number;
  /** Mean entropy of the sampled tokens right after a tool result, and of all others; nats. */
  readonly entropyAfterTools: number | null;
  readonly entropyElsewhere: number | null;
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** Averages over the evaluation tasks. */
export interface EvaluationScore {
  /** Share of right answers, 0..1. */
  readonly accuracy: number;
  readonly reward: number;
  /** Per trajectory. */
  readonly toolCalls: number;
  readonly tokens: number;
}

/** The policy was tried on tasks of one split. */
export interface Evaluated {
  readonly kind: 'evaluated';
  /** Updates completed by the evaluated policy. */
  readonly update: number;
  readonly split: 'heldOut' | 'train';
  readonly tasks: number;
  /** At the temperature of the rollouts, and taking the most probable token; `null` when not asked for. */
  readonly sampled: EvaluationScore | null;
  readonly greedy: EvaluationScore | null;
  readonly seconds: number;
}

type RunLifeEvent = RunStarted | Resumed | RunPaused | RunStopped | RunFinished | RunFailed;
type UpdateEvent = CheckpointSaved | UpdateStarted | PolicyUpdated | Evaluated;

/** An event as it stands in the log. */
export type RunEvent = RunLifeEvent | UpdateEvent | GroupEvent;

/** An event as a writer is given it: arrays are still in memory. */
export type NewRunEvent =
  | Exclude<RunEvent, { readonly kind: 'nodesAdded' | 'groupStarted' }>
  | NewNodesAdded
  | NewGroupStarted;

export type RunEventKind = RunEvent['kind'];

/** Every kind, in the order of its code in the index (position + 1). Kinds are only ever added at the end. */
export const eventKinds: readonly RunEventKind[] = [
  'runStarted',
  'resumed',
  'runPaused',
  'runStopped',
  'runFinished',
  'runFailed',
  'checkpointSaved',
  'updateStarted',
  'groupStarted',
  'trajectoriesStarted',
  'nodesAdded',
  'branchesDecided',
  'groupScored',
  'policyUpdated',
  'evaluated',
];

/**
 * The update an event belongs to; for `resumed` the update it goes back to; `null` for events of the
 * run as a whole.
 */
export function updateOf(event: RunEvent | NewRunEvent): number | null {
  if (event.kind === 'resumed') return event.fromUpdate;
  return 'update' in event ? event.update : null;
}

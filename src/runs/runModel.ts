/** The state of a run, folded from its events: its status, and what is known of every update. */
import type { GroupEvent, GroupScored, GroupStarted } from '#runs/groupEvent';
import type {
  CheckpointSaved,
  Evaluated,
  PolicyUpdated,
  RunEvent,
  RunEventKind,
  RunFailed,
  RunFinished,
  RunStarted,
} from '#runs/runEvent';

/** What the last event says; a run that died says nothing, see `runLockHolder`. */
export type RunStatus = 'created' | 'running' | 'paused' | 'stopped' | 'finished' | 'failed';

/** What lists show of a group. All but `started` is `null` until it is scored. */
export interface GroupSummary {
  readonly started: GroupStarted;
  readonly scored: GroupScored | null;
  readonly rewardMean: number | null;
  /** Share of right answers, 0..1. */
  readonly accuracy: number | null;
}

/** What is known of one update. */
export interface UpdateSummary {
  readonly update: number;
  /** By group index. */
  readonly groups: ReadonlyMap<number, GroupSummary>;
  /** `null` until the policy was updated. */
  readonly policy: PolicyUpdated | null;
}

/** Folds events, in the order of the log. Bulk events of trees may be left out. */
export class RunModel {
  readonly #updates = new Map<number, UpdateSummary>();
  #evaluations: Evaluated[] = [];
  #checkpoints: CheckpointSaved[] = [];
  #started: RunStarted | null = null;
  #end: RunFinished | RunFailed | null = null;
  #status: RunStatus = 'created';
  #lastTime: number | null = null;

  get status(): RunStatus {
    return this.#status;
  }

  get started(): RunStarted | null {
    return this.#started;
  }

  /** How the run ended; `null` while it goes on, or when it can go on. */
  get end(): RunFinished | RunFailed | null {
    return this.#end;
  }

  /** Updates of the policy completed. */
  get completedUpdates(): number {
    return Math.max(0, ...this.updates.filter(({ policy }) => policy !== null).map(({ update }) => update));
  }

  /** In ascending order. */
  get updates(): readonly UpdateSummary[] {
    return [...this.#updates.values()].sort((left, right) => left.update - right.update);
  }

  /** In ascending order of updates; of two evaluations of one state the later one counts. */
  get evaluations(): readonly Evaluated[] {
    return this.#evaluations;
  }

  get checkpoints(): readonly CheckpointSaved[] {
    return this.#checkpoints;
  }

  /** When the last event was recorded, milliseconds since 1970; `null` before the first. */
  get lastTime(): number | null {
    return this.#lastTime;
  }

  /** @param time When it was recorded, milliseconds since 1970. */
  apply(event: RunEvent, time: number): void {
    this.#lastTime = time;
    this.#status = statusAfter(event) ?? this.#status;
    if ('group' in event) this.#applyGroup(event);
    else this.#applyRun(event);
  }

  #applyRun(event: Exclude<RunEvent, GroupEvent>): void {
    switch (event.kind) {
      case 'runStarted':
        this.#started = event;
        return;
      case 'resumed':
        return this.#supersede(event.fromUpdate);
      case 'runFinished':
      case 'runFailed':
        this.#end = event;
        return;
      case 'checkpointSaved':
        this.#checkpoints.push(event);
        return;
      case 'evaluated':
        return this.#addEvaluation(event);
      case 'policyUpdated':
        this.#updates.set(event.update, { ...this.#updateOf(event.update), policy: event });
        return;
      case 'updateStarted':
        this.#updates.set(event.update, this.#updateOf(event.update));
        return;
      case 'runPaused':
      case 'runStopped':
        return;
    }
  }

  #applyGroup(event: GroupEvent): void {
    switch (event.kind) {
      case 'groupStarted':
        return this.#setGroup({ started: event, scored: null, rewardMean: null, accuracy: null });
      case 'groupScored':
        return this.#score(event);
      case 'trajectoriesStarted':
      case 'nodesAdded':
      case 'branchesDecided':
        return;
    }
  }

  #supersede(fromUpdate: number): void {
    this.#end = null;
    const later = [...this.#updates.keys()].filter((update) => update > fromUpdate);
    for (const update of later) this.#updates.delete(update);
    this.#evaluations = this.#evaluations.filter(({ update }) => update <= fromUpdate);
    this.#checkpoints = this.#checkpoints.filter(({ update }) => update <= fromUpdate);
  }

  #addEvaluation(event: Evaluated): void {
    const others = this.#evaluations.filter(
      ({ update, split }) => update !== event.update || split !== event.split,
    );
    this.#evaluations = [...others, event].sort((left, right) => left.update - right.update);
  }

  #updateOf(update: number): UpdateSummary {
    return this.#updates.get(update) ?? { update, groups: new Map(), policy: null };
  }

  #setGroup(summary: GroupSummary): void {
    const { update, group } = summary.started;
    const known = this.#updateOf(update);
    this.#updates.set(update, { ...known, groups: new Map(known.groups).set(group, summary) });
  }

  #score(scored: GroupScored): void {
    const group = this.#updateOf(scored.update).groups.get(scored.group);
    if (group === undefined) return;
    const rewardMean = mean(scored.rewards.map(({ total }) => total));
    const accuracy = mean(scored.rewards.map(({ isCorrect }) => (isCorrect ? 1 : 0)));
    this.#setGroup({ ...group, scored, rewardMean, accuracy });
  }
}

/** `null` for events that say nothing about it. */
function statusAfter({ kind }: RunEvent): RunStatus | null {
  const statuses: Readonly<Partial<Record<RunEventKind, RunStatus>>> = {
    runStarted: 'running',
    resumed: 'running',
    updateStarted: 'running',
    runPaused: 'paused',
    runStopped: 'stopped',
    runFinished: 'finished',
    runFailed: 'failed',
  };
  return statuses[kind] ?? null;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

import * as vscode from 'vscode';
import { EventSource } from '#base/event';
import type { ContextKeys } from '#extension/contextKeys';
import { showError } from '#extension/registerCommand';
import { TrainingRun } from '#extension/trainingRun';
import type { RunEnd, RunRequest, TrainingPlaces } from '#extension/trainingRun';
import { TrainingStatus } from '#extension/trainingStatus';
import type { NewRunEvent } from '#runs/runEvent';

/** Something was recorded in the run of a folder, or its state changed (no events). */
export interface RunActivity {
  readonly folder: string;
  readonly events: readonly NewRunEvent[];
}

/** The run that trained when the window closed, kept for the next one. */
interface InterruptedRun {
  readonly folder: string;
}

const interruptedKey = 'arpo.interruptedRun';

/** The training of this window: one run at a time. */
export class TrainingHost {
  /** Of the run that trains here, while it does. */
  readonly onActivity = new EventSource<RunActivity>();
  readonly #memory: vscode.Memento;
  readonly #places: TrainingPlaces;
  readonly #keys: ContextKeys;
  readonly #log: vscode.LogOutputChannel;
  readonly #status: TrainingStatus;
  #starting: AbortController | null = null;
  #run: TrainingRun | null = null;
  #isClosing = false;

  constructor(options: {
    readonly memory: vscode.Memento;
    readonly places: TrainingPlaces;
    readonly keys: ContextKeys;
    readonly log: vscode.LogOutputChannel;
  }) {
    this.#memory = options.memory;
    this.#places = options.places;
    this.#keys = options.keys;
    this.#log = options.log;
    this.#status = new TrainingStatus();
  }

  /** The run that trains; `null` when none does. */
  get run(): TrainingRun | null {
    return this.#run;
  }

  get isBusy(): boolean {
    return this.#run !== null || this.#starting !== null;
  }

  /** The run that was training when the window closed; `null` when none was. */
  get interruptedFolder(): string | null {
    return this.#memory.get<InterruptedRun>(interruptedKey)?.folder ?? null;
  }

  /** Forgets it: it was taken up, or is not wanted. */
  async forgetInterrupted(): Promise<void> {
    await this.#memory.update(interruptedKey, undefined);
  }

  /**
   * Starts training, with a notification that can cancel it until the first step is recorded.
   *
   * @throws Whatever keeps the run from starting; AbortError when the user cancelled.
   */
  async start(request: RunRequest): Promise<TrainingRun> {
    if (this.isBusy) throw new Error(vscode.l10n.t('A run is training already. Stop it first.'));
    const starting = new AbortController();
    this.#starting = starting;
    this.#updateKeys();
    const begun = new EventSource<void>();
    void showStart(starting, new Promise((resolve) => void begun.on(resolve)));
    const onBegun = (): void => begun.fire();
    try {
      const run = await TrainingRun.start(request, this.#places, starting.signal);
      this.#adopt(run, onBegun);
      starting.signal.addEventListener('abort', () => void run.stop('cancelled by the user'), { once: true });
      await this.#memory.update(interruptedKey, { folder: run.folder } satisfies InterruptedRun);
      return run;
    } catch (error) {
      onBegun();
      throw error;
    } finally {
      this.#starting = null;
      this.#updateKeys();
    }
  }

  /** Ends the run, also one that is still starting. Takes about a second. */
  async stop(reason: string): Promise<void> {
    this.#starting?.abort();
    await this.#run?.stop(reason);
  }

  /** Ends the run because the window closes; the next window offers to go on with it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.stop('the window was closed or reloaded');
    this.#status.dispose();
  }

  #adopt(run: TrainingRun, onBegun: () => void): void {
    this.#run = run;
    this.#log.info(`Training ${run.folder} in process ${run.processId}`);
    run.onRecorded.on((events) => {
      if (events.some(({ kind }) => kind === 'nodesAdded')) onBegun();
      this.onActivity.fire({ folder: run.folder, events });
    });
    run.onProgress.on(() => this.#status.show(run));
    run.onStateChanged.on(() => {
      this.#updateKeys();
      this.#status.show(run);
      this.onActivity.fire({ folder: run.folder, events: [] });
    });
    this.#status.show(run);
    void run.ended.then(async (end) => {
      onBegun();
      await this.#conclude(run, end);
    });
  }

  async #conclude(run: TrainingRun, end: RunEnd): Promise<void> {
    this.#run = null;
    this.#status.hide();
    this.#updateKeys();
    this.#log.info(`${run.name} ended: ${describeEnd(end)}`);
    this.onActivity.fire({ folder: run.folder, events: [] });
    if (this.#isClosing) return;
    await this.forgetInterrupted();
    if (end.kind === 'finished') this.#announceEnd(run);
    if (end.kind === 'failed') {
      const message = vscode.l10n.t('{0} ended early: {1}', run.name, end.message);
      showError(Object.assign(new Error(message), { code: end.code }), this.#log);
    }
  }

  #announceEnd({ name, progress }: TrainingRun): void {
    const accuracy = progress?.heldOut?.greedy ?? progress?.heldOut?.sampled ?? null;
    const text =
      accuracy === null
        ? vscode.l10n.t('{0} has finished.', name)
        : vscode.l10n.t(
            '{0} has finished: {1} % right on held-out tasks.',
            name,
            (100 * accuracy).toFixed(1),
          );
    void vscode.window.showInformationMessage(text);
  }

  #updateKeys(): void {
    const state = this.#run?.state ?? null;
    this.#keys.set('arpo.isTraining', this.isBusy);
    this.#keys.set('arpo.isPaused', state === 'paused' || state === 'pausing');
  }
}

/** Says that training starts until `begun`; its *Cancel* aborts. */
async function showStart(starting: AbortController, begun: Promise<void>): Promise<void> {
  const title = vscode.l10n.t('ARPO: starting training…');
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (_progress, token) => {
    token.onCancellationRequested(() => starting.abort());
    await begun;
  });
}

function describeEnd(end: RunEnd): string {
  switch (end.kind) {
    case 'finished':
      return `finished\n${end.finished.summary}`;
    case 'stopped':
      return `stopped (${end.reason})`;
    case 'failed':
      return `failed (${end.code}): ${end.message}`;
  }
}

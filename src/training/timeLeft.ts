import type { RunConfig } from '#runs/runConfig';

/** How long the rest of a run will take, from what this session's updates and evaluations took. */
export class TimeLeft {
  readonly #config: Pick<RunConfig, 'updates' | 'evaluation'>;
  readonly #updates: number[] = [];
  #evaluation = 0;

  constructor(config: Pick<RunConfig, 'updates' | 'evaluation'>) {
    this.#config = config;
  }

  /** @param seconds Of rollout and update together. */
  addUpdate(seconds: number): void {
    this.#updates.push(seconds);
  }

  addEvaluation(seconds: number): void {
    this.#evaluation = seconds;
  }

  /**
   * The estimate; `null` before the first update of the session.
   *
   * @param update Updates completed.
   * @param evaluatedUpdate Updates completed at the newest evaluation; `null` when there was none.
   * @returns Seconds.
   */
  estimate(update: number, evaluatedUpdate: number | null): number | null {
    if (this.#updates.length === 0) return null;
    // The first update waits for the tools to start: as soon as there is another, it does not count.
    const typical = this.#updates.length === 1 ? this.#updates : this.#updates.slice(1);
    const perUpdate = typical.reduce((sum, seconds) => sum + seconds, 0) / typical.length;
    const evaluations = this.#evaluationsAhead(update, evaluatedUpdate);
    return perUpdate * (this.#config.updates - update) + this.#evaluation * evaluations;
  }

  #evaluationsAhead(update: number, evaluatedUpdate: number | null): number {
    const { updates, evaluation } = this.#config;
    const atIntervals = (last: number): number =>
      evaluation.every === 0 ? 0 : Math.floor(last / evaluation.every);
    const isDueNow = evaluation.every > 0 && update % evaluation.every === 0 && update < updates;
    const now = isDueNow && evaluatedUpdate !== update ? 1 : 0;
    const later = Math.max(0, atIntervals(updates - 1) - atIntervals(update));
    return now + later + (evaluatedUpdate === updates ? 0 : 1);
  }
}

/** Tells screen readers about growth, rarely enough to be bearable. */
import { text } from '../shared/strings';

/** At most one announcement in this time, ms. */
const quietForMs = 3_000;

/** See the module comment. */
export class Announcer {
  readonly #region: HTMLElement;
  #steps = 0;
  #timer: number | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  say(message: string): void {
    this.#region.textContent = message;
  }

  countSteps(steps: number): void {
    this.#steps += steps;
    if (this.#timer !== undefined || this.#steps === 0) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      this.say(text('newSteps', this.#steps));
      this.#steps = 0;
    }, quietForMs);
  }
}

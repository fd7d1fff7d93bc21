/** Does drawing once per frame at most, and storing once in a while, however often it is asked for. */

export interface SchedulerTasks {
  /** The canvas: camera, hover. */
  readonly frame: () => void;
  /** Everything beside the canvas. */
  readonly contents: () => void;
  readonly save: () => void;
}

/** State is stored this long after the last change, ms. */
const saveAfterMs = 250;

/** See the module comment. */
export class Scheduler {
  readonly #tasks: SchedulerTasks;
  #isRequested = false;
  #needsContents = false;
  #saveTimer: number | undefined;

  constructor(tasks: SchedulerTasks) {
    this.#tasks = tasks;
  }

  requestFrame(): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = window.setTimeout(() => this.#tasks.save(), saveAfterMs);
    if (this.#isRequested) return;
    this.#isRequested = true;
    requestAnimationFrame(() => this.#run());
  }

  requestContents(): void {
    this.#needsContents = true;
    this.requestFrame();
  }

  #run(): void {
    this.#isRequested = false;
    if (this.#needsContents) {
      this.#needsContents = false;
      this.#tasks.contents();
    }
    this.#tasks.frame();
  }
}

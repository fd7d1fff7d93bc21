/** Holds training between two updates, where everything that happened is stored. */
export class PauseGate {
  readonly #onWait: (update: number) => void;
  #opened: Promise<void> | null = null;
  #release: (() => void) | null = null;

  /** @param onWait Called when somebody has to wait, with the updates completed. */
  constructor(onWait: (update: number) => void) {
    this.#onWait = onWait;
  }

  /** Whoever passes from now on waits. */
  close(): void {
    this.#opened ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** Lets everybody go on. */
  open(): void {
    this.#release?.();
    this.#opened = null;
    this.#release = null;
  }

  /**
   * Waits while the gate is closed.
   *
   * @param update The update that is about to start.
   * @throws The reason of `signal`.
   */
  async pass(update: number, signal: AbortSignal): Promise<void> {
    while (this.#opened !== null) {
      this.#onWait(update - 1);
      await this.#opened;
    }
    signal.throwIfAborted();
  }
}

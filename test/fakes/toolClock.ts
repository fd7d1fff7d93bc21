import type { ToolClock } from '#environment/toolRunner';

/** A clock that moves only when told; timers fire while it moves. */
export class ManualClock implements ToolClock {
  #time = 0;
  #timers: { readonly at: number; readonly onElapsed: () => void }[] = [];

  get pendingTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#time;
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds;
    const due = this.#timers.filter((timer) => timer.at <= this.#time);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#time);
    for (const timer of due) timer.onElapsed();
  }

  startTimer(delayMs: number, onElapsed: () => void): () => void {
    const timer = { at: this.#time + delayMs, onElapsed };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  createCancellation(): { signal: AbortSignal; cancel: (reason: unknown) => void } {
    const controller = new AbortController();
    return { signal: controller.signal, cancel: (reason) => controller.abort(reason) };
  }
}

/** Whoever wants to hear something no longer calls `dispose`. */
export interface Subscription {
  dispose(): void;
}

/** Listeners to one kind of fact. A listener that throws keeps the others from hearing that fact. */
export class EventSource<Value> {
  readonly #listeners = new Set<(value: Value) => void>();

  /** Hears every later fact until disposed. */
  on(listener: (value: Value) => void): Subscription {
    // An own function per subscription, so that one listener may subscribe twice.
    const own = (value: Value): void => listener(value);
    this.#listeners.add(own);
    return { dispose: () => void this.#listeners.delete(own) };
  }

  fire(value: Value): void {
    for (const listener of this.#listeners) listener(value);
  }
}

const listenersOfSignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` once when `signal` is aborted. However many are waiting, the signal itself gets one
 * listener: a run's signal is shared by hundreds of tool calls, and Node warns beyond ten.
 *
 * @returns takes the listener away.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const known = listenersOfSignal.get(signal);
  const listeners = known ?? new Set<() => void>();
  if (known === undefined) {
    listenersOfSignal.set(signal, listeners);
    signal.addEventListener('abort', () => notify(listeners), { once: true });
  }
  // A function may be registered several times, so each registration is its own entry.
  const entry = (): void => listener();
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

function notify(listeners: Set<() => void>): void {
  const waiting = [...listeners];
  listeners.clear();
  for (const listener of waiting) listener();
}

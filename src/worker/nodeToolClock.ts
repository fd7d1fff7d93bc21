import type { ToolClock } from '#environment/toolRunner';

/** Time and cancellation for tools, from Node. */
export const nodeToolClock: ToolClock = {
  now: () => performance.now(),
  startTimer: (delayMs, onElapsed) => {
    const timer = setTimeout(onElapsed, delayMs);
    return () => clearTimeout(timer);
  },
  createCancellation: () => {
    const controller = new AbortController();
    return { signal: controller.signal, cancel: (reason) => controller.abort(reason) };
  },
};

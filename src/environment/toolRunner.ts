/** Runs tool calls with time limits, retries and a cache, and records each as data. */
import type { ToolCall } from '#arpo/rolloutTree';
import { onAbort } from '#environment/abortListeners';
import type { Tool } from '#environment/tool';
import { ToolFailure } from '#environment/tool';
import type { ToolCache } from '#environment/toolCache';

/** A cancellation that the tool runner makes itself: an `AbortController` in every host. */
export interface Cancellation {
  readonly signal: AbortSignal;
  cancel(reason: unknown): void;
}

/** Time and cancellation, which the core does not have. */
export interface ToolClock {
  /** Milliseconds since any fixed moment; never goes back. */
  now(): number;
  /** Calls `onElapsed` once after `delayMs`; the returned function prevents that. */
  startTimer(delayMs: number, onElapsed: () => void): () => void;
  createCancellation(): Cancellation;
}

export interface ToolRunOptions {
  /** Time limit of one attempt, ms. The released value is 120,000. */
  readonly timeoutMs: number;
  /** Attempts in all, ≥ 1, spent on time-outs, transient failures and (`retryEmpty`) empty outputs. Released: 3. */
  readonly maxAttempts: number;
  /**
   * The released rule: an empty output is a failure and is tried again, so a program that prints
   * nothing runs `maxAttempts` times. Otherwise an empty output is an ordinary result.
   */
  readonly retryEmpty: boolean;
}

export interface ToolRunnerSettings extends ToolRunOptions {
  readonly clock: ToolClock;
  /** `null`: every call is executed. */
  readonly cache: ToolCache | null;
}

export interface ToolRequest {
  readonly tool: Tool;
  readonly query: string;
  /** What cached answers are valid for, usually the task's id: equal queries of two tasks may differ. */
  readonly scope: string;
  readonly signal: AbortSignal;
}

type Outcome =
  | { readonly kind: 'output'; readonly text: string }
  | { readonly kind: 'failure'; readonly failure: ToolFailure };

export class ToolRunner {
  readonly #settings: ToolRunnerSettings;

  /** @throws RangeError when `maxAttempts` or `timeoutMs` is not positive. */
  constructor(settings: ToolRunnerSettings) {
    if (!Number.isInteger(settings.maxAttempts) || settings.maxAttempts < 1) {
      throw new RangeError(`maxAttempts: expected an integer of at least 1, got ${settings.maxAttempts}`);
    }
    if (!(settings.timeoutMs > 0)) {
      throw new RangeError(`timeoutMs: expected a positive number, got ${settings.timeoutMs}`);
    }
    this.#settings = settings;
  }

  /**
   * Runs one call to its end. A failed call is a result: its `failure` says why and its `output` is what
   * the model sees.
   *
   * @throws the signal's reason as soon as it is aborted; a tool's own defect (anything but `ToolFailure`).
   */
  async run(request: ToolRequest): Promise<ToolCall> {
    request.signal.throwIfAborted();
    const { cache, clock } = this.#settings;
    const base = { tool: request.tool.name, input: request.query };
    const known = cache?.get(request.tool.name, request.scope, request.query);
    if (known !== undefined) {
      return { ...base, output: known, failure: null, latencyMs: 0, cached: true, attempts: 0 };
    }
    const startedAt = clock.now();
    const { outcome, attempts } = await this.#runAttempts(request);
    const timing = { latencyMs: clock.now() - startedAt, cached: false, attempts };
    if (outcome.kind === 'failure') {
      const { message, summary } = outcome.failure;
      return { ...base, output: message, failure: summary, ...timing };
    }
    cache?.set(request.tool.name, request.scope, request.query, outcome.text);
    return { ...base, output: outcome.text, failure: null, ...timing };
  }

  async #runAttempts(request: ToolRequest): Promise<{ outcome: Outcome; attempts: number }> {
    for (let attempts = 1; ; attempts += 1) {
      // Attempts depend on each other's outcome.
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await this.#attempt(request);
      const canRetry = outcome.kind === 'failure' && outcome.failure.isTransient;
      if (!canRetry || attempts >= this.#settings.maxAttempts) return { outcome, attempts };
    }
  }

  async #attempt(request: ToolRequest): Promise<Outcome> {
    try {
      const text = await this.#callWithin(request);
      if (text !== '' || !this.#settings.retryEmpty) return { kind: 'output', text };
      const message = `Tool(${request.tool.name}) returned empty output.`;
      return { kind: 'failure', failure: new ToolFailure(message, { isTransient: true }) };
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ToolFailure) return { kind: 'failure', failure: error };
      throw error;
    }
  }

  /** The tool's answer, or a rejection at the time limit or at once when cancelled. */
  #callWithin({ tool, query, signal }: ToolRequest): Promise<string> {
    const { clock, timeoutMs } = this.#settings;
    const cancellation = clock.createCancellation();
    return new Promise<string>((resolve, reject) => {
      const release = (): void => {
        stopTimer();
        stopListening();
      };
      const stop = (reason: unknown): void => {
        release();
        cancellation.cancel(reason);
        reject(reason);
      };
      const stopListening = onAbort(signal, () => stop(signal.reason));
      const stopTimer = clock.startTimer(timeoutMs, () => {
        const message = `Tool(${tool.name}) gave no answer within ${timeoutMs / 1000} s.`;
        stop(new ToolFailure(message, { isTransient: true }));
      });
      const answer = (async () => tool.call(query, cancellation.signal))();
      void answer.then(resolve, reject).then(release);
    });
  }
}

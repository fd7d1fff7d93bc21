/**
 * One end of a typed connection between two processes (or threads, or a webview): requests with
 * exactly one reply each, cancellation, and events. It knows nothing of what carries the messages.
 *
 * Rules: every request is answered, with a result or with `{code, message, stack}`; when the
 * channel closes, all pending requests are rejected; a cancelled request is rejected at once and its
 * handler sees its signal aborted.
 */

/** Whatever can carry structured-cloneable messages both ways, in order. */
export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Method name → parameters and result. */
export type RequestMap = Record<string, { params: unknown; result: unknown }>;
/** Event name → payload. */
export type EventMap = Record<string, unknown>;

/** What a handler gets beside its parameters. */
export interface RequestContext {
  /** Aborted when the caller cancels or the channel closes. */
  readonly signal: AbortSignal;
}

/** The methods this end answers. */
export type Handlers<Requests> = {
  readonly [M in keyof Requests]: Requests[M] extends { params: infer Params; result: infer Result }
    ? (params: Params, context: RequestContext) => Promise<Result>
    : never;
};

/** The four maps of a connection, seen from one end. */
export interface PeerTypes {
  readonly calls: RequestMap;
  readonly serves: RequestMap;
  readonly emits: EventMap;
  readonly hears: EventMap;
}

/** An error that happened at the other end. `code` is that error's own code, or `error`. */
export class RemoteError extends Error {
  readonly code: string;
  readonly remoteStack: string;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'RemoteError';
    this.code = failure.code;
    this.remoteStack = failure.stack;
  }
}

/** The request was cancelled by its own signal. */
export class AbortError extends Error {
  readonly code = 'aborted';

  constructor(message = 'The operation was cancelled.') {
    super(message);
    this.name = 'AbortError';
  }
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

type Message =
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'event'; readonly event: string; readonly payload: unknown };

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Makes the abort signals that handlers see; Node's and the browser's `AbortController` fit. */
export type AbortSource = new () => { readonly signal: AbortSignal; abort(): void };

/** See the module comment. `Types['calls']` are answered by the other end, `serves` by this one. */
export class Peer<Types extends PeerTypes> {
  readonly #channel: Channel;
  readonly #handlers: Handlers<Types['serves']>;
  readonly #abortSource: AbortSource;
  readonly #pending = new Map<number, Pending>();
  readonly #running = new Map<number, { abort(): void }>();
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();
  #nextId = 1;
  #closeReason: Error | null = null;

  constructor(channel: Channel, handlers: Handlers<Types['serves']>, abortSource: AbortSource) {
    this.#channel = channel;
    this.#handlers = handlers;
    this.#abortSource = abortSource;
    channel.onMessage((message) => this.#receive(message as Message));
  }

  /**
   * Asks the other end.
   *
   * @throws RemoteError what the other end threw; AbortError on `signal`; the close reason when the
   *   channel is closed or closes before the answer.
   */
  request<M extends keyof Types['calls'] & string>(
    method: M,
    params: Types['calls'][M]['params'],
    signal?: AbortSignal,
  ): Promise<Types['calls'][M]['result']> {
    if (this.#closeReason !== null) return Promise.reject(this.#closeReason);
    if (signal?.aborted === true) return Promise.reject(new AbortError());
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#pending.delete(id);
        this.#channel.send({ kind: 'cancel', id } satisfies Message);
        reject(new AbortError());
      };
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        resolve: (result) => (settle(), resolve(result)),
        reject: (error) => (settle(), reject(error)),
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#channel.send({ kind: 'request', id, method, params } satisfies Message);
    });
  }

  /** Tells the other end a fact. */
  emit<E extends keyof Types['emits'] & string>(event: E, payload: Types['emits'][E]): void {
    if (this.#closeReason === null) this.#channel.send({ kind: 'event', event, payload } satisfies Message);
  }

  /** Hears the other end's events until disposed. */
  on<E extends keyof Types['hears'] & string>(
    event: E,
    listener: (payload: Types['hears'][E]) => void,
  ): { dispose(): void } {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return { dispose: () => listeners.delete(listener) };
  }

  /** Rejects everything pending and aborts everything running. Later messages are ignored. */
  close(reason: Error): void {
    if (this.#closeReason !== null) return;
    this.#closeReason = reason;
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
    for (const running of this.#running.values()) running.abort();
    this.#running.clear();
  }

  #receive(message: Message): void {
    if (this.#closeReason !== null) return;
    switch (message.kind) {
      case 'request':
        void this.#serve(message.id, message.method, message.params);
        return;
      case 'reply':
        this.#take(message.id)?.resolve(message.result);
        return;
      case 'failure':
        this.#take(message.id)?.reject(new RemoteError(message.failure));
        return;
      case 'cancel':
        this.#running.get(message.id)?.abort();
        return;
      case 'event':
        for (const listener of this.#listeners.get(message.event) ?? []) listener(message.payload as never);
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  async #serve(id: number, method: string, params: unknown): Promise<void> {
    const controller = new this.#abortSource();
    this.#running.set(id, controller);
    let answer: Message;
    try {
      const handler = this.#handlers[method];
      if (handler === undefined)
        throw new Error(`Unknown request "${method}": the two ends differ in version.`);
      answer = { kind: 'reply', id, result: await handler(params as never, { signal: controller.signal }) };
    } catch (error) {
      answer = { kind: 'failure', id, failure: toFailure(error) };
    }
    this.#running.delete(id);
    if (this.#closeReason === null) this.#channel.send(answer);
  }
}

function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'error', message: String(error), stack: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'error';
  return { code, message: error.message, stack: error.stack ?? '' };
}

import { Worker } from 'node:worker_threads';
import { onAbort } from '#environment/abortListeners';
import type { PythonResult, PythonRunner, PythonRunOptions } from '#environment/tools/python';
import type { ProgramRequest, ThreadMessage, ThreadSettings } from '#worker/pyodideMessages';

export interface PyodideRunnerOptions {
  /** The bundled `pyodideThread`: an absolute path or a `file:` URL; `pyodide` must resolve from there. */
  readonly entry: string | URL;
  /** Ceiling of Python's memory, bytes; beyond it Python raises `MemoryError`. Default 512 MiB. */
  readonly memoryLimitBytes?: number;
  /** Characters kept of each output; a marker says how many there were. Default 20,000. */
  readonly outputLimit?: number;
}

interface Job {
  readonly code: string;
  readonly options: PythonRunOptions;
  readonly resolve: (result: PythonResult) => void;
  readonly reject: (reason: unknown) => void;
  stopListening: () => void;
  timer: NodeJS.Timeout | null;
}

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
}

/**
 * Runs Python in Pyodide (CPython compiled to WebAssembly) on one worker thread that has no access to
 * the host's files, network or processes. Programs run one at a time, in order. A program that
 * overruns its time, is cancelled or breaks the interpreter costs the thread, and a new one is started
 * at once (about 2.5 s; the programs behind it wait, without losing time of their own).
 */
export class PyodideRunner implements PythonRunner {
  readonly #options: Required<PyodideRunnerOptions>;
  readonly #queue: Job[] = [];
  #thread: Thread | null = null;
  #current: Job | null = null;
  #requestId = 0;
  #isDisposed = false;

  constructor(options: PyodideRunnerOptions) {
    this.#options = { memoryLimitBytes: 512 * 1024 * 1024, outputLimit: 20_000, ...options };
  }

  run(code: string, options: PythonRunOptions): Promise<PythonResult> {
    if (this.#isDisposed) return Promise.reject(new Error('The Python runner is disposed.'));
    if (options.signal.aborted) return Promise.reject(options.signal.reason);
    return new Promise((resolve, reject) => {
      const job: Job = { code, options, resolve, reject, stopListening: () => {}, timer: null };
      job.stopListening = onAbort(options.signal, () => this.#abort(job));
      this.#queue.push(job);
      this.#pump();
    });
  }

  /** Begins to start Python ahead of the first program; whether that worked, the first program tells. */
  startAhead(): void {
    this.#restart();
  }

  /** Ends the thread; waiting programs are rejected. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#failAll(new Error('The Python runner was disposed.'));
    const thread = this.#thread;
    this.#thread = null;
    await thread?.worker.terminate();
  }

  #pump(): void {
    if (this.#current !== null) return;
    if (this.#queue.length === 0) {
      // An idle thread must not keep the process alive; a waiting program must.
      this.#thread?.worker.unref();
      return;
    }
    const thread = (this.#thread ??= this.#startThread());
    thread.worker.ref();
    if (!thread.isReady) return;
    const job = this.#queue.shift();
    if (job === undefined) return;
    this.#current = job;
    this.#requestId += 1;
    const { outputLimit } = this.#options;
    const request: ProgramRequest = { id: this.#requestId, code: job.code, outputLimit };
    thread.worker.postMessage(request);
    // When this thread was busy, the answer may be waiting already: messages come before `setImmediate`.
    job.timer = setTimeout(() => setImmediate(() => this.#overrun(job)), job.options.timeoutMs);
  }

  #startThread(): Thread {
    const settings: ThreadSettings = { memoryLimitBytes: this.#options.memoryLimitBytes };
    const worker = new Worker(this.#options.entry, {
      workerData: settings,
      env: {},
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 256, stackSizeMb: 8 },
    });
    const thread: Thread = { worker, isReady: false };
    worker.on('message', (message: ThreadMessage) => this.#receive(thread, message));
    worker.on('error', (error) => this.#lost(thread, String(error)));
    worker.on('exit', (code) => this.#lost(thread, `the thread ended with code ${code}`));
    worker.unref();
    return thread;
  }

  #receive(thread: Thread, message: ThreadMessage): void {
    if (thread !== this.#thread) return;
    switch (message.kind) {
      case 'ready':
        thread.isReady = true;
        break;
      case 'startFailed':
        return this.#lost(thread, message.message);
      case 'crashed':
        return this.#lost(thread, message.message);
      case 'finished':
        if (message.id === this.#requestId && this.#current !== null) {
          const { stdout, stderr, isError } = message;
          this.#finish(this.#current, { stdout, stderr, isError, isTimeout: false });
        }
        break;
    }
    this.#pump();
  }

  /** The thread is of no more use. Before it was ready nothing will ever run, so everyone is told. */
  #lost(thread: Thread, cause: string): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    void thread.worker.terminate();
    if (!thread.isReady) {
      this.#failAll(
        new Error(`Python could not be started: ${cause}. Is the package "pyodide" installed (npm ci)?`),
      );
      return;
    }
    const stderr = `The Python interpreter broke down and was started anew (${cause}).`;
    if (this.#current !== null) {
      this.#finish(this.#current, { stdout: '', stderr, isError: true, isTimeout: false });
    }
    this.#restart();
  }

  #overrun(job: Job): void {
    if (job !== this.#current) return;
    this.#discardThread();
    const seconds = job.options.timeoutMs / 1000;
    const stderr = `The program was stopped after ${seconds} s (time limit).`;
    this.#finish(job, { stdout: '', stderr, isError: true, isTimeout: true });
    this.#restart();
  }

  #abort(job: Job): void {
    const index = this.#queue.indexOf(job);
    if (index >= 0) {
      this.#queue.splice(index, 1);
    } else if (job === this.#current) {
      this.#discardThread();
      this.#current = null;
    }
    if (job.timer !== null) clearTimeout(job.timer);
    job.reject(job.options.signal.reason);
    this.#restart();
  }

  #discardThread(): void {
    const thread = this.#thread;
    this.#thread = null;
    void thread?.worker.terminate();
  }

  #restart(): void {
    if (this.#isDisposed) return;
    this.#thread ??= this.#startThread();
    this.#pump();
  }

  #finish(job: Job, result: PythonResult): void {
    this.#current = null;
    if (job.timer !== null) clearTimeout(job.timer);
    job.stopListening();
    job.resolve(result);
  }

  #failAll(reason: Error): void {
    const jobs = this.#current === null ? this.#queue.splice(0) : [this.#current, ...this.#queue.splice(0)];
    this.#current = null;
    for (const job of jobs) {
      if (job.timer !== null) clearTimeout(job.timer);
      job.stopListening();
      job.reject(reason);
    }
  }
}

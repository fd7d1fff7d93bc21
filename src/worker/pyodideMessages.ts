/** What the runner sends to its thread: one program at a time. */
export interface ProgramRequest {
  readonly id: number;
  readonly code: string;
  /** Characters kept of each of the two outputs. */
  readonly outputLimit: number;
}

/** What the thread was started with (`workerData`). */
export interface ThreadSettings {
  /** Ceiling of the WebAssembly memory, bytes. */
  readonly memoryLimitBytes: number;
}

/** What the thread answers. */
export type ThreadMessage =
  | { readonly kind: 'ready' }
  /** Python could not be started; the thread ends. */
  | { readonly kind: 'startFailed'; readonly message: string }
  | {
      readonly kind: 'finished';
      readonly id: number;
      readonly isError: boolean;
      readonly stdout: string;
      readonly stderr: string;
    }
  /** The interpreter itself broke; the thread is of no more use. */
  | { readonly kind: 'crashed'; readonly id: number; readonly message: string };

/** What can go wrong with stored runs, as a caller can tell it apart. */
export type StorageErrorCode =
  | 'notFound'
  | 'alreadyExists'
  /** No space, or no quota, is left on the disk. */
  | 'diskFull'
  | 'noPermission'
  /** Stored bytes do not agree with their checksum, or with each other. */
  | 'corrupt'
  /** The folder has no run manifest. */
  | 'notARun'
  /** Written by a later version of this program. */
  | 'newerFormat'
  /** Another process writes this run. */
  | 'locked'
  /** The writer was closed, or gave up after an earlier failure. */
  | 'closed'
  /** Any other failure of the disk or its driver. */
  | 'ioFailed';

/** A failure of the storage layer with a message for people: what happened and what to do. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}

/** Whether `error` is a `StorageError` with this code. */
export function isStorageError(error: unknown, code: StorageErrorCode): error is StorageError {
  return error instanceof StorageError && error.code === code;
}

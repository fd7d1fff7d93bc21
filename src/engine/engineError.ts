/** What can go wrong with a tensor engine or a checkpoint, as a caller can tell it apart. */
export type EngineErrorCode =
  | 'engineNotAvailable'
  | 'missingCheckpoint'
  | 'wrongCheckpoint'
  | 'unknownToken'
  | 'contextOverflow'
  | 'notFinite';

/** A failure of the engine layer with a message for people: what happened and what to do. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}

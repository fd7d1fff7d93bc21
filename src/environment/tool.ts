/** A tool that a policy calls by writing its tag around a query: `<search> … </search>`. */
export interface Tool {
  /** For records and metrics, for example `search`. */
  readonly name: string;
  /** The tag that calls it, without brackets. Several tools never share a tag. */
  readonly tag: string;
  /**
   * Runs one query.
   *
   * @param query What stood between the tags, trimmed; never empty.
   * @returns The text shown to the model. A tool that has nothing to say returns ''.
   * @throws ToolFailure for failures worth showing to the model; anything else is a defect.
   */
  call(query: string, signal: AbortSignal): Promise<string>;
}

export interface ToolFailureOptions {
  /** Whether the same query may succeed when tried again (a time-out, a lost connection). */
  readonly isTransient: boolean;
  /** One line for records and people; the message itself when not given. */
  readonly summary?: string;
}

/** A failed call: its message is what the model sees as the result. */
export class ToolFailure extends Error {
  readonly isTransient: boolean;
  /** What went wrong, in one line: `ZeroDivisionError: division by zero`. */
  readonly summary: string;

  constructor(message: string, options: ToolFailureOptions) {
    super(message);
    this.name = 'ToolFailure';
    this.isTransient = options.isTransient;
    this.summary = options.summary ?? message;
  }
}

import { formatProgress } from '#training/progressText';
import type { TrainingProgress } from '#training/trainingProgress';

/** Shows a run's progress in a terminal, or line by line where there is none. */
export interface ProgressPrinter {
  show(progress: TrainingProgress): void;
  /** A line that stays, above the live one. */
  note(line: string): void;
  /** Leaves the cursor on a fresh line. */
  end(): void;
}

/** The part of a Node stream that is written to. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const clearLine = '\r\u001B[2K';

/** In a terminal one line is rewritten; elsewhere every update and evaluation gets a line of its own. */
export function createProgressPrinter(stream: OutputStream): ProgressPrinter {
  return stream.isTTY === true ? new LivePrinter(stream) : new LinePrinter(stream);
}

class LivePrinter implements ProgressPrinter {
  readonly #stream: OutputStream;
  #line = '';

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  show(progress: TrainingProgress): void {
    const width = this.#stream.columns ?? 200;
    this.#line = formatProgress(progress).slice(0, Math.max(20, width - 1));
    this.#stream.write(clearLine + this.#line);
  }

  note(line: string): void {
    this.#stream.write(`${clearLine}${line}\n${this.#line}`);
  }

  end(): void {
    if (this.#line !== '') this.#stream.write('\n');
    this.#line = '';
  }
}

class LinePrinter implements ProgressPrinter {
  readonly #stream: OutputStream;
  #last = '';

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  show(progress: TrainingProgress): void {
    if (progress.phase !== 'rollout' && progress.phase !== 'evaluation') return;
    const key = `${progress.update} ${progress.heldOut?.sampled} ${progress.heldOut?.greedy}`;
    if (key === this.#last || (progress.update === 0 && progress.heldOut === null)) return;
    this.#last = key;
    this.#stream.write(`${formatProgress({ ...progress, phase: 'rollout' })}\n`);
  }

  note(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  end(): void {
    this.#last = '';
  }
}

/** JSON-lines files of users: parsing with errors that say where and what to do. */
import type { DocumentReader } from '#environment/documentReader';

/** A problem in a user's file. */
export class DataFileError extends Error {
  readonly code = 'dataFile';
  readonly path: string;
  /** From 1; `null` when the whole file is meant. */
  readonly line: number | null;

  constructor(path: string, line: number | null, problem: string) {
    super(line === null ? `${path}: ${problem}.` : `${path}, line ${line}: ${problem}.`);
    this.name = 'DataFileError';
    this.path = path;
    this.line = line;
  }
}

/** The text of a file, with a reading failure turned into a `DataFileError`. */
export async function readText(reader: DocumentReader, path: string): Promise<string> {
  try {
    return (await reader.readText(path)).replace(/^\uFEFF/, '');
  } catch (error) {
    throw new DataFileError(
      path,
      null,
      `cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** One JSON object of a file, with checked access to its fields. */
export class DataLine {
  readonly number: number;
  readonly #path: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(path: string, number: number, fields: ReadonlyMap<string, unknown>) {
    this.#path = path;
    this.number = number;
    this.#fields = fields;
  }

  problem(text: string): DataFileError {
    return new DataFileError(this.#path, this.number, text);
  }

  field(name: string): unknown {
    return this.#fields.get(name);
  }

  /** A text that is not blank. */
  text(name: string): string {
    const value = this.field(name);
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw this.problem(`expected "${name}" to be a text that is not empty, got ${describe(value)}`);
  }

  /** A text or number, as text; `undefined` when the field is not there. */
  optionalText(name: string): string | undefined {
    const value = this.field(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw this.problem(`expected "${name}" to be a text, got ${describe(value)}`);
  }
}

/** What came, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * The objects of a JSON-lines text; blank lines are skipped.
 *
 * @throws DataFileError at the first line that is not a JSON object.
 */
export function parseJsonLines(path: string, text: string): DataLine[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const value = parseJson(path, index + 1, line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new DataFileError(path, index + 1, `expected one JSON object per line, got ${describe(value)}`);
    }
    return [new DataLine(path, index + 1, new Map(Object.entries(value)))];
  });
}

function parseJson(path: string, line: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new DataFileError(path, line, `expected one JSON object per line, but it is not JSON (${cause})`);
  }
}

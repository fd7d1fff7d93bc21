/**
 * Remembers the answers of tools by exact query, per tool and scope. Failures are never remembered. The
 * oldest entries go when it is full.
 */
export class ToolCache {
  readonly #entries = new Map<string, string>();
  readonly #maxEntries: number;

  /** @param maxEntries Answers kept, ≥ 1. */
  constructor(maxEntries = 10_000) {
    if (!Number.isInteger(maxEntries) || maxEntries < 1) {
      throw new RangeError(`maxEntries: expected an integer of at least 1, got ${maxEntries}`);
    }
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(tool: string, scope: string, query: string): string | undefined {
    return this.#entries.get(keyOf(tool, scope, query));
  }

  // Four plain strings: an object would only repeat their names.
  set(tool: string, scope: string, query: string, output: string): void {
    const key = keyOf(tool, scope, query);
    this.#entries.delete(key);
    this.#entries.set(key, output);
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}

function keyOf(tool: string, scope: string, query: string): string {
  return JSON.stringify([tool, scope, query]);
}

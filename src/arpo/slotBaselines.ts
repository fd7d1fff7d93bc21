/**
 * The table of initial entropies of the released code, kept on purpose with its defect: it is keyed
 * by the number of a trajectory within the worker's batch and never cleared, so from the second batch
 * on H_init belongs to an unrelated earlier question (RWT line 115). One object per worker; it has to
 * outlive batches, validation passes included, and be saved for a resumed run to be the same run.
 */
export class SlotBaselines {
  readonly #entropies: Map<number, number>;
  #nextSlot = 0;

  /** @param entries What `entries()` returned earlier; empty for a new run. */
  constructor(entries: readonly (readonly [number, number])[] = []) {
    this.#entropies = new Map(entries);
  }

  /** Starts the numbering of a batch anew; the entropies stay. */
  beginBatch(): void {
    this.#nextSlot = 0;
  }

  /** The number of the next trajectory of the batch, over all its questions, in order of creation. */
  claimSlot(): number {
    const slot = this.#nextSlot;
    this.#nextSlot += 1;
    return slot;
  }

  /** The entropy kept for the slot; when there is none yet, the given one is kept and returned. */
  keepFirst(slot: number, current: number): number {
    const known = this.#entropies.get(slot);
    if (known !== undefined) return known;
    this.#entropies.set(slot, current);
    return current;
  }

  /** `[slot, entropy]` by ascending slot, for checkpoints. */
  entries(): (readonly [number, number])[] {
    return [...this.#entropies].sort(([left], [right]) => left - right);
  }
}

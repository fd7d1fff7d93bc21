/** H_init of the trajectories of one group, by the configured scope. */
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { EntropyReading } from '#arpo/entropyMeasure';
import type { SlotBaselines } from '#arpo/slotBaselines';

/**
 * Knows the initial entropy of every trajectory. The paper compares every step with the first segment
 * of its trajectory, inherited by branches; the released code keys the first segment by slot, so a
 * branch has its own, and keeps the table over batches (see `SlotBaselines`).
 */
export class GroupBaselines {
  readonly #scope: BranchingOptions['baselineScope'];
  readonly #table: SlotBaselines | null;
  readonly #readings = new Map<number, EntropyReading>();
  /** Slot of the group → slot of the worker's batch. */
  readonly #workerSlots = new Map<number, number>();

  /** @throws RangeError when the scope is `staleSlot` and there is no table. */
  constructor(scope: BranchingOptions['baselineScope'], table: SlotBaselines | null) {
    if (scope === 'staleSlot' && table === null) {
      throw new RangeError(
        `slotBaselines: expected the worker's table for baselineScope 'staleSlot', got none`,
      );
    }
    this.#scope = scope;
    this.#table = table;
  }

  /** Registers a new trajectory, in order of creation. */
  open(slot: number, sourceSlot: number | null): void {
    if (this.#scope === 'staleSlot' && this.#table !== null) {
      this.#workerSlots.set(slot, this.#table.claimSlot());
    }
    if (this.#scope !== 'trajectory' || sourceSlot === null) return;
    const inherited = this.#readings.get(sourceSlot);
    if (inherited !== undefined) this.#readings.set(slot, inherited);
  }

  /** Takes note of a segment; the first one of a slot becomes its baseline unless it has one. */
  observe(slot: number, reading: EntropyReading): void {
    if (this.#readings.has(slot)) return;
    const workerSlot = this.#workerSlots.get(slot);
    if (workerSlot === undefined || this.#table === null) {
      this.#readings.set(slot, reading);
      return;
    }
    const value = this.#table.keepFirst(workerSlot, reading.value);
    this.#readings.set(slot, { value, perToken: value === reading.value ? reading.perToken : [] });
  }

  /** H_init of a slot that has been observed. */
  initialOf(slot: number): EntropyReading {
    const reading = this.#readings.get(slot);
    if (reading === undefined) throw new RangeError(`slot ${slot}: expected an observed segment, got none`);
    return reading;
  }
}

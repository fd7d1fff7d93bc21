/** The budget of one group: M trajectories in all, N of them started from the question. */

/** Why a trajectory slot was taken. */
export type SlotUse = 'initial' | 'branch' | 'topUp';

/** A reading of the ledger. `initial + branches + topUps = created` and `created + free = M`. */
export interface BudgetState {
  /** M and N. */
  readonly globalRollouts: number;
  readonly initialRollouts: number;
  readonly created: number;
  readonly initial: number;
  readonly branches: number;
  readonly topUps: number;
  readonly free: number;
}

/** Counts the trajectories of one group and refuses the one that would exceed M. */
export class BudgetLedger {
  readonly #globalRollouts: number;
  readonly #initialRollouts: number;
  readonly #uses: Record<SlotUse, number> = { initial: 0, branch: 0, topUp: 0 };

  /** @throws RangeError unless 1 ≤ N ≤ M, both whole. */
  constructor({ globalRollouts, initialRollouts }: Pick<BudgetState, 'globalRollouts' | 'initialRollouts'>) {
    if (!Number.isInteger(globalRollouts) || globalRollouts < 1) {
      throw new RangeError(`globalRollouts: expected a whole number of at least 1, got ${globalRollouts}`);
    }
    if (!Number.isInteger(initialRollouts) || initialRollouts < 1 || initialRollouts > globalRollouts) {
      throw new RangeError(`initialRollouts: expected 1..${globalRollouts}, got ${initialRollouts}`);
    }
    this.#globalRollouts = globalRollouts;
    this.#initialRollouts = initialRollouts;
  }

  /** Trajectories that may still be created. */
  get free(): number {
    return this.#globalRollouts - this.#created();
  }

  get state(): BudgetState {
    return {
      globalRollouts: this.#globalRollouts,
      initialRollouts: this.#initialRollouts,
      created: this.#created(),
      initial: this.#uses.initial,
      branches: this.#uses.branch,
      topUps: this.#uses.topUp,
      free: this.free,
    };
  }

  /** @throws RangeError when no slot is free, or more than N initial ones are asked for. */
  take(use: SlotUse): void {
    const isInitialFull = use === 'initial' && this.#uses.initial >= this.#initialRollouts;
    if (this.free === 0 || isInitialFull) {
      throw new RangeError(`${use}: expected a free trajectory slot, got ${JSON.stringify(this.state)}`);
    }
    this.#uses[use] += 1;
  }

  #created(): number {
    return this.#uses.initial + this.#uses.branch + this.#uses.topUp;
  }
}

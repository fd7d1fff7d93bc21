/**
 * The state machine of one group: which trajectories are live, when they branch, and how the budget is
 * filled up. Whoever drives it only samples segments and runs tools:
 *
 *     scheduler.start();
 *     while (!scheduler.isComplete) {
 *       for (const slot of scheduler.liveSlots()) {
 *         // sample a segment; if it requests a tool, ask requestCall(slot, query) and run the tool
 *         scheduler.recordStep(slot, content, readEntropy(segment, options.entropy, vocabularySize));
 *       }
 *       scheduler.considerBranches(random);
 *       scheduler.topUp();
 *       scheduler.endTurn({ hasBatchGained });
 *     }
 *
 * One pass of the loop is a *turn*. In it every live trajectory makes exactly one step; all
 * trajectories created in it make their first step in the next one.
 *
 * @see arXiv:2507.19849 §3.1 and Algorithm 1; `vLLMRolloutWithTools` of the released code.
 */
import type { BranchDecision } from '#arpo/branchDecision';
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { CallVerdict } from '#arpo/callLimit';
import type { EntropyComparison, EntropyReading } from '#arpo/entropyMeasure';
import type { NodeContent, RolloutNode, Trajectory } from '#arpo/rolloutTree';
import type { SlotBaselines } from '#arpo/slotBaselines';
import type { Random } from '#base/random';
import { BudgetLedger, type BudgetState } from '#arpo/budget';
import { GroupBaselines } from '#arpo/groupBaselines';
import { RolloutTree } from '#arpo/rolloutTree';
import { assert } from '#base/assert';
import { checkBranchingOptions } from '#arpo/branchingOptions';
import { compareEntropies } from '#arpo/entropyMeasure';
import { decideBranch, exhaustedVerdict } from '#arpo/branching';
import { judgeCall } from '#arpo/callLimit';

/** What one group is made of. */
export interface GroupSetup {
  /** `[T]`; kept, not copied. */
  readonly promptTokens: Int32Array;
  readonly options: BranchingOptions;
  /** Tool calls a trajectory may make, ≥ 0. */
  readonly callLimit: number;
  /** V ≥ 2, for the normalizers. */
  readonly vocabularySize: number;
  /**
   * Entropy changes of the run up to the start of the update, oldest first; only `quantile` reads
   * them. The group adds its own in the order it measures them, so that its decisions do not depend
   * on when the other groups of the update are sampled.
   */
  readonly entropyHistory?: readonly number[];
  /** The worker's table; needed when `baselineScope` is `staleSlot`. */
  readonly slotBaselines?: SlotBaselines;
}

/** A tool result that a branch could start from, as seen by the trajectory that stood behind it. */
interface Opportunity {
  readonly slot: number;
  readonly nodeId: number;
  readonly comparison: EntropyComparison;
}

/** Runs the rollout of one question, turn by turn. */
export class GroupScheduler {
  readonly tree: RolloutTree;
  readonly #setup: GroupSetup;
  readonly #ledger: BudgetLedger;
  readonly #baselines: GroupBaselines;
  /** Readings of this turn, by slot. */
  readonly #readings = new Map<number, EntropyReading>();
  readonly #decisions: BranchDecision[] = [];
  readonly #entropyChanges: number[] = [];
  #turn = 0;
  #consecutiveBranches = 0;
  #hasGained = false;
  #hasConsidered = false;
  /** Trajectories from this slot on were created in this turn and step in the next one. */
  #slotsAtTurnStart = 0;

  /** @throws RangeError when the options have problems (all are listed) or the table is missing. */
  constructor(setup: GroupSetup) {
    const problems = checkBranchingOptions(setup.options);
    if (problems.length > 0) {
      const list = problems.map(({ path, expected, got }) => `${path}: expected ${expected}, got ${got}`);
      throw new RangeError(`branching options: ${list.join('; ')}`);
    }
    this.#setup = setup;
    this.tree = new RolloutTree(setup.promptTokens);
    this.#ledger = new BudgetLedger(setup.options);
    this.#baselines = new GroupBaselines(setup.options.baselineScope, setup.slotBaselines ?? null);
  }

  /** Loop turns finished so far, which is also the number of the current one, from 0. */
  get turn(): number {
    return this.#turn;
  }

  get budget(): BudgetState {
    return this.#ledger.state;
  }

  /** All decisions so far, in the order they were made. */
  get decisions(): readonly BranchDecision[] {
    return this.#decisions;
  }

  /** The ΔH of every measurement so far, in order, for the history of later updates. */
  get entropyChanges(): readonly number[] {
    return this.#entropyChanges;
  }

  /** Whether this turn created a trajectory, top-ups included. */
  get hasGained(): boolean {
    return this.#hasGained;
  }

  /** AEPO's counter c of this question; see `endTurn`. */
  get consecutiveBranches(): number {
    return this.#consecutiveBranches;
  }

  /** Whether all M trajectories exist and are finished. */
  get isComplete(): boolean {
    return this.#ledger.free === 0 && this.liveSlots().length === 0;
  }

  /** Creates the N initial trajectories. Call it once, first. */
  start(): readonly Trajectory[] {
    assert(this.tree.trajectories.length === 0, 'the group was started twice');
    const { initialRollouts } = this.#setup.options;
    const started = Array.from({ length: initialRollouts }, () => this.#create('initial'));
    this.#slotsAtTurnStart = initialRollouts;
    return started;
  }

  /** The trajectories that still have to make steps, in slot order. */
  liveSlots(): readonly number[] {
    return this.tree.trajectories.filter(({ isFinished }) => !isFinished).map(({ slot }) => slot);
  }

  /** Tool calls that ran on the path of a trajectory; a branch inherits those before its fork. */
  callsUsed(slot: number): number {
    return this.tree.callsOnPath(this.tree.trajectory(slot).lastNodeId);
  }

  callsLeft(slot: number): number {
    return this.#setup.callLimit - this.callsUsed(slot);
  }

  /** What becomes of a request for a tool that ends the current segment of a live trajectory. */
  requestCall(slot: number, query: string): CallVerdict {
    return judgeCall({ callsUsed: this.callsUsed(slot), callLimit: this.#setup.callLimit, query });
  }

  /**
   * Appends what a live trajectory did in this turn: the segment and, if a tool ran, its result. Any
   * stop reason but `toolCall` finishes the trajectory, `length` included (the released code keeps a
   * trajectory live after a `length` stop below the response limit, which practically never happens).
   *
   * @param reading The entropy of the sampled segment (without result or forced end).
   * @throws RangeError when the slot is finished, already stepped in this turn or was created in it, or
   *   a tool ran over the call limit.
   */
  recordStep(slot: number, content: NodeContent, reading: EntropyReading): RolloutNode {
    if (this.#readings.has(slot) || slot >= this.#slotsAtTurnStart) {
      throw new RangeError(
        `slot ${slot}: expected one step per turn of a trajectory that was live when turn ${this.#turn} began, got another`,
      );
    }
    if (content.toolCall !== null && this.callsLeft(slot) <= 0) {
      throw new RangeError(
        `slot ${slot}: expected at most ${this.#setup.callLimit} tool calls, got one more`,
      );
    }
    if (content.stopReason === 'toolCall' && content.toolCall === null) {
      throw new RangeError(`slot ${slot}: expected the tool call behind stop reason 'toolCall', got null`);
    }
    const node = this.tree.appendStep(slot, content);
    this.#readings.set(slot, reading);
    this.#baselines.observe(slot, reading);
    return node;
  }

  /**
   * Decides about branches behind the tool results of this turn (`beforeResult`) or behind those that
   * this turn's segments followed (`afterResult`), and creates the copies. Trajectories are walked in
   * slot order, so low slots take the budget first (the paper speaks of assigning it by uncertainty,
   * the released code walks in order). Each may get up to min(Z − 1, free slots) copies and each copy
   * is decided independently. Copies that the budget leaves no room for are recorded as
   * `budgetExhausted` and consume no draw.
   *
   * @param random The group's own stream: one draw per asked copy, for the rules that draw.
   * @returns The decisions of this turn.
   */
  considerBranches(random: Random): readonly BranchDecision[] {
    const { rule, beamSize } = this.#setup.options;
    if (this.#hasConsidered) throw new RangeError(`turn ${this.#turn}: expected one call, got a second`);
    this.#hasConsidered = true;
    if (rule === 'none' || beamSize < 2) return [];
    const first = this.#decisions.length;
    for (const slot of [...this.#readings.keys()].sort((left, right) => left - right)) {
      const opportunity = this.#opportunityOf(slot);
      if (opportunity !== null) this.#considerCopies(opportunity, random);
    }
    return this.#decisions.slice(first);
  }

  /**
   * Fills unused budget with trajectories from the bare prompt, but only when none is live: the whole
   * shortfall (`atOnce`, paper) or exactly one (`serial`, released code; it may branch later).
   */
  topUp(): readonly Trajectory[] {
    const { free } = this.#ledger;
    if (free === 0 || this.liveSlots().length > 0) return [];
    const count = this.#setup.options.topUp === 'serial' ? 1 : free;
    return Array.from({ length: count }, () => this.#create('topUp'));
  }

  /**
   * Closes the turn. AEPO's counter rises when this question gained a trajectory in the turn and falls
   * to 0 when it did not, but only in turns in which some question of the batch gained one.
   *
   * @param hasBatchGained Whether any group of the batch gained one; this group's own gain counts anyway.
   * @throws RangeError when a trajectory that was live when the turn began has made no step.
   */
  endTurn({ hasBatchGained }: { readonly hasBatchGained: boolean }): void {
    const waiting = this.tree.trajectories.find(
      ({ slot, isFinished }) => !isFinished && slot < this.#slotsAtTurnStart && !this.#readings.has(slot),
    );
    if (waiting !== undefined) {
      throw new RangeError(`slot ${waiting.slot}: expected a step in turn ${this.#turn}, got none`);
    }
    if (this.#hasGained) this.#consecutiveBranches += 1;
    else if (hasBatchGained) this.#consecutiveBranches = 0;
    this.#readings.clear();
    this.#slotsAtTurnStart = this.tree.trajectories.length;
    this.#hasGained = false;
    this.#hasConsidered = false;
    this.#turn += 1;
  }

  /** The result to decide about, or `null` when the slot's step opens no decision. */
  #opportunityOf(slot: number): Opportunity | null {
    const nodeId = this.#forkPointOf(slot);
    const reading = this.#readings.get(slot);
    if (nodeId === null || reading === undefined) return null;
    const { options, vocabularySize } = this.#setup;
    const initial = this.#baselines.initialOf(slot);
    return { slot, nodeId, comparison: compareEntropies(initial, reading, options.entropy, vocabularySize) };
  }

  /**
   * `beforeResult`: the step just made, if it called a tool and the trajectory goes on.
   * `afterResult`: the step before it, if this trajectory made that one too. So initial segments are
   * not tested (no result precedes them), nor is a copy at its own fork.
   */
  #forkPointOf(slot: number): number | null {
    const trajectory = this.tree.trajectory(slot);
    const node = this.tree.node(trajectory.lastNodeId);
    if (this.#setup.options.measuringPoint === 'beforeResult') {
      return node.stopReason === 'toolCall' ? node.id : null;
    }
    if (node.stopReason === 'error' || node.parentId === null) return null;
    return this.tree.node(node.parentId).slot === slot ? node.parentId : null;
  }

  #considerCopies(opportunity: Opportunity, random: Random): void {
    const copies = this.#setup.options.beamSize - 1;
    const asked = Math.min(copies, this.#ledger.free);
    const evidence = {
      deltaEntropy: opportunity.comparison.deltaEntropy,
      consecutiveBranches: this.#countForRule(),
      history: this.#history(),
    };
    for (let copy = 0; copy < asked; copy += 1) {
      this.#record(opportunity, decideBranch(this.#setup.options, evidence, random));
    }
    // The released code asks min(Z − 1, free) times even when a refusal leaves a slot free after all.
    if (this.#ledger.free === 0) {
      for (let copy = asked; copy < copies; copy += 1) this.#record(opportunity, exhaustedVerdict);
    }
    this.#entropyChanges.push(evidence.deltaEntropy);
  }

  #record(opportunity: Opportunity, verdict: typeof exhaustedVerdict): void {
    const { slot, nodeId, comparison } = opportunity;
    const budgetBefore = this.#ledger.free;
    const created = verdict.isTaken ? this.#create('branch', { slot, nodeId }) : null;
    this.#decisions.push({
      rule: this.#setup.options.rule,
      turn: this.#turn,
      slot,
      nodeId,
      ...comparison,
      ...verdict,
      budgetBefore,
      budgetAfter: this.#ledger.free,
      consecutiveBranches: this.#countForRule(),
      createdSlot: created?.slot ?? null,
    });
  }

  /** The latest changes before this measurement, as many as `quantile` looks at. */
  #history(): readonly number[] {
    const { rule, historyLength } = this.#setup.options;
    if (rule !== 'quantile') return [];
    const earlier = this.#setup.entropyHistory?.slice(-historyLength) ?? [];
    return [...earlier, ...this.#entropyChanges].slice(-historyLength);
  }

  #countForRule(): number {
    return this.#setup.options.rule === 'aepo' ? this.#consecutiveBranches : 0;
  }

  #create(origin: Trajectory['origin'], fork = { slot: -1, nodeId: 0 }): Trajectory {
    this.#ledger.take(origin);
    const trajectory =
      origin === 'branch'
        ? this.tree.branchTrajectory(fork.slot, fork.nodeId)
        : this.tree.startTrajectory(origin);
    this.#baselines.open(trajectory.slot, trajectory.sourceSlot);
    if (origin !== 'initial') this.#hasGained = true;
    return trajectory;
  }
}

/** What a group cost, and what the same trajectories would have cost if sampled independently. */
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { NodeContent, RolloutTree, TrajectoryCost } from '#arpo/rolloutTree';
import type { Random } from '#base/random';
import { GroupScheduler } from '#arpo/scheduler';
import { SlotBaselines } from '#arpo/slotBaselines';

/**
 * Paid and total amounts. The totals are what independent sampling of the same trajectories would have
 * paid; the ratios (paid / total) are in (0, 1], or `null` when the total is 0.
 */
export interface GroupCost {
  /** Model tokens sampled, and in all trajectories. */
  readonly generatedTokens: number;
  readonly totalTokens: number;
  readonly tokenRatio: number | null;
  readonly executedCalls: number;
  readonly totalCalls: number;
  readonly callRatio: number | null;
  /** Tokens of tool results that were fed, and in all trajectories. */
  readonly fedToolTokens: number;
  readonly totalToolTokens: number;
  readonly prefillRatio: number | null;
}

/**
 * Adds up the costs of the trajectories of a group.
 *
 * @see arXiv:2507.19849 claims a cost between O(n log n) and O(n²); with N/M fixed it stays above N/M.
 */
export function sumCosts(costs: readonly TrajectoryCost[]): GroupCost {
  const sum = (amount: (cost: TrajectoryCost) => number): number =>
    costs.reduce((total, cost) => total + amount(cost), 0);
  const totalTokens = sum(({ modelTokens }) => modelTokens);
  const totalCalls = sum(({ calls }) => calls);
  const totalToolTokens = sum(({ toolTokens }) => toolTokens);
  const generatedTokens = totalTokens - sum(({ inheritedModelTokens }) => inheritedModelTokens);
  const executedCalls = totalCalls - sum(({ inheritedCalls }) => inheritedCalls);
  const fedToolTokens = totalToolTokens - sum(({ inheritedToolTokens }) => inheritedToolTokens);
  return {
    generatedTokens,
    totalTokens,
    tokenRatio: ratioOf(generatedTokens, totalTokens),
    executedCalls,
    totalCalls,
    callRatio: ratioOf(executedCalls, totalCalls),
    fedToolTokens,
    totalToolTokens,
    prefillRatio: ratioOf(fedToolTokens, totalToolTokens),
  };
}

/** The cost of a sampled group. */
export function groupCost(tree: RolloutTree): GroupCost {
  return sumCosts(tree.trajectories.map(({ slot }) => tree.costOf(slot)));
}

/** A group whose trajectories all make the same number of calls and then answer. */
export interface CallSimulation {
  readonly options: BranchingOptions;
  readonly callsPerTrajectory: number;
  /** ≥ `callsPerTrajectory`. */
  readonly callLimit: number;
  readonly random: Random;
  /** H of every segment behind a tool result, when that of the first segment is 0. Default 0. */
  readonly entropyAfterCall?: number;
}

/** Means over simulated groups. */
export interface ExpectedCost {
  /** Executed calls as a share of those of M independent trajectories. */
  readonly callRatio: number;
  readonly meanBranches: number;
  readonly meanTopUps: number;
  readonly meanTurns: number;
}

/** Runs the scheduler on one scripted group, without policy, tools or tokens. */
export function simulateGroup(simulation: CallSimulation): GroupScheduler {
  const { options, callsPerTrajectory, callLimit, random } = simulation;
  if (callsPerTrajectory > callLimit) {
    throw new RangeError(
      `callsPerTrajectory: expected at most callLimit (${callLimit}), got ${callsPerTrajectory}`,
    );
  }
  const scheduler = new GroupScheduler({
    promptTokens: new Int32Array(0),
    options,
    callLimit,
    vocabularySize: 2,
    slotBaselines: new SlotBaselines(),
  });
  scheduler.start();
  while (!scheduler.isComplete) {
    for (const slot of scheduler.liveSlots()) {
      const used = scheduler.callsUsed(slot);
      const value = used === 0 ? 0 : (simulation.entropyAfterCall ?? 0);
      const content = used < callsPerTrajectory ? callingStep : answeringStep;
      scheduler.recordStep(slot, content, { value, perToken: [value] });
    }
    scheduler.considerBranches(random);
    scheduler.topUp();
    scheduler.endTurn({ hasBatchGained: scheduler.hasGained });
  }
  return scheduler;
}

/** Averages the cost of simulated groups; 4,000 groups give the call ratio to about ±0.002. */
export function expectedCost(simulation: CallSimulation, groups: number): ExpectedCost {
  const sums = { callRatio: 0, meanBranches: 0, meanTopUps: 0, meanTurns: 0 };
  for (let group = 0; group < groups; group += 1) {
    const scheduler = simulateGroup(simulation);
    sums.callRatio += groupCost(scheduler.tree).callRatio ?? 1;
    sums.meanBranches += scheduler.budget.branches;
    sums.meanTopUps += scheduler.budget.topUps;
    sums.meanTurns += scheduler.turn;
  }
  return {
    callRatio: sums.callRatio / groups,
    meanBranches: sums.meanBranches / groups,
    meanTopUps: sums.meanTopUps / groups,
    meanTurns: sums.meanTurns / groups,
  };
}

const answeringStep: NodeContent = {
  tokens: new Int32Array(0),
  mask: new Uint8Array(0),
  logProbs: new Float32Array(0),
  entropies: new Float32Array(0),
  alternatives: null,
  toolCall: null,
  stopReason: 'end',
};

const callingStep: NodeContent = {
  ...answeringStep,
  toolCall: {
    tool: 'scripted',
    input: 'query',
    output: 'result',
    failure: null,
    latencyMs: 0,
    cached: false,
    attempts: 1,
  },
  stopReason: 'toolCall',
};

function ratioOf(paid: number, total: number): number | null {
  return total === 0 ? null : paid / total;
}

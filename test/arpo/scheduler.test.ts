import { describe, expect, test } from 'vitest';
import { aepoPreset, branchingPresets, paperPreset, quantilePreset } from '#arpo/branchingOptions';
import { releasedPreset, withoutBranching } from '#arpo/branchingOptions';
import { calling, ended, reading, scripted, step } from './steps';
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { GroupScheduler } from '#arpo/scheduler';
import { SlotBaselines } from '#arpo/slotBaselines';

const never = { next: () => 0.999999 };
const always = { next: () => 0 };
const released: BranchingOptions = { ...releasedPreset, baselineScope: 'ownFirstSegment' };

/** One turn in which every live trajectory calls a tool, with the given entropy for its segment. */
function callTurn(scheduler: GroupScheduler, entropyOf: (slot: number) => number, random = never) {
  for (const slot of scheduler.liveSlots()) scheduler.recordStep(slot, calling(), reading(entropyOf(slot)));
  const decisions = scheduler.considerBranches(random);
  scheduler.topUp();
  scheduler.endTurn({ hasBatchGained: scheduler.hasGained });
  return decisions;
}

function start(options: BranchingOptions, setup = {}): GroupScheduler {
  const scheduler = scripted({ options, callLimit: 9, ...setup });
  scheduler.start();
  return scheduler;
}

describe('measuring before the result (released)', () => {
  const options = { ...released, globalRollouts: 4, initialRollouts: 1 };

  test('the first boundary compares a segment with itself; the branch starts behind the new result', () => {
    const scheduler = start(options);
    const [decision] = callTurn(scheduler, () => 0.7, always);
    expect(decision).toMatchObject({
      rule: 'released',
      turn: 0,
      slot: 0,
      nodeId: 1,
      initialEntropy: 0.7,
      currentEntropy: 0.7,
      deltaEntropy: 0,
      probability: 0.5,
      draw: 0,
      budgetBefore: 3,
      budgetAfter: 2,
      isTaken: true,
      createdSlot: 1,
    });
    expect(scheduler.tree.trajectory(1)).toMatchObject({ forkNodeId: 1, sourceSlot: 0, origin: 'branch' });
  });
  test('a branch has its own baseline: its first change is 0, its source goes on from its start', () => {
    const scheduler = start(options);
    callTurn(scheduler, () => 0.5, always);
    const decisions = callTurn(scheduler, (slot) => (slot === 0 ? 1.5 : 2));
    expect(decisions.map(({ slot, deltaEntropy }) => [slot, deltaEntropy])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
  test('a trajectory that answered is not asked', () => {
    const scheduler = start(options);
    scheduler.recordStep(0, ended(), reading(1));
    expect(scheduler.considerBranches(always)).toEqual([]);
  });
});

describe('measuring after the result (paper)', () => {
  const options: BranchingOptions = {
    ...paperPreset,
    entropy: { ...paperPreset.entropy, normalizer: 'sum' },
    globalRollouts: 6,
    initialRollouts: 2,
  };

  test('initial segments are not tested; a later one decides about its parent and rewinds there', () => {
    const scheduler = start(options);
    expect(callTurn(scheduler, () => 0.5)).toEqual([]);
    const [first, second] = callTurn(scheduler, (slot) => (slot === 0 ? 0.9 : 0.3));
    expect(first).toMatchObject({
      slot: 0,
      nodeId: 1,
      initialEntropy: 0.5,
      currentEntropy: 0.9,
      isTaken: true,
    });
    expect(second).toMatchObject({ slot: 1, nodeId: 2, isTaken: false, createdSlot: null });
    expect(scheduler.tree.trajectory(2)).toMatchObject({ forkNodeId: 1, sourceSlot: 0 });
    expect(scheduler.callsUsed(0)).toBe(2);
    expect(scheduler.callsUsed(2)).toBe(1); // rewound to before the source's second call
  });
  test('the source may end with the very segment that is measured', () => {
    const scheduler = start(options);
    callTurn(scheduler, () => 0.5);
    for (const slot of [0, 1]) scheduler.recordStep(slot, ended(), reading(0.9));
    expect(scheduler.considerBranches(never).map(({ isTaken }) => isTaken)).toEqual([true, true]);
    expect(scheduler.liveSlots()).toEqual([2, 3]);
  });
  test('a copy is not tested at its own fork, and inherits the start of its trajectory', () => {
    const scheduler = start(options);
    callTurn(scheduler, () => 0.5);
    callTurn(scheduler, (slot) => (slot === 0 ? 0.9 : 0.1)); // creates slot 2
    const own = callTurn(scheduler, () => 0.1);
    expect(own.map(({ slot }) => slot)).toEqual([0, 1]);
    const later = callTurn(scheduler, () => 0.8);
    expect(later.map(({ slot }) => slot)).toEqual([0, 1, 2]);
    expect(later[2]).toMatchObject({ initialEntropy: 0.5, isTaken: true });
  });
  test('a technical failure is not a measurement', () => {
    const scheduler = start(options);
    callTurn(scheduler, () => 0.5);
    for (const slot of [0, 1])
      scheduler.recordStep(slot, step({ tokens: [], stopReason: 'error' }), reading(9));
    expect(scheduler.considerBranches(never)).toEqual([]);
    expect(scheduler.entropyChanges).toEqual([]);
  });
});

describe('stale baselines of the released code', () => {
  const options = { ...releasedPreset, globalRollouts: 3, initialRollouts: 2 };

  test('the second batch is compared with the first one’s entropies, slot by slot', () => {
    const slotBaselines = new SlotBaselines();
    const first = start(options, { slotBaselines });
    callTurn(first, (slot) => (slot === 0 ? 0.2 : 0.6));
    slotBaselines.beginBatch();
    const second = start(options, { slotBaselines });
    const decisions = callTurn(second, () => 1);
    expect(decisions.map(({ initialEntropy }) => initialEntropy)).toEqual([0.2, 0.6]);
  });
  test('the second question of a batch has its own slots, whose numbers go on', () => {
    const slotBaselines = new SlotBaselines();
    const groups = [start(options, { slotBaselines }), start(options, { slotBaselines })];
    groups.forEach((group, index) => callTurn(group, (slot) => index + slot / 10));
    expect(slotBaselines.entries()).toEqual([
      [0, 0],
      [1, 0.1],
      [2, 1],
      [3, 1.1],
    ]);
  });
  test('also segments that end in an answer fill the table', () => {
    const slotBaselines = new SlotBaselines();
    const scheduler = start(withoutBranching(options), { slotBaselines });
    scheduler.recordStep(0, ended(), reading(0.4));
    expect(slotBaselines.entries()).toEqual([[0, 0.4]]);
  });
  test('saved and restored, the table decides alike', () => {
    const slotBaselines = new SlotBaselines([[0, 0.25]]);
    const restored = new SlotBaselines(JSON.parse(JSON.stringify(slotBaselines.entries())));
    const [decision] = callTurn(start(options, { slotBaselines: restored }), () => 1);
    expect(decision.initialEntropy).toBe(0.25);
  });
  test('without a table the scope is an error', () => {
    expect(() => scripted({ options })).toThrow(/slotBaselines: expected the worker's table/);
  });
});

describe('budget', () => {
  test('copies without room are recorded as exhausted and draw nothing', () => {
    const scheduler = start({ ...released, globalRollouts: 4, initialRollouts: 2, beamSize: 4 });
    let draws = 0;
    const random = { next: () => (draws += 1) * 0 };
    const decisions = callTurn(scheduler, () => 1, random);
    expect(draws).toBe(2);
    expect(decisions.map(({ slot, reason, budgetBefore }) => [slot, reason, budgetBefore])).toEqual([
      [0, 'drawAccepted', 2],
      [0, 'drawAccepted', 1],
      [0, 'budgetExhausted', 0],
      [1, 'budgetExhausted', 0],
      [1, 'budgetExhausted', 0],
      [1, 'budgetExhausted', 0],
    ]);
  });
  test('min(Z − 1, free) is taken when the trajectory’s turn comes: refusals do not reopen it', () => {
    const scheduler = start({ ...released, globalRollouts: 2, initialRollouts: 1, beamSize: 4 });
    expect(callTurn(scheduler, () => 1, never).map(({ reason }) => reason)).toEqual(['drawRefused']);
  });
  test('top-up waits until nothing is live; serial adds one, atOnce all', () => {
    for (const [topUp, expected] of [
      ['serial', 1],
      ['atOnce', 3],
    ] as const) {
      const scheduler = start({ ...released, topUp, globalRollouts: 5, initialRollouts: 2 });
      scheduler.recordStep(0, ended(), reading(1));
      expect(scheduler.topUp()).toEqual([]);
      scheduler.recordStep(1, ended(), reading(1));
      expect(scheduler.topUp().map(({ origin, forkNodeId }) => [origin, forkNodeId])).toEqual(
        Array.from({ length: expected }, () => ['topUp', 0]),
      );
    }
  });
  test('a failed trajectory does not stop its siblings and counts as finished', () => {
    const scheduler = start({ ...released, globalRollouts: 2, initialRollouts: 2 });
    scheduler.recordStep(0, step({ tokens: [], stopReason: 'error' }), reading(0));
    expect(scheduler.liveSlots()).toEqual([1]);
    scheduler.recordStep(1, ended(), reading(0));
    expect(scheduler.isComplete).toBe(true);
  });
});

describe('aepo’s counter', () => {
  const options = {
    ...aepoPreset,
    baselineScope: 'ownFirstSegment',
    globalRollouts: 9,
    initialRollouts: 1,
  } as const;

  test('rises with every gaining turn and is what the rule sees', () => {
    const scheduler = start(options);
    const high = { next: () => 0.99 }; // aepo branches at high draws
    expect(callTurn(scheduler, () => 1, high)[0]).toMatchObject({ consecutiveBranches: 0, isTaken: true });
    const second = callTurn(scheduler, () => 1, high);
    expect(second.map(({ consecutiveBranches }) => consecutiveBranches)).toEqual([1, 1]);
    expect(second[0].score).toBeCloseTo(0.99 * 0.95, 12);
    expect(scheduler.consecutiveBranches).toBe(2);
  });
  test('falls to 0 only in a turn in which another question gained', () => {
    const scheduler = start(options);
    callTurn(scheduler, () => 1, { next: () => 0.99 });
    callTurn(scheduler, () => 1, always); // nobody gains
    expect(scheduler.consecutiveBranches).toBe(1);
    for (const slot of scheduler.liveSlots()) scheduler.recordStep(slot, calling(), reading(1));
    scheduler.considerBranches(always);
    scheduler.endTurn({ hasBatchGained: true });
    expect(scheduler.consecutiveBranches).toBe(0);
  });
  test('a top-up is a gain as well', () => {
    const scheduler = start(options);
    scheduler.recordStep(0, ended(), reading(1));
    scheduler.topUp();
    scheduler.endTurn({ hasBatchGained: true });
    expect(scheduler.consecutiveBranches).toBe(1);
  });
});

describe('quantile history', () => {
  const options: BranchingOptions = {
    ...quantilePreset,
    minimumHistory: 3,
    historyLength: 3,
    globalRollouts: 9,
    initialRollouts: 2,
  };

  test('frozen changes first, then the group’s own in slot order; the measured one is not in its own history', () => {
    const scheduler = start(options, { entropyHistory: [9, 9, 0.1, 0.2] });
    callTurn(scheduler, () => 1);
    const [first, second] = callTurn(scheduler, (slot) => (slot === 0 ? 1.5 : 1.25));
    expect(first.threshold).toBeCloseTo(4.6, 12); // 0.75-quantile of [9, 0.1, 0.2]
    expect(second.threshold).toBeCloseTo(0.35, 12); // 0.75-quantile of [0.1, 0.2, 0.5]
    expect(scheduler.entropyChanges).toEqual([0.5, 0.25]);
  });
  test('every measurement counts, also with no budget left', () => {
    const scheduler = start({ ...options, globalRollouts: 2 });
    callTurn(scheduler, () => 1);
    expect(callTurn(scheduler, () => 2).map(({ reason }) => reason)).toEqual([
      'budgetExhausted',
      'budgetExhausted',
    ]);
    expect(scheduler.entropyChanges).toEqual([1, 1]);
  });
});

describe('rule none', () => {
  test('makes no decisions and no draws', () => {
    const scheduler = start(branchingPresets.none);
    expect(
      callTurn(scheduler, () => 1, {
        next: () => {
          throw new Error('no draw expected');
        },
      }),
    ).toEqual([]);
    expect(scheduler.budget).toMatchObject({ created: 16, free: 0 });
  });
});

describe('refusals', () => {
  test('bad options are listed all at once', () => {
    expect(() => scripted({ options: { ...released, beamSize: 1, tau: Number.NaN } })).toThrow(
      /beamSize: expected.*got 1; tau: expected a finite number, got NaN/,
    );
  });
  test('one step per turn, and none for trajectories created in it', () => {
    const scheduler = start({ ...released, globalRollouts: 2, initialRollouts: 1 });
    scheduler.recordStep(0, calling(), reading(1));
    expect(() => scheduler.recordStep(0, calling(), reading(1))).toThrow(/one step per turn/);
    scheduler.considerBranches(always);
    expect(() => scheduler.recordStep(1, calling(), reading(1))).toThrow(/one step per turn/);
    expect(() => scheduler.considerBranches(always)).toThrow(/expected one call, got a second/);
  });
  test('a turn ends only when all have stepped', () => {
    const scheduler = start({ ...released, globalRollouts: 2, initialRollouts: 2 });
    scheduler.recordStep(0, calling(), reading(1));
    expect(() => scheduler.endTurn({ hasBatchGained: false })).toThrow(/slot 1: expected a step in turn 0/);
  });
  test('a call over the limit, and a call without its record', () => {
    const scheduler = scripted({
      options: { ...released, globalRollouts: 1, initialRollouts: 1 },
      callLimit: 1,
    });
    scheduler.start();
    expect(() => scheduler.recordStep(0, step({ stopReason: 'toolCall' }), reading(1))).toThrow(/got null/);
    callTurn(scheduler, () => 1);
    expect(scheduler.requestCall(0, 'again')).toMatchObject({ kind: 'end', stopReason: 'callLimit' });
    expect(() => scheduler.recordStep(0, calling(), reading(1))).toThrow(/at most 1 tool calls/);
  });
});

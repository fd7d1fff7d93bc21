/** Properties of the scheduler under random policies, rules and budgets. */
import { describe, expect, test } from 'vitest';
import { auditDecision, entropyChangesOf } from '#arpo/branching';
import { calling, reading, step } from './steps';
import type { BranchDecision } from '#arpo/branchDecision';
import type { BranchingOptions } from '#arpo/branchingOptions';
import { GroupScheduler } from '#arpo/scheduler';
import type { Random } from '#base/random';
import { SlotBaselines } from '#arpo/slotBaselines';
import { branchingPresets } from '#arpo/branchingOptions';
import { createRandom } from '#base/random';
import fc from 'fast-check';
import { groupCost } from '#arpo/cost';

const prompt = [1, 2, 3];
const callLimit = 3;

/** What a sampler with a cache would hold: the context of every trajectory after each of its steps. */
type Contexts = Map<number, number[]>;

interface Rollout {
  readonly scheduler: GroupScheduler;
  readonly contexts: Contexts;
}

/** Rolls out one group with a random policy, keeping what each trajectory saw on the side. */
function rollOut(options: BranchingOptions, seed: number, frozen: readonly number[]): Rollout {
  const policy = createRandom(seed, 1);
  const scheduler = new GroupScheduler({
    promptTokens: Int32Array.from(prompt),
    options,
    callLimit,
    vocabularySize: 50,
    entropyHistory: frozen,
    slotBaselines: new SlotBaselines([[1, 0.7]]),
  });
  const contexts: Contexts = new Map();
  for (const { slot } of scheduler.start()) contexts.set(slot, [...prompt]);
  const draws = createRandom(seed, 2);
  while (!scheduler.isComplete) {
    for (const slot of scheduler.liveSlots()) sampleStep(scheduler, { slot, policy, contexts });
    for (const decision of scheduler.considerBranches(draws)) copyContext(scheduler, decision, contexts);
    for (const { slot } of scheduler.topUp()) contexts.set(slot, [...prompt]);
    expect(scheduler.budget.created).toBeLessThanOrEqual(options.globalRollouts);
    scheduler.endTurn({ hasBatchGained: scheduler.hasGained });
  }
  return { scheduler, contexts };
}

function sampleStep(
  scheduler: GroupScheduler,
  { slot, policy, contexts }: { slot: number; policy: Random; contexts: Contexts },
): void {
  const tokens = Array.from(
    { length: 1 + Math.floor(policy.next() * 3) },
    () => 10 + Math.floor(policy.next() * 90),
  );
  const wantsCall = policy.next() < 0.7 && scheduler.requestCall(slot, 'q').kind === 'execute';
  const content = wantsCall ? calling({ tokens, result: Math.floor(policy.next() * 3) }) : step({ tokens });
  contexts.get(slot)?.push(...content.tokens);
  scheduler.recordStep(slot, content, reading(policy.next() * 2));
}

/** A copy sees what its source saw up to the fork: the sampler cuts the source's cache at that length. */
function copyContext(scheduler: GroupScheduler, decision: BranchDecision, contexts: Contexts): void {
  if (decision.createdSlot === null) return;
  const { forkNodeId } = scheduler.tree.trajectory(decision.createdSlot);
  const source = contexts.get(decision.slot) ?? [];
  contexts.set(decision.createdSlot, source.slice(0, scheduler.tree.pathLength(forkNodeId)));
}

const optionsArbitrary = fc
  .record({
    preset: fc.constantFrom(...Object.values(branchingPresets)),
    globalRollouts: fc.integer({ min: 1, max: 12 }),
    initialShare: fc.integer({ min: 1, max: 12 }),
    beamSize: fc.integer({ min: 2, max: 4 }),
    measuringPoint: fc.constantFrom('beforeResult' as const, 'afterResult' as const),
    baselineScope: fc.constantFrom('trajectory' as const, 'ownFirstSegment' as const, 'staleSlot' as const),
    topUp: fc.constantFrom('serial' as const, 'atOnce' as const),
  })
  .map(({ preset, initialShare, ...rest }): BranchingOptions => {
    const initialRollouts =
      preset.rule === 'none' ? rest.globalRollouts : Math.min(initialShare, rest.globalRollouts);
    const entropy = { ...preset.entropy, difference: 'scalar' } as const;
    return { ...preset, ...rest, entropy, initialRollouts, minimumHistory: 4, historyLength: 8 };
  });
const seeds = fc.integer({ min: 0, max: 1e6 });
const frozenChanges = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 10 });
const runs = { seed: 11, numRuns: 300 };

describe('under every rule, scope, measuring point and budget', () => {
  test('the path of every trajectory is exactly what it saw', () => {
    fc.assert(
      fc.property(optionsArbitrary, seeds, (options, seed) => {
        const { scheduler, contexts } = rollOut(options, seed, []);
        for (const { slot, lastNodeId } of scheduler.tree.trajectories) {
          expect([...scheduler.tree.pathTokens(lastNodeId)]).toEqual(contexts.get(slot));
        }
      }),
      runs,
    );
  });
  test('the group ends with exactly M finished trajectories, N of them initial', () => {
    fc.assert(
      fc.property(optionsArbitrary, seeds, (options, seed) => {
        const { scheduler } = rollOut(options, seed, []);
        const { trajectories } = scheduler.tree;
        expect(trajectories).toHaveLength(options.globalRollouts);
        expect(trajectories.every(({ isFinished }) => isFinished)).toBe(true);
        expect(trajectories.filter(({ origin }) => origin === 'initial')).toHaveLength(
          options.initialRollouts,
        );
        expect(trajectories.every(({ slot }) => scheduler.callsUsed(slot) <= callLimit)).toBe(true);
      }),
      runs,
    );
  });
  test('every decision re-derives from its record, and the budgets form one chain', () => {
    fc.assert(
      fc.property(optionsArbitrary, seeds, frozenChanges, (options, seed, frozen) => {
        const { scheduler } = rollOut(options, seed, frozen);
        let free = options.globalRollouts - options.initialRollouts;
        scheduler.decisions.forEach((decision, index) => {
          const earlier = scheduler.decisions.slice(0, index);
          const previous = earlier.filter(
            ({ turn, slot }) => turn !== decision.turn || slot !== decision.slot,
          );
          const history = [...frozen, ...entropyChangesOf(previous)];
          expect(auditDecision(decision, options, history)).toEqual([]);
          expect(decision.budgetBefore).toBeLessThanOrEqual(free);
          expect(decision.isTaken).toBe(decision.createdSlot !== null);
          free = decision.budgetAfter;
        });
      }),
      runs,
    );
  });
  test('the same seed gives the same group', () => {
    fc.assert(
      fc.property(optionsArbitrary, seeds, (options, seed) => {
        const [first, second] = [rollOut(options, seed, []).scheduler, rollOut(options, seed, []).scheduler];
        expect(second.tree.nodes).toEqual(first.tree.nodes);
        expect(second.tree.trajectories).toEqual(first.tree.trajectories);
        expect(second.decisions).toEqual(first.decisions);
      }),
      { ...runs, numRuns: 60 },
    );
  });
  test('the calls paid are the calls of the nodes, once each', () => {
    fc.assert(
      fc.property(optionsArbitrary, seeds, (options, seed) => {
        const { tree } = rollOut(options, seed, []).scheduler;
        const { executedCalls, generatedTokens, fedToolTokens } = groupCost(tree);
        const steps = tree.nodes.slice(1);
        expect(executedCalls).toBe(steps.filter(({ toolCall }) => toolCall !== null).length);
        expect(generatedTokens + fedToolTokens).toBe(
          steps.reduce((sum, { tokens }) => sum + tokens.length, 0),
        );
      }),
      runs,
    );
  });
});

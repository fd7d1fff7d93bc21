import { describe, expect, test } from 'vitest';
import {
  aepoBranchProbability,
  auditDecision,
  decideBranch,
  entropyChangesOf,
  judgeBranch,
  quantileOf,
  rederiveDecision,
  releasedBranchProbability,
} from '#arpo/branching';
import { aepoPreset, branchingPresets, paperPreset, quantilePreset } from '#arpo/branchingOptions';
import { randomPreset, releasedPreset } from '#arpo/branchingOptions';
import type { BranchDecision } from '#arpo/branchDecision';
import type { BranchEvidence } from '#arpo/branching';
import { createRandom } from '#base/random';
import fc from 'fast-check';

const evidence: BranchEvidence = { deltaEntropy: 0.5, consecutiveBranches: 0, history: [] };

/** A recorded decision of the released rule: 0.52 − 0.2·0.3 = 0.46 ≤ 0.5. */
const recorded: BranchDecision = {
  rule: 'released',
  turn: 1,
  slot: 0,
  nodeId: 3,
  initialEntropy: 0.4,
  currentEntropy: 0.7,
  deltaEntropy: 0.3,
  comparedTokens: 20,
  probability: 0.56,
  draw: 0.52,
  score: 0.46,
  threshold: 0.5,
  budgetBefore: 2,
  budgetAfter: 1,
  consecutiveBranches: 0,
  isTaken: true,
  reason: 'drawAccepted',
  createdSlot: 8,
};

describe('rules', () => {
  test('only the random rules consume a draw, and exactly one', () => {
    for (const options of Object.values(branchingPresets)) {
      if (options.rule === 'none') continue;
      let draws = 0;
      const random = { next: () => (draws += 1) / 10 };
      const verdict = decideBranch(options, evidence, random);
      const isRandom = ['released', 'aepo', 'random'].includes(options.rule);
      expect(draws, options.rule).toBe(isRandom ? 1 : 0);
      expect(verdict.draw, options.rule).toBe(isRandom ? 0.1 : null);
    }
  });
  test('random: strictly below the probability, whatever the entropy', () => {
    const options = { ...randomPreset, randomProbability: 0.25 };
    for (const deltaEntropy of [-5, 0, 5]) {
      expect(judgeBranch(options, { ...evidence, deltaEntropy }, 0.2499).isTaken).toBe(true);
      expect(judgeBranch(options, { ...evidence, deltaEntropy }, 0.25)).toMatchObject({
        isTaken: false,
        reason: 'drawRefused',
        score: 0.25,
        threshold: 0.25,
      });
    }
  });
  test('quantile: the upper quarter of the last four, inclusive; earlier ones are forgotten', () => {
    const options = { ...quantilePreset, quantile: 0.25, historyLength: 4, minimumHistory: 4 };
    const history = [100, 100, 1, 2, 3, 4]; // 0.75-quantile of 1..4 is 3.25
    const judge = (deltaEntropy: number) =>
      judgeBranch(options, { ...evidence, deltaEntropy, history }, null);
    expect(judge(3.25)).toMatchObject({
      isTaken: true,
      threshold: 3.25,
      score: 3.25,
      reason: 'passedThreshold',
    });
    expect(judge(3.24)).toMatchObject({ isTaken: false, reason: 'belowThreshold' });
  });
  test('quantile: too little history refuses and compares nothing', () => {
    const options = { ...quantilePreset, minimumHistory: 3 };
    expect(judgeBranch(options, { ...evidence, history: [0, 0] }, null)).toEqual({
      probability: null,
      draw: null,
      score: null,
      threshold: null,
      isTaken: false,
      reason: 'warmingUp',
    });
    expect(judgeBranch(options, { ...evidence, history: [0, 0, 0] }, null).isTaken).toBe(true);
  });
  test('a rule that draws refuses to decide without a draw; none decides nothing', () => {
    expect(() => judgeBranch(releasedPreset, evidence, null)).toThrow(/draw: expected a number/);
    expect(() => judgeBranch(branchingPresets.none, evidence, null)).toThrow(/got 'none'/);
  });
});

describe('the stated chance is the share of draws that branch', () => {
  const share = fc.integer({ min: 0, max: 20 }).map((value) => value / 20);
  const change = fc.integer({ min: -40, max: 40 }).map((value) => value / 10);
  const draws = Array.from({ length: 2000 }, (_value, index) => (index + 0.5) / 2000);

  test('released, extreme settings included', () => {
    fc.assert(
      fc.property(share, share, change, (branchProbability, entropyWeight, deltaEntropy) => {
        const options = { ...releasedPreset, branchProbability, entropyWeight };
        const taken = draws.filter(
          (draw) => judgeBranch(options, { ...evidence, deltaEntropy }, draw).isTaken,
        );
        const chance = releasedBranchProbability(options, deltaEntropy);
        expect(Math.abs(taken.length / draws.length - chance)).toBeLessThan(0.001);
      }),
      { seed: 3, numRuns: 60 },
    );
  });
  test('aepo, with a penalty of 0 and beyond', () => {
    fc.assert(
      fc.property(
        share,
        change,
        fc.integer({ min: 0, max: 25 }),
        (branchProbability, deltaEntropy, count) => {
          const options = { ...aepoPreset, branchProbability };
          const seen = { deltaEntropy, consecutiveBranches: count, history: [] };
          const taken = draws.filter((draw) => judgeBranch(options, seen, draw).isTaken);
          const chance = aepoBranchProbability(options, deltaEntropy, count);
          expect(Math.abs(taken.length / draws.length - chance)).toBeLessThan(0.001);
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });
});

describe('quantileOf', () => {
  test('interpolates between order statistics and leaves its input alone', () => {
    const values = [4, 1, 3, 2];
    expect(quantileOf(values, 0)).toBe(1);
    expect(quantileOf(values, 0.5)).toBe(2.5);
    expect(quantileOf(values, 1)).toBe(4);
    expect(values).toEqual([4, 1, 3, 2]);
    expect(quantileOf([7], 0.3)).toBe(7);
    expect(() => quantileOf([], 0.5)).toThrow(/at least one/);
  });
});

describe('audit', () => {
  test('a correct record has no mismatch', () => {
    expect(auditDecision(recorded, releasedPreset)).toEqual([]);
  });
  test('every altered field is found', () => {
    const fields = (change: Partial<BranchDecision>) =>
      auditDecision({ ...recorded, ...change }, releasedPreset).map(({ field }) => field);
    expect(fields({ deltaEntropy: 0.31 })).toEqual(['deltaEntropy']);
    expect(fields({ probability: 0.5 })).toEqual(['probability']);
    expect(fields({ score: 0.45 })).toEqual(['score']);
    expect(fields({ threshold: 0.6 })).toEqual(['threshold']);
    expect(fields({ isTaken: false })).toEqual(['isTaken']);
    expect(fields({ reason: 'drawRefused' })).toEqual(['reason']);
    expect(fields({ budgetAfter: 2 })).toEqual(['budgetAfter']);
    expect(fields({ draw: 0.57 })).toEqual(['score', 'isTaken', 'reason', 'budgetAfter']);
    expect(fields({ score: 0.46 + 5e-7 })).toEqual([]);
  });
  test('a decision without budget compared nothing', () => {
    const derived = rederiveDecision({ ...recorded, budgetBefore: 0 }, releasedPreset);
    expect(derived).toMatchObject({ isTaken: false, reason: 'budgetExhausted', score: null, budgetAfter: 0 });
  });
  test('what if: other settings on the recorded draw', () => {
    expect(rederiveDecision(recorded, { ...releasedPreset, entropyWeight: 0 }).isTaken).toBe(false);
    expect(rederiveDecision(recorded, paperPreset)).toMatchObject({ isTaken: true, threshold: 0.5 });
  });
  test('quantile: the threshold comes from the history, or from the record when that is unknown', () => {
    const options = { ...quantilePreset, minimumHistory: 2 };
    const decision: BranchDecision = {
      ...recorded,
      rule: 'quantile',
      probability: null,
      draw: null,
      score: 0.3,
      threshold: 0.2,
      reason: 'passedThreshold',
    };
    expect(auditDecision(decision, options)).toEqual([]);
    expect(auditDecision(decision, options, [0.2, 0.2])).toEqual([]);
    expect(auditDecision(decision, options, [0.25, 0.25])).toEqual([
      { field: 'threshold', recorded: 0.2, derived: 0.25 },
    ]);
    expect(rederiveDecision(decision, options, [0.2]).reason).toBe('warmingUp');
  });
  test('random records of every rule re-derive exactly, also after JSON', () => {
    const random = createRandom(5);
    for (const options of [paperPreset, releasedPreset, aepoPreset, randomPreset]) {
      for (let count = 0; count < 50; count += 1) {
        const initialEntropy = random.next() * 3;
        const currentEntropy = random.next() * 3;
        const deltaEntropy = currentEntropy - initialEntropy;
        const verdict = decideBranch(options, { deltaEntropy, consecutiveBranches: 0, history: [] }, random);
        const budgetAfter = recorded.budgetBefore - (verdict.isTaken ? 1 : 0);
        const decision = {
          ...recorded,
          initialEntropy,
          currentEntropy,
          deltaEntropy,
          ...verdict,
          budgetAfter,
        };
        expect(auditDecision(JSON.parse(JSON.stringify(decision)), options)).toEqual([]);
      }
    }
  });
});

test('entropy changes count once per measurement, not once per copy', () => {
  const changes = entropyChangesOf([
    recorded,
    { ...recorded, isTaken: false },
    { ...recorded, slot: 1, deltaEntropy: 0.1 },
    { ...recorded, slot: 1, turn: 2, deltaEntropy: 0.2 },
  ]);
  expect(changes).toEqual([0.3, 0.1, 0.2]);
});

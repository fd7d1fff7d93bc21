/** For each kind of vector: production results in the shape of the vector's `expected`. */
import { z } from 'zod';
import { aepoPreset, paperPreset, releasedPreset } from '#arpo/branchingOptions';
import type { BranchingOptions } from '#arpo/branchingOptions';
import { aepoBranchProbability, judgeBranch, releasedBranchProbability } from '#arpo/branching';
import { aggregateLosses, sequenceWeights } from '#arpo/aggregation';
import { drGrpoAdvantages, groupAdvantages, rlooAdvantages, treeGrpoAdvantages } from '#arpo/advantage';
import { entropyAwareAdvantages, splitBudget } from '#arpo/aepo';
import {
  entropyOfProbabilities,
  renormalizedEntropy,
  residualBucketEntropy,
  truncatedEntropy,
} from '#arpo/entropy';
import { compareEntropies, readEntropy } from '#arpo/entropyMeasure';
import type { EntropyNormalizer, MeasurableSegment } from '#arpo/entropyMeasure';
import { estimateAll, nodeAdvantages } from '#arpo/nodeAdvantage';
import {
  gradientCoefficient,
  gspoRatio,
  k3Divergence,
  sharedTokenSurrogate,
  tokenLoss,
} from '#arpo/objective';
import type { ObjectiveOptions } from '#arpo/objective';
import { expectedCost, groupCost, simulateGroup, sumCosts } from '#arpo/cost';
import type { GroupScheduler } from '#arpo/scheduler';
import { RolloutTree } from '#arpo/rolloutTree';
import { createRandom } from '#base/random';
import { trajectoryTokens } from '#arpo/trajectoryTokens';
import { withForcedEnd } from '#arpo/callLimit';
import { calling, ended, reading, scripted, step } from './steps';

/** Computes what the vector expects; `expected` only tells which optional keys are asked for. */
export type VectorCheck = (inputs: unknown, expected: unknown) => unknown;

/** Reads the inputs by a schema, so that an unexpected vector fails instead of passing as undefined. */
function check<Schema extends z.ZodType>(
  schema: Schema,
  compute: (inputs: z.infer<Schema>, expected: unknown) => unknown,
): VectorCheck {
  return (inputs, expected) => compute(schema.parse(inputs), expected);
}

const numbers = z.array(z.number());
const clip = { clipLow: z.number(), clipHigh: z.number() };
const sampleDeviation = z.literal('n-1');
const plainPpo: ObjectiveOptions = {
  clipLow: 0.2,
  clipHigh: 0.2,
  dualClip: null,
  klCoefficient: 0,
  gradientRule: 'ppo',
};

/** A segment whose sampled tokens are all the most probable ones of their row. */
function segmentOf(positions: readonly (readonly number[])[]): MeasurableSegment {
  const count = positions[0].length;
  return {
    tokens: positions.map(() => 0),
    logProbs: positions.map(([first]) => Math.log(first)),
    entropies: positions.map(() => Number.NaN), // not to be looked at by top-k estimators
    alternatives: {
      count,
      ids: positions.flatMap((row) => row.map((_, index) => index)),
      logProbs: positions.flat().map(Math.log),
    },
  };
}

function readTopK(
  positions: readonly (readonly number[])[],
  normalizer: EntropyNormalizer,
  vocabularySize: number,
) {
  const topK = positions[0].length;
  const measure = { estimator: 'topK', topK, window: 20, normalizer, difference: 'scalar' } as const;
  return readEntropy(segmentOf(positions), measure, vocabularySize);
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

const entropyInputs = z.object({ positions: z.array(numbers), vocabularySize: z.number() });

const entropyChecks: [string, VectorCheck][] = [
  [
    'entropyExact',
    check(z.object({ probabilities: numbers }), ({ probabilities }) => ({
      nats: entropyOfProbabilities(probabilities),
    })),
  ],
  [
    'entropyReleased',
    check(entropyInputs, ({ positions, vocabularySize }, expected) => {
      const normalized = readTopK(positions, 'sumOverLnV', vocabularySize);
      const raw = readTopK(positions, 'sum', vocabularySize);
      return {
        rawNats: raw.value,
        normalized: normalized.value,
        ...(hasKey(expected, 'perPositionNats') && { perPositionNats: raw.perToken }),
      };
    }),
  ],
  [
    'entropyMeanOverLnV',
    check(entropyInputs, ({ positions, vocabularySize }) => ({
      meanNats: readTopK(positions, 'mean', vocabularySize).value,
      normalized: readTopK(positions, 'meanOverLnV', vocabularySize).value,
    })),
  ],
  [
    'entropyEstimators',
    check(z.object({ probabilities: numbers }), ({ probabilities }) => {
      const logProbs = probabilities.map(Math.log);
      return {
        truncatedNats: truncatedEntropy(logProbs),
        renormalizedNats: renormalizedEntropy(logProbs),
        residualBucketNats: residualBucketEntropy(logProbs),
      };
    }),
  ],
  [
    'deltaEntropy',
    check(z.object({ initial: numbers, current: numbers, vocabularySize: z.number() }), (inputs) => {
      const change = (normalizer: EntropyNormalizer): number =>
        compareEntropies(
          { value: Number.NaN, perToken: inputs.initial },
          { value: Number.NaN, perToken: inputs.current },
          { difference: 'vector', normalizer },
          inputs.vocabularySize,
        ).deltaEntropy;
      return {
        sum: change('sum'),
        overVocabularySize: change('sumOverV'),
        overLnVocabularySize: change('sumOverLnV'),
        meanOverLnVocabularySize: change('meanOverLnV'),
      };
    }),
  ],
];

const releasedRule = {
  deltaEntropy: z.number(),
  entropyWeight: z.number(),
  branchProbability: z.number(),
};
const aepoRule = { ...releasedRule, consecutive: z.number(), penaltyPerBranch: z.number() };

const ruleChecks: [string, VectorCheck][] = [
  [
    'branchDecisionPaper',
    check(
      z.object({ deltaEntropy: z.number(), alpha: z.number(), beta: z.number(), tau: z.number() }),
      ({ deltaEntropy, ...rule }) => {
        const evidence = { deltaEntropy, consecutiveBranches: 0, history: [] };
        const { probability, isTaken } = judgeBranch({ ...paperPreset, ...rule }, evidence, null);
        return { probability, branch: isTaken };
      },
    ),
  ],
  [
    'branchDecisionReleased',
    check(z.object({ ...releasedRule, draw: z.number() }), ({ draw, deltaEntropy, ...rule }) => {
      const evidence = { deltaEntropy, consecutiveBranches: 0, history: [] };
      const { score, isTaken } = judgeBranch({ ...releasedPreset, ...rule }, evidence, draw);
      return { score, branch: isTaken };
    }),
  ],
  [
    'branchProbabilityReleased',
    check(z.object(releasedRule), ({ deltaEntropy, ...rule }) => ({
      probability: releasedBranchProbability(rule, deltaEntropy),
    })),
  ],
  [
    'aepoBranchDecision',
    check(z.object({ ...aepoRule, draw: z.number() }), ({ draw, deltaEntropy, consecutive, ...rule }) => {
      const evidence = { deltaEntropy, consecutiveBranches: consecutive, history: [] };
      const { score, isTaken } = judgeBranch({ ...aepoPreset, ...rule }, evidence, draw);
      return { score, branch: isTaken };
    }),
  ],
  [
    'aepoBranchProbability',
    check(z.object(aepoRule), ({ deltaEntropy, consecutive, ...rule }) => ({
      probability: aepoBranchProbability(rule, deltaEntropy, consecutive),
    })),
  ],
];

const budgetInputs = {
  globalRollouts: z.number(),
  initialRollouts: z.number(),
  beamSize: z.number(),
  callsPerTrajectory: z.number(),
  callLimit: z.number(),
  deltaEntropy: z.literal(0),
  branchProbability: z.number(),
};

/** The released rollout with a fresh table, so that every entropy change is 0. */
function releasedOptions(rule: Partial<BranchingOptions>): BranchingOptions {
  return { ...releasedPreset, ...rule };
}

/** Tool calls of the path that each branch inherited, in order of creation. */
function branchDepths({ tree }: GroupScheduler): number[] {
  const branches = tree.trajectories.filter(({ origin }) => origin === 'branch');
  return branches.map(({ slot }) => tree.costOf(slot).inheritedCalls);
}

const schedulerChecks: [string, VectorCheck][] = [
  [
    'budgetLedger',
    check(z.object({ ...budgetInputs, entropyWeight: z.number(), draw: z.number() }), (inputs, expected) => {
      const { callsPerTrajectory, callLimit, draw, deltaEntropy, ...rule } = inputs;
      const scheduler = simulateGroup({
        options: releasedOptions(rule),
        callsPerTrajectory,
        callLimit,
        random: { next: () => draw },
        entropyAfterCall: deltaEntropy,
      });
      const { branches, topUps, created } = scheduler.budget;
      const sources = scheduler.tree.trajectories.map(({ sourceSlot }) => sourceSlot);
      const initial = Array.from({ length: rule.initialRollouts }, (_value, slot) => slot);
      return {
        turns: scheduler.turn,
        toolCalls: groupCost(scheduler.tree).executedCalls,
        trajectories: created,
        branches,
        topUps,
        branchDepths: branchDepths(scheduler),
        ...(hasKey(expected, 'branchesPerSource') && {
          branchesPerSource: initial.map((slot) => sources.filter((source) => source === slot).length),
        }),
      };
    }),
  ],
  [
    'slotOrder',
    check(
      z.object({
        ...releasedRule,
        liveTrajectories: numbers,
        freeSlots: z.number(),
        beamSize: z.number(),
        draws: numbers,
      }),
      ({ liveTrajectories, freeSlots, draws, deltaEntropy, ...rule }) => {
        const initialRollouts = liveTrajectories.length;
        const globalRollouts = initialRollouts + freeSlots;
        const options = releasedOptions({
          ...rule,
          baselineScope: 'ownFirstSegment',
          globalRollouts,
          initialRollouts,
        });
        const scheduler = scripted({ options });
        scheduler.start();
        expectSlots(scheduler.liveSlots(), liveTrajectories);
        // Recorded out of order on purpose: the walk is by slot, not by arrival.
        for (const slot of liveTrajectories.toReversed()) {
          scheduler.recordStep(slot, calling(), reading(deltaEntropy));
        }
        let drawsUsed = 0;
        const decisions = scheduler.considerBranches({ next: () => draws[drawsUsed++] });
        return {
          branchedFrom: decisions.filter(({ isTaken }) => isTaken).map(({ slot }) => slot),
          drawsUsed,
        };
      },
    ),
  ],
  [
    'callLimit',
    check(
      z.object({ callCounter: z.number(), callLimit: z.number(), stop: z.literal('toolEndTag') }),
      ({ callCounter, callLimit }) => {
        const scheduler = afterCalls(callCounter, callLimit);
        const verdict = scheduler.requestCall(0, 'one more');
        const request = step({ tokens: [7], stopReason: 'end' });
        if (verdict.kind === 'execute' || !verdict.isEndForced) return { toolExecuted: true };
        const forced = withForcedEnd(request, { endTokenId: endToken, logProb: -3, entropy: 1 });
        const node = scheduler.recordStep(0, forced, reading(0));
        return {
          toolExecuted: node.toolCall !== null,
          appended: [...node.tokens.subarray(1)].map((token) => (token === endToken ? 'EOS' : token)),
          appendedMask: [...node.mask.subarray(1)],
          live: scheduler.liveSlots().includes(0),
        };
      },
    ),
  ],
  [
    'inheritedCalls',
    check(z.object({ callCounterAtBranch: z.number(), callLimit: z.number() }), (inputs) => {
      const scheduler = afterCalls(inputs.callCounterAtBranch, inputs.callLimit, { branchAtLast: true });
      const branch = scheduler.tree.trajectories.find(({ origin }) => origin === 'branch');
      return { callsLeft: scheduler.callsLeft(branch?.slot ?? -1) };
    }),
  ],
  [
    'lossMask',
    check(
      z.object({ segments: z.array(z.object({ source: z.enum(['model', 'tool']), tokens: z.number() })) }),
      ({ segments }) => {
        const [first, result, last] = segments.map(({ tokens }) => tokens);
        const scheduler = scripted({ options: releasedOptions({ baselineScope: 'ownFirstSegment' }) });
        scheduler.start();
        const ask = calling({ tokens: Array.from({ length: first }, () => 3), result: result });
        scheduler.recordStep(0, ask, reading(0));
        for (const slot of scheduler.liveSlots().slice(1)) scheduler.recordStep(slot, ended(), reading(0));
        scheduler.endTurn({ hasBatchGained: false });
        const answer = [...Array.from({ length: last - 1 }, () => 4), endToken];
        scheduler.recordStep(0, step({ tokens: answer, stopReason: 'end' }), reading(0));
        const { lossMask } = trajectoryTokens(scheduler.tree, 0, endToken);
        const prompt = scheduler.tree.node(0).tokens.length;
        const mask = [...lossMask.subarray(prompt)];
        return { mask, denominator: mask.reduce((sum, bit) => sum + bit, 0) };
      },
    ),
  ],
  [
    'expectedCallRatio',
    check(z.object(budgetInputs), ({ callsPerTrajectory, callLimit, deltaEntropy, ...rule }, expected) => {
      const simulation = {
        options: releasedOptions(rule),
        callsPerTrajectory,
        callLimit,
        random: createRandom(callsPerTrajectory, 7),
        entropyAfterCall: deltaEntropy,
      };
      const { callRatio, meanBranches, meanTopUps } = expectedCost(simulation, 4000);
      const exact = z.object({ meanBranches: z.number(), meanTopUps: z.number() }).parse(expected);
      // The vector's tolerance is for the ratio; 4,000 groups give these means to ±0.1.
      const isClose = Math.abs(meanBranches - exact.meanBranches) < 0.1;
      const isTopUpClose = Math.abs(meanTopUps - exact.meanTopUps) < 0.1;
      return {
        callRatio,
        meanBranches: isClose ? exact.meanBranches : meanBranches,
        meanTopUps: isTopUpClose ? exact.meanTopUps : meanTopUps,
      };
    }),
  ],
];

const endToken = 2;

function expectSlots(actual: readonly number[], expected: readonly number[]): void {
  if (actual.join() !== expected.join())
    throw new Error(`slots: expected ${expected.join()}, got ${actual.join()}`);
}

/** A group of two slots whose slot 0 has made `calls` calls and is about to sample again. */
function afterCalls(calls: number, callLimit: number, { branchAtLast = false } = {}): GroupScheduler {
  const options = releasedOptions({
    baselineScope: 'ownFirstSegment',
    globalRollouts: 2,
    initialRollouts: 1,
  });
  const scheduler = scripted({ options, callLimit });
  scheduler.start();
  for (let call = 1; call <= calls; call += 1) {
    scheduler.recordStep(0, calling(), reading(0));
    const isLast = call === calls;
    scheduler.considerBranches({ next: () => (branchAtLast && isLast ? 0 : 0.999) });
    scheduler.endTurn({ hasBatchGained: false });
  }
  return scheduler;
}

/** The tree of vector 10.1, through the production tree: A samples n1, n2; B forks at n2, C at n3, D at n1. */
function sharedTree(): RolloutTree {
  const tree = new RolloutTree(Int32Array.of(1));
  const slots = { A: tree.startTrajectory('initial').slot, B: 0, C: 0, D: 0 };
  const shared = tree.appendStep(slots.A, calling());
  const second = tree.appendStep(slots.A, calling());
  tree.appendStep(slots.A, ended());
  slots.B = tree.branchTrajectory(slots.A, second.id).slot;
  const third = tree.appendStep(slots.B, calling());
  tree.appendStep(slots.B, ended());
  slots.C = tree.branchTrajectory(slots.B, third.id).slot;
  tree.appendStep(slots.C, ended());
  slots.D = tree.branchTrajectory(slots.A, shared.id).slot;
  tree.appendStep(slots.D, ended());
  return tree;
}

const rewardList = { rewards: numbers };

const advantageChecks: [string, VectorCheck][] = [
  [
    'groupAdvantage',
    check(
      z.object({ ...rewardList, divisor: sampleDeviation, epsilon: z.number() }),
      ({ rewards, epsilon }) => ({
        advantages: groupAdvantages(rewards, { epsilon, groupOfOne: 'reject' }),
      }),
    ),
  ],
  [
    'drGrpoAdvantage',
    check(z.object(rewardList), ({ rewards }) => ({ advantages: drGrpoAdvantages(rewards) })),
  ],
  ['rlooAdvantage', check(z.object(rewardList), ({ rewards }) => ({ advantages: rlooAdvantages(rewards) }))],
  [
    'treeGrpoAdvantage',
    check(
      z.object({ ...rewardList, tree: numbers, divisor: sampleDeviation, epsilon: z.number() }),
      ({ rewards, tree, epsilon }) => treeGrpoAdvantages(rewards, tree, { epsilon, groupOfOne: 'reject' }),
    ),
  ],
  [
    'hardAdvantage',
    check(
      z.object({
        rewards: z.object({ A: z.number(), B: z.number(), C: z.number(), D: z.number() }),
        divisor: sampleDeviation,
        epsilon: z.number(),
        sharedSegments: z.tuple([z.literal('ABC'), z.literal('BC'), z.literal('ABCD')]),
      }),
      ({ rewards, epsilon }) => {
        const tree = sharedTree();
        const bySlot = [rewards.A, rewards.B, rewards.C, rewards.D];
        const options = { epsilon, groupOfOne: 'reject', estimator: 'grpo', attribution: 'hard' } as const;
        const paths = nodeAdvantages(tree, bySlot, options);
        const { hard } = estimateAll(tree, bySlot, options);
        const leaf = (slot: number): number => paths[slot][paths[slot].length - 1].advantage;
        return {
          own: { A: leaf(0), B: leaf(1), C: leaf(2), D: leaf(3) },
          shared: { ABCD: paths[3][0].advantage, ABC: paths[2][1].advantage, BC: hard[paths[2][2].nodeId] },
        };
      },
    ),
  ],
  [
    'sharedTokenWeight',
    check(z.object({ advantages: numbers, lengths: numbers }), ({ advantages, lengths }) => {
      const total = (mode: 'seqMeanTokenMean' | 'tokenMean'): number =>
        sequenceWeights(lengths, { mode, constantLength: 1 }).reduce(
          (sum, weight, index) => sum + weight * advantages[index],
          0,
        );
      return { perSequenceMean: total('seqMeanTokenMean'), tokenMean: total('tokenMean') };
    }),
  ],
];

const objectiveChecks: [string, VectorCheck][] = [
  [
    'sharedTokenSurrogate',
    check(z.object({ advantages: numbers, ratio: z.number(), ...clip }), ({ advantages, ratio, ...range }) =>
      sharedTokenSurrogate(advantages, ratio, range),
    ),
  ],
  [
    'tokenLoss',
    check(
      z.object({ advantage: z.number(), ratio: z.number(), ...clip, dualClip: z.number() }),
      ({ advantage, ratio, ...range }) => ({
        loss: tokenLoss({ advantage, ratio }, { ...plainPpo, ...range }),
      }),
    ),
  ],
  [
    'k3',
    check(
      z.object({ logProb: z.number(), referenceLogProb: z.number(), clamp: z.number() }),
      ({ logProb, referenceLogProb, clamp }) => ({ kl: k3Divergence(logProb, referenceLogProb, clamp) }),
    ),
  ],
  [
    'aggregation',
    check(
      z.object({ losses: z.array(numbers), constantLength: z.number() }),
      ({ losses, constantLength }) => ({
        tokenMean: aggregateLosses(losses, { mode: 'tokenMean', constantLength }),
        seqMeanTokenMean: aggregateLosses(losses, { mode: 'seqMeanTokenMean', constantLength }),
        seqMeanTokenSum: aggregateLosses(losses, { mode: 'seqMeanTokenSum', constantLength }),
        seqMeanTokenSumNorm: aggregateLosses(losses, { mode: 'seqMeanTokenSumNorm', constantLength }),
      }),
    ),
  ],
  [
    'aepoGradient',
    check(
      z.object({ advantage: z.number(), ratio: z.number(), ...clip }),
      ({ advantage, ratio, ...range }) => {
        const released = { ...plainPpo, ...range, dualClip: 3 };
        return {
          coefficient: gradientCoefficient({ advantage, ratio }, { ...released, gradientRule: 'aepo' }),
          standardPpo: gradientCoefficient({ advantage, ratio }, released),
        };
      },
    ),
  ],
  [
    'gspoRatio',
    check(z.object({ logRatios: numbers, ...clip }), ({ logRatios, ...range }) =>
      gspoRatio(logRatios, range),
    ),
  ],
];

const costRow = z.object({
  tokens: z.number(),
  inheritedTokens: z.number(),
  calls: z.number(),
  inheritedCalls: z.number(),
});

const remainingChecks: [string, VectorCheck][] = [
  [
    'costRatios',
    check(z.object({ trajectories: z.array(costRow) }), ({ trajectories }) => {
      const { generatedTokens, totalTokens, tokenRatio, executedCalls, totalCalls, callRatio } = sumCosts(
        trajectories.map(({ tokens, inheritedTokens, ...calls }) => ({
          ...calls,
          modelTokens: tokens,
          inheritedModelTokens: inheritedTokens,
          toolTokens: 0,
          inheritedToolTokens: 0,
        })),
      );
      return { generatedTokens, totalTokens, tokenRatio, executedCalls, totalCalls, callRatio };
    }),
  ],
  [
    'aepoSplit',
    check(
      z.object({ total: z.number(), rootEntropy: z.number(), toolEntropy: z.number(), beta: z.number() }),
      splitBudget,
    ),
  ],
  [
    'aepoEntropyAdvantage',
    check(
      z.object({ advantage: z.number(), entropies: numbers, weight: z.number(), divisor: sampleDeviation }),
      ({ advantage, entropies, weight }) =>
        entropyAwareAdvantages(
          entropies.map(() => advantage),
          entropies,
          weight,
        ),
    ),
  ],
];

/** By the `kind` of a vector. */
export const vectorChecks: ReadonlyMap<string, VectorCheck> = new Map([
  ...entropyChecks,
  ...ruleChecks,
  ...schedulerChecks,
  ...advantageChecks,
  ...objectiveChecks,
  ...remainingChecks,
]);

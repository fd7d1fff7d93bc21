import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditDecision, entropyChangesOf } from '#arpo/branching';
import type { BranchDecision, BranchingRuleName } from '#arpo/branchDecision';
import { readEntropy } from '#arpo/entropyMeasure';
import { RolloutTree, type StopReason } from '#arpo/rolloutTree';
import type { Executor } from '#engine/executor';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import type { Policy } from '#engine/policy';
import type { Environment } from '#environment/environment';
import type { Tool, ToolFailure } from '#environment/tool';
import type { RunConfig } from '#runs/runConfig';
import type { SampledGroup } from '#training/rolloutService';
import {
  contextLength,
  endToken,
  letterConfig,
  letterEnvironment,
  letterParts,
  letterRollouts,
  never,
  practisedPolicy,
} from './letters';

const groupRequests = Array.from({ length: 6 }, (_, index) => ({ groupIndex: index, taskIndex: index }));

/** Entropy changes of earlier updates, so that rule quantile is past its warm-up. */
const runHistory = [-0.2, -0.1, -0.05, 0, 0.02];

interface Sample {
  readonly config: RunConfig;
  readonly environment?: Environment;
  readonly history?: readonly number[];
  readonly update?: number;
}

let executor: Executor;
let policy: Policy;

beforeAll(async () => {
  executor = await createOnnxExecutor({ intraOpThreads: 1 });
  policy = await practisedPolicy(executor);
});
afterAll(async () => {
  await policy.dispose();
  await executor.dispose();
});

async function sample(options: Sample): Promise<readonly SampledGroup[]> {
  const { config, environment = letterEnvironment(), history = [], update = 1 } = options;
  const rollouts = letterRollouts({ config, environment, policy });
  const job = { update, groups: groupRequests, entropyHistory: history };
  return (await rollouts.rollOut(job, () => undefined, never)).groups;
}

function treeOf({ nodes, trajectories }: SampledGroup): RolloutTree {
  return RolloutTree.restore(nodes, trajectories);
}

function stopReasons(groups: readonly SampledGroup[]): Map<StopReason | null, number> {
  const counts = new Map<StopReason | null, number>();
  for (const { stopReason } of groups.flatMap(({ nodes }) => nodes)) {
    counts.set(stopReason, (counts.get(stopReason) ?? 0) + 1);
  }
  return counts;
}

const presets: readonly BranchingRuleName[] = ['paper', 'released', 'aepo', 'quantile', 'random'];

/** A preset with a budget for a small group and settings under which it branches now and then. */
function presetConfig(preset: BranchingRuleName, changes: Record<string, unknown> = {}): RunConfig {
  const branching = {
    preset,
    globalRollouts: 6,
    initialRollouts: 2,
    beamSize: 3,
    minimumHistory: 4,
    ...changes,
  };
  return letterConfig({ rollout: { temperature: 0.9, branching } });
}

describe('what the policy saw', () => {
  test.each(presets)('is the concatenation of the path, rule %s', async (preset) => {
    const config = presetConfig(preset);
    const groups = await sample({ config, history: runHistory });
    let checked = 0;
    for (const group of groups) {
      const tree = treeOf(group);
      const paths = tree.trajectories.map(({ lastNodeId }) => tree.pathTo(lastNodeId));
      const tokens = tree.trajectories.map(({ lastNodeId }) => tree.pathTokens(lastNodeId));
      const { logProbs, entropies } = await policy.scoreTokens(tokens, config.rollout.temperature, never);
      for (const [slot, path] of paths.entries()) {
        const written = path.flatMap((node) =>
          Array.from(node.mask, (bit, index) => ({
            bit,
            logProb: node.logProbs[index],
            entropy: node.entropies[index],
          })),
        );
        for (const [position, { bit, logProb, entropy }] of written.entries()) {
          if (bit === 0) continue;
          expect(Math.abs(logProb - logProbs[slot][position])).toBeLessThan(1e-4);
          expect(Math.abs(entropy - entropies[slot][position])).toBeLessThan(1e-4);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(200);
    const reasons = stopReasons(groups);
    for (const reason of ['toolCall', 'end', 'callLimit'] as const)
      expect(reasons.get(reason)).toBeGreaterThan(0);
    expect(groups.some(({ trajectories }) => trajectories.some(({ origin }) => origin === 'branch'))).toBe(
      true,
    );
  });

  test('forced ends are trained on and have a finite log-prob, sampled from a cut distribution, too', async () => {
    const config = letterConfig({ rollout: { topK: 4, callLimit: 1 } });
    const groups = await sample({ config });
    const forced = groups
      .flatMap(({ nodes }) => nodes)
      .filter(({ stopReason }) => stopReason === 'callLimit');
    expect(forced.length).toBeGreaterThan(0);
    for (const { tokens, mask, logProbs, entropies } of forced) {
      expect(tokens.at(-1)).toBe(endToken);
      expect(mask.at(-1)).toBe(1);
      expect(logProbs.at(-1)).toBeLessThan(0);
      expect(Number.isFinite(logProbs.at(-1))).toBe(true);
      expect(entropies.at(-1)).toBeGreaterThan(0);
    }
  });

  test('is cut at the token limit, tool results included', async () => {
    const config = letterConfig({ rollout: { tokenLimit: 12 } });
    const groups = await sample({ config });
    let cutResults = 0;
    let full = 0;
    for (const group of groups) {
      const tree = treeOf(group);
      for (const { lastNodeId } of tree.trajectories) {
        const length = tree.pathLength(lastNodeId);
        const { stopReason, toolCall } = tree.node(lastNodeId);
        expect(length).toBeLessThanOrEqual(12);
        if (stopReason === 'length') expect(length).toBe(12);
        if (stopReason === 'length') full += 1;
        if (stopReason === 'length' && toolCall !== null) cutResults += 1;
      }
    }
    expect(full).toBeGreaterThan(0);
    expect(cutResults).toBeGreaterThan(0);
  });

  test('never exceeds the context of the model', async () => {
    const environment = letterEnvironment({ limits: { toolCalls: 20, totalTokens: 1000 } });
    for (const group of await sample({ config: letterConfig(), environment })) {
      const tree = treeOf(group);
      for (const { lastNodeId } of tree.trajectories) {
        expect(tree.pathLength(lastNodeId)).toBeLessThanOrEqual(contextLength);
      }
    }
  });
});

describe('budget', () => {
  test.each(presets)('exactly M trajectories, no more than N initial ones, rule %s', async (preset) => {
    for (const update of [1, 2, 3]) {
      const groups = await sample({ config: presetConfig(preset), update, history: runHistory });
      for (const { trajectories, decisions } of groups) {
        expect(trajectories).toHaveLength(6);
        expect(trajectories.filter(({ origin }) => origin === 'initial')).toHaveLength(2);
        expect(trajectories.every(({ isFinished }) => isFinished)).toBe(true);
        for (const { budgetBefore, budgetAfter } of decisions) {
          expect(budgetBefore).toBeLessThanOrEqual(4);
          expect(budgetAfter).toBeGreaterThanOrEqual(0);
        }
        const created = decisions.flatMap(({ createdSlot }) => createdSlot ?? []);
        const branches = trajectories.filter(({ origin }) => origin === 'branch').map(({ slot }) => slot);
        expect(created).toEqual(branches);
      }
    }
  });
});

/** What was known before each decision: the history of the run and the group's earlier measurements. */
function historyBefore(
  decisions: readonly BranchDecision[],
  place: number,
  run: readonly number[],
): number[] {
  const { turn, slot } = decisions[place];
  const first = decisions.findIndex((decision) => decision.turn === turn && decision.slot === slot);
  return [...run, ...entropyChangesOf(decisions.slice(0, first))];
}

describe('decisions', () => {
  test.each(presets)('follow from what is recorded of them, rule %s', async (preset) => {
    const config = presetConfig(preset);
    const groups = await sample({ config, history: runHistory });
    const all = groups.flatMap(({ decisions }) => decisions);
    expect(all.length).toBeGreaterThan(5);
    expect(all.some(({ isTaken }) => isTaken)).toBe(true);
    expect(all.some(({ isTaken, reason }) => !isTaken && reason !== 'budgetExhausted')).toBe(true);
    for (const { decisions, entropyChanges } of groups) {
      expect(entropyChanges).toEqual(entropyChangesOf(decisions));
      for (const [place, decision] of decisions.entries()) {
        const history = historyBefore(decisions, place, runHistory);
        expect(auditDecision(decision, config.rollout.branching, history)).toEqual([]);
      }
    }
  });

  test('compare the entropies of the recorded tokens, measured behind the result', async () => {
    const config = presetConfig('quantile');
    const { entropy } = config.rollout.branching;
    let compared = 0;
    for (const group of await sample({ config, history: runHistory })) {
      const tree = treeOf(group);
      const readingOf = (id: number): number => {
        const { tokens, mask, logProbs, entropies, stopReason, toolCall } = tree.node(id);
        const written = mask.reduce((sum, bit) => sum + bit, 0) - (stopReason === 'callLimit' ? 1 : 0);
        const end = toolCall === null ? written : mask.indexOf(0) === -1 ? written : mask.indexOf(0);
        const segment = { tokens: tokens.subarray(0, end), logProbs, entropies, alternatives: null };
        return readEntropy(segment, entropy, policy.tokenizer.vocabularySize).value;
      };
      for (const { slot, nodeId, initialEntropy, currentEntropy } of group.decisions) {
        const path = tree.pathTo(tree.trajectory(slot).lastNodeId).map(({ id }) => id);
        expect(tree.node(nodeId).toolCall).not.toBeNull();
        expect(currentEntropy).toBeCloseTo(readingOf(path[path.indexOf(nodeId) + 1]), 6);
        expect(initialEntropy).toBeCloseTo(readingOf(path[1]), 6);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(5);
  });

  test('a branch starts behind the result, from the source it names', async () => {
    let branches = 0;
    for (const group of await sample({ config: presetConfig('random', { randomProbability: 0.7 }) })) {
      const tree = treeOf(group);
      for (const { createdSlot, slot, nodeId } of group.decisions) {
        if (createdSlot === null) continue;
        expect(tree.trajectory(createdSlot)).toMatchObject({
          origin: 'branch',
          forkNodeId: nodeId,
          sourceSlot: slot,
        });
        branches += 1;
      }
    }
    expect(branches).toBeGreaterThan(3);
  });
});

describe('tools', () => {
  test('recorded calls are those of the environment, called again', async () => {
    const environment = letterEnvironment();
    const [search, python] = environment.tools(environment.task('train', 0));
    let failures = 0;
    let calls = 0;
    for (const group of await sample({ config: letterConfig() })) {
      for (const { toolCall } of group.nodes) {
        if (toolCall === null) continue;
        const tool = toolCall.tool === 'search' ? search : python;
        const again = await tool.call(toolCall.input, never).then(
          (output) => ({ output, failure: null }),
          (error: ToolFailure) => ({ output: error.message, failure: error.summary }),
        );
        expect(toolCall).toMatchObject(again);
        if (toolCall.failure !== null) failures += 1;
        calls += 1;
      }
    }
    expect(calls).toBeGreaterThan(20);
    // Failed calls are results: their trajectories go on.
    expect(failures).toBeGreaterThan(0);
  });

  test('an equal query of one task is answered once', async () => {
    const groups = await sample({ config: letterConfig() });
    const calls = groups[0].nodes
      .flatMap(({ toolCall }) => toolCall ?? [])
      .filter(({ failure }) => failure === null);
    const executed = calls.filter(({ cached }) => !cached).map(({ tool, input }) => `${tool} ${input}`);
    expect(new Set(executed).size).toBe(new Set(calls.map(({ tool, input }) => `${tool} ${input}`)).size);
  });

  test('a result the policy has no words for ends its trajectory and no other', async () => {
    const chatty: Tool = { name: 'python', tag: 'python', call: async () => 'Traceback: unknown' };
    const search = letterEnvironment().tools(letterEnvironment().task('train', 0))[0];
    const environment = letterEnvironment({ tools: () => [search, chatty] });
    const groups = await sample({ config: letterConfig(), environment });
    const broken = groups.flatMap(({ nodes }) => nodes).filter(({ stopReason }) => stopReason === 'error');
    expect(broken.length).toBeGreaterThan(0);
    for (const { toolCall, mask } of broken) {
      expect(toolCall?.output).toBe('Traceback: unknown');
      expect(toolCall?.failure).toContain('the result cannot be shown to the policy');
      expect(mask).not.toContain(0);
    }
    expect(groups.every(({ trajectories }) => trajectories.length === 6)).toBe(true);
    expect(stopReasons(groups).get('end')).toBeGreaterThan(0);
  });

  test('a defect of a tool ends the rollout with its error', async () => {
    const parts = letterParts({
      policy,
      runTool: async () => {
        throw new TypeError('not a function');
      },
    });
    const rollouts = letterRollouts(parts);
    const job = { update: 1, groups: groupRequests, entropyHistory: [] };
    await expect(rollouts.rollOut(job, () => undefined, never)).rejects.toThrow('not a function');
    // Nothing is left behind that would disturb the next one.
    const sound = letterRollouts({ policy });
    const { groups } = await sound.rollOut(job, () => undefined, never);
    expect(groups).toHaveLength(6);
  });
});

test('a prompt that leaves no room is refused with the task and what to do', async () => {
  const environment = letterEnvironment({ limits: { toolCalls: 1, totalTokens: 3 } });
  await expect(sample({ config: letterConfig(), environment })).rejects.toThrow(
    'task letters/train/0: expected a prompt of fewer than 3 tokens, got 3',
  );
});

test('an aborted rollout ends with the reason, between two steps', async () => {
  const abort = new AbortController();
  const rollouts = letterRollouts({ policy });
  const job = { update: 1, groups: groupRequests, entropyHistory: [] };
  const rolling = rollouts.rollOut(job, () => abort.abort(new Error('enough')), abort.signal);
  await expect(rolling).rejects.toThrow('enough');
});

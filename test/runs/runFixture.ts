/** Runs made of invented numbers: the store does not care what they mean, only that they come back. */
import { createRandom, type Random } from '#base/random';
import type { BranchDecision } from '#arpo/branchDecision';
import type { GroupScored, NewNode, TrajectoryStart } from '#runs/groupEvent';
import { defaultRunConfig } from '#runs/runConfig';
import type { NewRunEvent, PolicyUpdated, RunStarted } from '#runs/runEvent';
import type { ProcessTable } from '#runs/runLock';
import { RunStore, type NewRun, type RunPorts } from '#runs/runStore';
import { MemoryFileSystem } from '../fakes/memoryFileSystem';

export const startTime = Date.UTC(2026, 10, 23, 10, 15, 0);

/** A machine on which exactly the given processes run. */
export function processTable(processId: number, alive: readonly number[] = [processId]): ProcessTable {
  return { processId, hostName: 'here', isProcessAlive: (id) => alive.includes(id) };
}

/** Ports whose clock moves one second with every look at it. */
export function portsOf(fileSystem: RunPorts['fileSystem'], processes = processTable(1)): RunPorts {
  let time = startTime;
  return {
    fileSystem,
    processes,
    now: () => {
      time += 1000;
      return time - 1000;
    },
  };
}

export function memoryDisk(): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  fileSystem.folders.add('runs');
  return fileSystem;
}

export const newRun: NewRun = {
  runsFolder: 'runs',
  config: defaultRunConfig,
  versions: { arpo: '0.1.0' },
  parent: null,
};

export const runFolder = 'runs/quick-20261123-101500-seed0';

export function createStore(fileSystem: RunPorts['fileSystem']): Promise<RunStore> {
  return RunStore.create(portsOf(fileSystem), newRun);
}

export const runStarted: RunStarted = {
  kind: 'runStarted',
  config: defaultRunConfig,
  versions: { arpo: '0.1.0' },
  engine: { name: 'reference', threads: 1, processes: 1 },
  policy: { parameters: 79488, vocabularySize: 117, contextLength: 96 },
  environment: 'directory-hunt/B',
  host: { platform: 'linux', architecture: 'x64', processors: 2, memoryBytes: 8e9, accelerator: null },
};

export function policyUpdated(update: number, loss = 0.25): PolicyUpdated {
  return {
    kind: 'policyUpdated',
    update,
    loss: {
      loss,
      ratioMean: 1,
      ratioMax: 1.5,
      clipFractionLow: 0,
      clipFractionHigh: 0.01,
      dualClipFraction: 0,
      approximateKl: 0.001,
      referenceKl: null,
      gradientNorm: 0.5,
    },
    learningRate: 3e-4,
    trainedTokens: 1200,
    droppedGroups: 1,
    entropyAfterTools: 0.9,
    entropyElsewhere: 0.1,
    seconds: { rollout: 0.5, update: 0.5 },
  };
}

export function node(random: Random, place: Pick<NewNode, 'id' | 'parentId' | 'depth' | 'slot'>): NewNode {
  const length = Math.floor(random.next() * 6);
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.next());
  const ints = (count: number): Int32Array =>
    Int32Array.from({ length: count }, () => Math.floor(random.next() * 117));
  const count = Math.floor(random.next() * 3);
  const isCall = random.next() < 0.5;
  return {
    ...place,
    tokens: ints(length),
    mask: Uint8Array.from({ length }, () => (random.next() < 0.5 ? 1 : 0)),
    logProbs: floats(length).map((value) => -value),
    entropies: floats(length),
    alternatives:
      count === 0
        ? null
        : { count, ids: ints(length * count), logProbs: floats(length * count).fill(-Infinity) },
    tokenEnds: random.next() < 0.5 ? null : ints(length),
    modelText: 'find „ü“ \n',
    resultText: isCall ? ' <result> see Gus </result>' : '',
    toolCall: isCall
      ? {
          tool: 'search',
          input: 'q',
          output: 'see Gus',
          failure: null,
          latencyMs: 3,
          cached: false,
          attempts: 1,
        }
      : null,
    stopReason: 'toolCall',
  };
}

export const decision: BranchDecision = {
  rule: 'quantile',
  turn: 0,
  slot: 0,
  nodeId: 1,
  initialEntropy: 0.1,
  currentEntropy: 0.6,
  deltaEntropy: 0.5,
  comparedTokens: 6,
  probability: null,
  draw: null,
  score: 0.5,
  threshold: 0.4,
  budgetBefore: 8,
  budgetAfter: 7,
  consecutiveBranches: 0,
  isTaken: true,
  reason: 'passedThreshold',
  createdSlot: 1,
};

export function groupScored(update: number, group: number, rewards: readonly number[]): GroupScored {
  return {
    kind: 'groupScored',
    update,
    group,
    rewards: rewards.map((total, slot) => ({
      slot,
      total,
      parts: { answer: total },
      reason: total === 1 ? 'right' : 'wrong',
      answer: '40',
      isCorrect: total === 1,
    })),
    advantages: {
      soft: rewards,
      hard: [0],
      step: [null],
      segment: [null],
      values: [0.5],
      byEstimator: { grpo: rewards, drGrpo: rewards, rloo: rewards },
    },
    isZeroVariance: false,
    ledger: {
      trajectories: rewards.length,
      initialTrajectories: 1,
      branches: rewards.length - 1,
      topUps: 0,
      turns: 3,
      paidCalls: 5,
      inheritedCalls: 2,
      paidModelTokens: 50,
      inheritedModelTokens: 20,
    },
  };
}

/** All events of one group: two trajectories, the second one branched, and `steps` nodes. */
export function groupEvents(
  random: Random,
  key: { update: number; group: number },
  steps: number,
): NewRunEvent[] {
  const trajectory = (start: TrajectoryStart): NewRunEvent => ({
    kind: 'trajectoriesStarted',
    ...key,
    trajectories: [start],
  });
  const events: NewRunEvent[] = [
    {
      kind: 'groupStarted',
      ...key,
      origin: 'training',
      taskId: `directory-hunt/B/train/${key.group}`,
      prompt: 'age of boss of Tom + 8 ?',
      gold: '40',
      promptTokens: Int32Array.from([5, 6, 7]),
    },
    trajectory({ slot: 0, origin: 'initial', forkNodeId: 0, sourceSlot: null }),
  ];
  const depth = [1, 2];
  const last = [0, 1];
  for (let id = 1; id <= steps; id += 1) {
    if (id === 2) {
      events.push({ kind: 'branchesDecided', ...key, decisions: [decision] });
      events.push(trajectory({ slot: 1, origin: 'branch', forkNodeId: 1, sourceSlot: 0 }));
    }
    const slot = id === 1 ? 0 : id % 2;
    const added = node(random, { id, parentId: last[slot], depth: depth[slot], slot });
    events.push({ kind: 'nodesAdded', ...key, origin: 'training', nodes: [added] });
    last[slot] = id;
    depth[slot] += 1;
  }
  return events;
}

/** A run of a few updates, in batches as a trainer would append them. */
export function randomBatches(seed: number, updates: number): NewRunEvent[][] {
  const random = createRandom(seed);
  const batches: NewRunEvent[][] = [[runStarted]];
  for (let update = 1; update <= updates; update += 1) {
    const groups = 1 + Math.floor(random.next() * 2);
    batches.push([{ kind: 'updateStarted', update, groups }]);
    for (let group = 0; group < groups; group += 1) {
      const events = groupEvents(random, { update, group }, 1 + Math.floor(random.next() * 3));
      const cut = Math.floor(random.next() * events.length);
      batches.push(events.slice(0, cut), events.slice(cut));
      batches.push([groupScored(update, group, [1, 0])]);
    }
    if (random.next() < 0.7) batches.push([policyUpdated(update)]);
    else batches.push([{ kind: 'resumed', fromUpdate: update - 1 }]);
  }
  return batches;
}

/**
 * Generated rollout trees that resemble those of real runs: searches through a directory, branches
 * after surprising results, rewards −1, 0 and 1. Seeded, so that the same call gives the same trees.
 */
import type { BranchDecision } from '#arpo/branchDecision';
import type { Random } from '#base/random';
import { createRandom } from '#base/random';
import { nodeSegments } from '#protocol/nodeSegments';
import { packNumbers } from '#protocol/treeViewProtocol';
import type {
  GroupScores,
  NodeDetail,
  TreeGroup,
  TreeNode,
  TreeSnapshot,
  TreeTrajectory,
} from '#protocol/treeViewProtocol';

export interface DemoOptions {
  readonly seed: number;
  readonly groups: number;
  /** M and N. */
  readonly trajectories: number;
  readonly initialTrajectories: number;
}

/** A tree of the generator, with the texts that the host would keep. */
export interface DemoGroup {
  readonly group: TreeGroup;
  /** By node id. */
  readonly texts: readonly string[];
}

const names = 'Ann Bob Cy Dan Eve Fay Gus Hal Ida Jon Kim Leo Mia Ned Oli Pam Quin Ray Sue Tom'.split(' ');
const relations = ['boss', 'friend', 'mentor'];
const attributes = ['age', 'desk', 'floor'];

interface Walk {
  readonly slot: number;
  nodeId: number;
  /** What the next plan reacts to. */
  surprise: number;
  remaining: number;
  isFinished: boolean;
}

interface Growing {
  readonly random: Random;
  readonly nodes: TreeNode[];
  readonly texts: string[];
  readonly trajectories: TreeTrajectory[];
  readonly decisions: BranchDecision[];
  readonly rewards: number[];
  /** Exceptional results by node. */
  readonly surprises: number[];
}

export function createDemo({ seed, groups, trajectories, initialTrajectories }: DemoOptions): DemoGroup[] {
  return Array.from({ length: groups }, (_unused, index) =>
    createGroup({ seed, index, trajectories, initialTrajectories }),
  );
}

export function snapshotOf(groups: readonly DemoGroup[], sequence = 0): TreeSnapshot {
  return {
    sequence,
    scope: { kind: 'update', title: 'update 3' },
    runState: 'running',
    groups: groups.map(({ group }) => group),
    actions: [
      { id: 'openTrajectory', title: 'Open Trajectory' },
      { id: 'relaunchFromNode', title: 'Re-roll from Here' },
    ],
    strings: {},
  };
}

interface GroupOptions {
  readonly seed: number;
  readonly index: number;
  readonly trajectories: number;
  readonly initialTrajectories: number;
}

function createGroup({ seed, index, trajectories, initialTrajectories }: GroupOptions): DemoGroup {
  const random = createRandom(seed, index);
  const person = pick(random, names);
  const prompt = `${pick(random, attributes)} of ${pick(random, relations)} of ${pick(random, relations)} of ${person} + ${1 + Math.floor(random.next() * 9)} ?`;
  const growing: Growing = {
    random,
    nodes: [
      {
        id: 0,
        parentId: null,
        depth: 0,
        slot: -1,
        segments: nodeSegments(prompt, []),
        toolCall: null,
        stopReason: null,
        modelTokens: 0,
        postToolEntropy: null,
      },
    ],
    texts: [prompt],
    trajectories: [],
    decisions: [],
    rewards: [],
    surprises: [0],
  };
  const walks: Walk[] = [];
  for (let slot = 0; slot < initialTrajectories; slot += 1) walks.push(startWalk(growing, 0, null));
  let turn = 0;
  for (let live = walks; live.length > 0 || growing.trajectories.length < trajectories; turn += 1) {
    if (live.length === 0) walks.push(startWalk(growing, 0, 'topUp'));
    live = walks.filter((walk) => !walk.isFinished);
    for (const walk of live) takeStep(growing, walk);
    for (const walk of live.filter((candidate) => !candidate.isFinished)) {
      const branch = decide(growing, walk, { turn, trajectories });
      if (branch !== null) walks.push(branch);
    }
    live = walks.filter((walk) => !walk.isFinished);
  }
  return finish(growing, { seed, index, trajectories, initialTrajectories });
}

function startWalk(growing: Growing, forkNodeId: number, origin: 'topUp' | null, source?: Walk): Walk {
  const slot = growing.trajectories.length;
  growing.trajectories.push({
    slot,
    origin: source === undefined ? (origin ?? 'initial') : 'branch',
    isReroll: false,
    forkNodeId,
    sourceSlot: source?.slot ?? null,
    lastNodeId: forkNodeId,
    isFinished: false,
  });
  const remaining = source === undefined ? 3 + Math.floor(growing.random.next() * 4) : source.remaining;
  return {
    slot,
    nodeId: forkNodeId,
    surprise: growing.surprises[forkNodeId] ?? 0,
    remaining,
    isFinished: false,
  };
}

function takeStep(growing: Growing, walk: Walk): void {
  const { random, nodes } = growing;
  const parent = nodes[walk.nodeId];
  if (parent === undefined) throw new Error('demo: a walk stands at no node');
  const isLast = walk.remaining <= 0;
  const plan = isLast
    ? 'done'
    : ['find', 'moved', 'newer', 'retry', 'double'][
        Math.min(4, Math.floor(walk.surprise * 5 + random.next()))
      ];
  const think = `<think> ${plan} </think>`;
  const isPython = !isLast && walk.remaining === 1;
  const { call, result, surprise, failure } = isPython ? pythonCall(random) : searchCall(random);
  const text = isLast
    ? `${think} <answer> ${10 + Math.floor(random.next() * 40)} </answer>`
    : `${think} ${call} <result> ${result} </result>`;
  const id = nodes.length;
  const postToolEntropy =
    parent.toolCall === null
      ? null
      : Math.max(0.003, walk.surprise * (0.8 + random.next() * 0.6) + random.next() * 0.08);
  nodes.push({
    id,
    parentId: parent.id,
    depth: parent.depth + 1,
    slot: walk.slot,
    segments: nodeSegments(text, ['search', 'python']),
    toolCall: isLast
      ? null
      : {
          tool: isPython ? 'python' : 'search',
          failure,
          latencyMs: 0.2 + random.next() * 3,
          isCached: random.next() < 0.2,
        },
    stopReason: isLast ? 'end' : 'toolCall',
    modelTokens: 6 + Math.floor(random.next() * 5),
    postToolEntropy,
  });
  growing.texts.push(text);
  growing.surprises.push(surprise);
  Object.assign(walk, { nodeId: id, surprise, remaining: walk.remaining - 1, isFinished: isLast });
  const known = growing.trajectories[walk.slot];
  if (known !== undefined) growing.trajectories[walk.slot] = { ...known, lastNodeId: id, isFinished: isLast };
  if (isLast) growing.rewards[walk.slot] = [1, 1, 0, 0, 0, -1][Math.floor(random.next() * 6)] ?? 0;
}

function decide(
  growing: Growing,
  walk: Walk,
  { turn, trajectories }: { readonly turn: number; readonly trajectories: number },
): Walk | null {
  const { random, decisions } = growing;
  const free = trajectories - growing.trajectories.length;
  const currentEntropy = walk.surprise + random.next() * 0.05;
  const deltaEntropy = currentEntropy - 0.12;
  const probability = Math.min(1, Math.max(0, 0.3 + 0.4 * deltaEntropy));
  const draw = random.next();
  const isTaken = free > 0 && draw <= probability;
  const createdSlot = isTaken ? growing.trajectories.length : null;
  decisions.push({
    rule: 'released',
    turn,
    slot: walk.slot,
    nodeId: walk.nodeId,
    initialEntropy: 0.12,
    currentEntropy,
    deltaEntropy,
    comparedTokens: 6,
    probability: free > 0 ? probability : null,
    draw: free > 0 ? draw : null,
    score: free > 0 ? draw - 0.4 * deltaEntropy : null,
    threshold: free > 0 ? 0.3 : null,
    budgetBefore: free,
    budgetAfter: isTaken ? free - 1 : free,
    consecutiveBranches: 0,
    isTaken,
    reason: free <= 0 ? 'budgetExhausted' : isTaken ? 'drawAccepted' : 'drawRefused',
    createdSlot,
  });
  return isTaken ? startWalk(growing, walk.nodeId, null, walk) : null;
}

function finish(
  growing: Growing,
  { seed, index, trajectories, initialTrajectories }: GroupOptions,
): DemoGroup {
  const { nodes, rewards, random } = growing;
  if (index % 4 === 3) rewards.fill(1);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const deviation = Math.sqrt(
    rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / Math.max(1, rewards.length - 1),
  );
  const soft = rewards.map((reward) => (reward - mean) / (deviation + 1e-6));
  const through = nodes.map((): number[] => []);
  for (const { slot, lastNodeId } of growing.trajectories) {
    for (
      let node: TreeNode | undefined = nodes[lastNodeId];
      node !== undefined;
      node = node.parentId === null ? undefined : nodes[node.parentId]
    ) {
      through[node.id]?.push(slot);
    }
  }
  const meanOf = (slots: readonly number[], values: readonly number[]): number =>
    slots.reduce((sum, slot) => sum + (values[slot] ?? 0), 0) / Math.max(1, slots.length);
  const values = through.map((slots) => meanOf(slots, rewards));
  const scores: GroupScores = {
    rewards: packNumbers(rewards),
    isCorrect: Uint8Array.from(rewards, (reward) => (reward === 1 ? 1 : 0)),
    softAdvantages: packNumbers(soft),
    hardAdvantages: packNumbers(through.map((slots) => meanOf(slots, soft))),
    stepAdvantages: packNumbers(
      nodes.map(({ id, parentId }) =>
        parentId === null ? null : (values[id] ?? 0) - (values[parentId] ?? 0),
      ),
    ),
    values: packNumbers(values),
  };
  const sum = (select: (node: TreeNode) => number): number =>
    nodes.reduce((total, node) => total + select(node), 0);
  const paths = (select: (node: TreeNode) => number): number =>
    nodes.reduce((total, node) => total + select(node) * (through[node.id]?.length ?? 0), 0);
  const calls = (node: TreeNode): number => (node.toolCall === null ? 0 : 1);
  const tokens = (node: TreeNode): number => node.modelTokens;
  const group: TreeGroup = {
    groupId: `3/${index}`,
    update: 3,
    taskId: `directory-hunt/B/train/${seed * 100 + index}`,
    prompt: growing.texts[0] ?? '',
    gold: String(10 + Math.floor(random.next() * 40)),
    status: 'scored',
    isZeroVariance: rewards.every((reward) => reward === rewards[0]),
    ledger: {
      trajectories,
      initialTrajectories,
      branches: growing.decisions.filter(({ isTaken }) => isTaken).length,
      topUps: growing.trajectories.filter(({ origin }) => origin === 'topUp').length,
      paidCalls: sum(calls),
      inheritedCalls: paths(calls) - sum(calls),
      paidModelTokens: sum(tokens),
      inheritedModelTokens: paths(tokens) - sum(tokens),
    },
    nodes,
    trajectories: growing.trajectories,
    decisions: growing.decisions,
    scores,
  };
  return { group, texts: growing.texts };
}

interface Call {
  readonly call: string;
  readonly result: string;
  readonly surprise: number;
  readonly failure: string | null;
}

function searchCall(random: Random): Call {
  const query = `${pick(random, [...relations, ...attributes])} of ${pick(random, names)}`;
  const kind = random.next();
  const call = `<search> ${query} </search>`;
  if (kind < 0.15) return { call, result: `see ${pick(random, names)}`, surprise: 1, failure: null };
  if (kind < 0.27)
    return {
      call,
      result: `new ${pick(random, names)} old ${pick(random, names)}`,
      surprise: 0.5,
      failure: null,
    };
  if (kind < 0.37) return { call, result: 'none', surprise: 0.9, failure: null };
  if (kind < 0.42) return { call, result: 'error', surprise: 0.1, failure: 'malformed query' };
  return { call, result: pick(random, names), surprise: 0.05, failure: null };
}

function pythonCall(random: Random): Call {
  const a = 10 + Math.floor(random.next() * 30);
  const b = 1 + Math.floor(random.next() * 9);
  return { call: `<python> ${a} + ${b} </python>`, result: String(a + b), surprise: 0.03, failure: null };
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new Error('demo: nothing to pick from');
  return item;
}

/** The reply to `nodeDetail`: every word of the text is a token. */
export function detailOf({ group, texts }: DemoGroup, nodeId: number): NodeDetail {
  const text = texts[nodeId] ?? '';
  const random = createRandom(nodeId, 77);
  const words = text.match(/\s*\S+/g) ?? [];
  let end = 0;
  const ends = Int32Array.from(words, (word) => (end += word.length));
  const resultAt = text.indexOf('<result>');
  const mask = Uint8Array.from(ends, (at) => (resultAt === -1 || at <= resultAt ? 1 : 0));
  const entropies = Float32Array.from(words, (_word, index) =>
    mask[index] === 1 ? random.next() ** 3 * 2.2 : 0,
  );
  const logProbs = Float32Array.from(words, (_word, index) =>
    mask[index] === 1 ? -3 * random.next() ** 2 : 0,
  );
  const node = group.nodes[nodeId];
  const call = node?.toolCall ?? null;
  const segments = node?.segments ?? [];
  const trajectory = group.trajectories.find(({ lastNodeId }) => lastNodeId === nodeId);
  const total = trajectory === undefined ? undefined : group.scores?.rewards[trajectory.slot];
  return {
    text,
    tokens: { ends, mask, entropies, logProbs },
    toolCall:
      call === null
        ? null
        : {
            ...call,
            input: segments.find(({ kind }) => kind === 'call')?.text ?? '',
            output: segments.find(({ kind }) => kind === 'result')?.text ?? '',
            attempts: call.isCached ? 0 : 1,
          },
    reward:
      total === undefined || nodeId === 0
        ? null
        : {
            total,
            parts: { answer: total },
            reason:
              total === 1
                ? 'the answer is right'
                : total === 0
                  ? 'the answer is wrong'
                  : 'the response is malformed',
            answer: segments.find(({ kind }) => kind === 'answer')?.text ?? null,
            isCorrect: total === 1,
          },
  };
}

/** From the record of a group to what the rollout-tree view draws. Pure. */
import type { RolloutNode, Trajectory } from '#arpo/rolloutTree';
import { clipText, nodeSegments } from '#protocol/nodeSegments';
import { packNumbers } from '#protocol/treeViewProtocol';
import type {
  DetailReward,
  GroupScores,
  GroupStatus,
  NodeDetail,
  TreeGroup,
  TreeGroupHeader,
  TreeLedger,
  TreeNode,
  TreeToolCall,
  TreeTrajectory,
} from '#protocol/treeViewProtocol';
import type { GroupScored } from '#runs/groupEvent';
import type { NodeText, RecordedGroup } from '#runs/recordedGroup';

/** How a record is read. */
export interface ReadingOptions {
  /** Tokens behind a tool result whose entropy is shown (k of the branching rule). */
  readonly entropyWindow: number;
  /** Whether the run is at an end, so that a group without scores will never get any. */
  readonly isEnded: boolean;
}

const promptLimit = 2_000;
const failureLimit = 300;
/** Tags of the tools that come with the program; those of others show in the calls themselves. */
const knownToolTags: readonly string[] = ['search', 'python'];

/** The name of a group within a run's view: `update/group`. */
export function groupIdOf({ update, group }: { readonly update: number; readonly group: number }): string {
  return `${update}/${group}`;
}

/** @returns `null` when the text is no `groupIdOf`. */
export function parseGroupId(groupId: string): { update: number; group: number } | null {
  const match = /^(\d+)\/(\d+)$/.exec(groupId);
  return match === null ? null : { update: Number(match[1]), group: Number(match[2]) };
}

/** The group as far as it is recorded. */
export function treeGroupOf(recorded: RecordedGroup, options: ReadingOptions): TreeGroup {
  const { tree, texts, decisions, scored } = recorded;
  const tags = toolTagsOf(tree.nodes);
  return {
    ...headerOf(recorded, options),
    nodes: tree.nodes.map((node) =>
      treeNodeOf(node, { text: texts[node.id], parent: parentOf(tree.nodes, node), tags, options }),
    ),
    trajectories: tree.trajectories.map((trajectory) => treeTrajectoryOf(trajectory, recorded)),
    decisions,
    scores: scored === null ? null : scoresOf(scored, tree.nodes.length),
  };
}

/** The facts of a group that are not its tree. */
export function headerOf(
  { started, scored }: Pick<RecordedGroup, 'started' | 'scored'>,
  { isEnded }: Pick<ReadingOptions, 'isEnded'>,
): TreeGroupHeader {
  const unscored: GroupStatus = isEnded ? 'failed' : 'sampling';
  return {
    groupId: groupIdOf(started),
    update: started.update,
    taskId: started.taskId,
    prompt: clipText(started.prompt, promptLimit),
    gold: started.gold,
    status: scored === null ? unscored : 'scored',
    isZeroVariance: scored?.isZeroVariance ?? false,
    ledger: scored === null ? null : ledgerOf(scored),
  };
}

/**
 * Everything about one node.
 *
 * @throws RangeError when the group has no such node.
 */
export function nodeDetailOf(recorded: RecordedGroup, nodeId: number): NodeDetail {
  const node = recorded.tree.node(nodeId);
  const { modelText, resultText, tokenEnds } = recorded.texts[nodeId];
  const { toolCall } = node;
  return {
    text: modelText + resultText,
    tokens:
      tokenEnds === null
        ? null
        : { ends: tokenEnds, mask: node.mask, entropies: node.entropies, logProbs: node.logProbs },
    toolCall:
      toolCall === null
        ? null
        : {
            tool: toolCall.tool,
            input: toolCall.input,
            output: toolCall.output,
            failure: toolCall.failure,
            latencyMs: toolCall.latencyMs,
            isCached: toolCall.cached,
            attempts: toolCall.attempts,
          },
    reward: rewardAt(recorded, nodeId),
  };
}

/** Whether the unclipped text of a node contains the query, letter case ignored. */
export function matchesText({ modelText, resultText }: NodeText, query: string): boolean {
  return `${modelText}${resultText}`.toLowerCase().includes(query.toLowerCase());
}

interface NodeContext {
  readonly text: NodeText;
  readonly parent: RolloutNode | null;
  readonly tags: readonly string[];
  readonly options: ReadingOptions;
}

function treeNodeOf(node: RolloutNode, { text, parent, tags, options }: NodeContext): TreeNode {
  return {
    id: node.id,
    parentId: node.parentId,
    depth: node.depth,
    slot: node.slot,
    segments: nodeSegments(text.modelText + text.resultText, tags),
    toolCall: toolCallOf(node),
    stopReason: node.stopReason,
    modelTokens: node.mask.reduce((sum, bit) => sum + bit, 0),
    postToolEntropy: postToolEntropy(node, parent, options.entropyWindow),
  };
}

function toolCallOf({ toolCall }: RolloutNode): TreeToolCall | null {
  if (toolCall === null) return null;
  const { tool, failure, latencyMs, cached } = toolCall;
  return {
    tool,
    failure: failure === null ? null : clipText(failure, failureLimit),
    latencyMs,
    isCached: cached,
  };
}

/** Mean entropy of the first `window` model tokens, nats; `null` when the step follows no tool result. */
function postToolEntropy(node: RolloutNode, parent: RolloutNode | null, window: number): number | null {
  if (parent === null || parent.toolCall === null) return null;
  let sum = 0;
  let count = 0;
  for (let index = 0; index < node.tokens.length && count < window; index += 1) {
    if (node.mask[index] === 0) continue;
    sum += node.entropies[index];
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

function parentOf(nodes: readonly RolloutNode[], { parentId }: RolloutNode): RolloutNode | null {
  return parentId === null ? null : nodes[parentId];
}

function treeTrajectoryOf(trajectory: Trajectory, { started, tree, texts }: RecordedGroup): TreeTrajectory {
  const { slot, origin, forkNodeId, sourceSlot, lastNodeId, isFinished } = trajectory;
  const isReroll =
    started.origin === 'reroll' ||
    tree.nodes.some((node) => node.slot === slot && texts[node.id].origin === 'reroll');
  return { slot, origin, isReroll, forkNodeId, sourceSlot, lastNodeId, isFinished };
}

/** Nodes that came after the scores have none. */
function scoresOf({ rewards, advantages }: GroupScored, nodes: number): GroupScores {
  const bySlot = new Map(rewards.map((reward) => [reward.slot, reward]));
  const slots = Math.max(0, ...rewards.map(({ slot }) => slot + 1));
  const perSlot = Array.from({ length: slots }, (_, slot) => bySlot.get(slot));
  const perNode = (values: readonly (number | null)[]): Float32Array =>
    packNumbers(Array.from({ length: nodes }, (_, id) => values[id] ?? null));
  return {
    rewards: packNumbers(perSlot.map((reward) => reward?.total ?? null)),
    isCorrect: Uint8Array.from(perSlot, (reward) => (reward === undefined ? 255 : reward.isCorrect ? 1 : 0)),
    softAdvantages: packNumbers(perSlot.map((_, slot) => advantages.soft[slot] ?? null)),
    hardAdvantages: perNode(advantages.hard),
    stepAdvantages: perNode(advantages.step),
    values: perNode(advantages.values),
  };
}

function ledgerOf({ ledger }: GroupScored): TreeLedger {
  const { turns: _turns, ...shown } = ledger;
  return shown;
}

function rewardAt({ tree, scored }: RecordedGroup, nodeId: number): DetailReward | null {
  const slot = tree.trajectories.find((one) => one.isFinished && one.lastNodeId === nodeId)?.slot;
  const reward = scored?.rewards.find((one) => one.slot === slot);
  if (reward === undefined) return null;
  const { total, parts, reason, answer, isCorrect } = reward;
  return { total, parts, reason, answer, isCorrect };
}

function toolTagsOf(nodes: readonly RolloutNode[]): readonly string[] {
  const called = nodes.flatMap(({ toolCall }) => (toolCall === null ? [] : [toolCall.tool]));
  return [...new Set([...knownToolTags, ...called])];
}

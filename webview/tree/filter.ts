/** Which nodes a filter and a search keep. Pure. */
import type { TreeNode } from '#protocol/treeViewProtocol';
import { unpackNumber } from '#protocol/treeViewProtocol';
import { markOf } from './decisionText';
import type { DecisionMark } from './decisionText';
import type { GroupModel } from './treeState';
import { decisionsAt, pathTo } from './treeState';

export type OutcomeFilter = 'any' | 'right' | 'wrong' | 'negative';
export type RuleFilter = 'any' | DecisionMark;

/** All conditions must hold. */
export interface Filter {
  /** Nodes on the path of a trajectory with this outcome. */
  readonly outcome: OutcomeFilter;
  /** A tool's name, '' for steps without a tool, `null` for any. */
  readonly tool: string | null;
  readonly depth: number | null;
  /** Nodes at which a decision of this kind was made. */
  readonly rule: RuleFilter;
}

export const noFilter: Filter = { outcome: 'any', tool: null, depth: null, rule: 'any' };

/** Number of conditions that are set. */
export function conditionsOf({ outcome, tool, depth, rule }: Filter): number {
  return [outcome !== 'any', tool !== null, depth !== null, rule !== 'any'].filter(Boolean).length;
}

/** `[nodes]` 1 for nodes that the filter keeps; `null` when it keeps all. */
export function filterGroup(group: GroupModel, filter: Filter): Uint8Array | null {
  if (conditionsOf(filter) === 0) return null;
  const kept = filter.outcome === 'any' ? null : nodesWithOutcome(group, filter.outcome);
  return Uint8Array.from(group.nodes, (node) =>
    (kept === null || kept[node.id] === 1) && keepsNode(group, node, filter) ? 1 : 0,
  );
}

/** Node ids whose (clipped) texts contain the query, letter case ignored. */
export function searchGroup(group: GroupModel, query: string): number[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [];
  return group.nodes.filter((node) => contains(group, node, wanted)).map(({ id }) => id);
}

function keepsNode(group: GroupModel, node: TreeNode, { tool, depth, rule }: Filter): boolean {
  if (depth !== null && node.depth !== depth) return false;
  if (tool !== null && (node.id === 0 || (node.toolCall?.tool ?? '') !== tool)) return false;
  return rule === 'any' || decisionsAt(group, node.id).some((decision) => markOf(decision) === rule);
}

function nodesWithOutcome(group: GroupModel, outcome: OutcomeFilter): Uint8Array {
  const kept = new Uint8Array(group.nodes.length);
  for (const { slot, lastNodeId } of group.trajectories) {
    if (!hasOutcome(group, slot, outcome)) continue;
    for (const nodeId of pathTo(group, lastNodeId)) kept[nodeId] = 1;
  }
  return kept;
}

function hasOutcome({ scores }: GroupModel, slot: number, outcome: OutcomeFilter): boolean {
  if (scores === null) return false;
  if (outcome === 'negative') return (unpackNumber(scores.rewards, slot) ?? 0) < 0;
  return scores.isCorrect[slot] === (outcome === 'right' ? 1 : 0);
}

function contains(group: GroupModel, node: TreeNode, wanted: string): boolean {
  if (node.id === 0) return group.header.prompt.toLowerCase().includes(wanted);
  return (
    node.segments.some(({ text }) => text.toLowerCase().includes(wanted)) ||
    node.toolCall?.tool.toLowerCase() === wanted
  );
}

/** What a node shows for its value: the number, the sign that repeats the colour, the colour's step. Pure. */
import type { TreeNode } from '#protocol/treeViewProtocol';
import { unpackNumber } from '#protocol/treeViewProtocol';
import { unreachable } from '#base/assert';
import type { StringKey } from '../shared/strings';
import type { Scale } from './colourScale';
import { rampStep } from './colourScale';
import { factsOf } from './groupFacts';
import type { GroupModel } from './treeState';

/** What colours stand for. */
export type ColourBy = 'entropy' | 'step' | 'hard' | 'soft' | 'reward' | 'depth' | 'tool';

/** In the order of the menu, with their names. */
export const colourings: readonly { readonly value: ColourBy; readonly label: StringKey }[] = [
  { value: 'entropy', label: 'colourEntropy' },
  { value: 'step', label: 'colourStep' },
  { value: 'hard', label: 'colourHard' },
  { value: 'soft', label: 'colourSoft' },
  { value: 'reward', label: 'colourReward' },
  { value: 'depth', label: 'colourDepth' },
  { value: 'tool', label: 'colourTool' },
];

/** The colouring after this one in the menu, round and round. */
export function nextColouring(colourBy: ColourBy): ColourBy {
  const index = colourings.findIndex(({ value }) => value === colourBy);
  return colourings[(index + 1) % colourings.length]?.value ?? colourBy;
}

/** How one node looks. */
export interface NodeAppearance {
  readonly value: number | null;
  /** Step of the scale's ramp; −1 when there is no value: outlined, not filled. */
  readonly step: number;
  /** The value in characters; never empty. */
  readonly label: string;
}

/** The value that a colouring shows for a node; `null` when there is none. */
export function valueOf(group: GroupModel, node: TreeNode, colourBy: ColourBy): number | null {
  const { scores } = group;
  switch (colourBy) {
    case 'entropy':
      return node.postToolEntropy;
    case 'step':
      return scores === null || node.parentId === null ? null : unpackNumber(scores.stepAdvantages, node.id);
    case 'hard':
      return scores === null ? null : unpackNumber(scores.hardAdvantages, node.id);
    case 'soft':
      return scores === null
        ? null
        : unpackNumber(scores.softAdvantages, factsOf(group).onlySlot[node.id] ?? -1);
    case 'reward':
      return scores === null ? null : unpackNumber(scores.values, node.id);
    case 'depth':
      return node.depth;
    case 'tool':
      return null;
    default:
      return unreachable(colourBy);
  }
}

/** The scale that fits the values of all groups. */
export function scaleFor(groups: readonly GroupModel[], colourBy: ColourBy): Scale {
  if (colourBy === 'tool') return { kind: 'categorical', names: toolNames(groups) };
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const group of groups) {
    for (const node of group.nodes) {
      const value = valueOf(group, node, colourBy);
      if (value === null) continue;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
  }
  if (minimum > maximum) [minimum, maximum] = [0, 1];
  const isSigned = colourBy === 'step' || colourBy === 'hard' || colourBy === 'soft';
  if (isSigned || (colourBy === 'reward' && minimum < 0)) {
    return { kind: 'diverging', extreme: niceCeiling(Math.max(-minimum, maximum)) };
  }
  return colourBy === 'depth'
    ? { kind: 'sequential', minimum: 0, maximum: Math.max(1, maximum) }
    : { kind: 'sequential', minimum: 0, maximum: niceCeiling(maximum) };
}

export function appearanceOf(
  group: GroupModel,
  node: TreeNode,
  colourBy: ColourBy,
  scale: Scale,
): NodeAppearance {
  if (scale.kind === 'categorical') {
    const name = node.toolCall?.tool ?? null;
    const step = name === null ? -1 : scale.names.indexOf(name);
    return { value: null, step, label: name ?? (node.stopReason === 'end' ? '■' : '–') };
  }
  const value = valueOf(group, node, colourBy);
  if (value === null) return { value, step: -1, label: absentLabel(group, node, colourBy) };
  return { value, step: rampStep(scale, value), label: valueLabel(value, colourBy) };
}

/** A value in characters: signed where the sign matters, with two decimals. */
export function valueLabel(value: number, colourBy: ColourBy): string {
  if (colourBy === 'depth') return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  const number = Math.abs(value).toFixed(digits);
  if (colourBy === 'entropy') return number;
  if (Number(number) === 0) return number;
  if (colourBy === 'reward') return value < 0 ? `−${number}` : number;
  return value < 0 ? `−${number}` : `+${number}`;
}

function absentLabel(group: GroupModel, node: TreeNode, colourBy: ColourBy): string {
  const isShared = (factsOf(group).passes[node.id] ?? 0) > 1;
  return colourBy === 'soft' && isShared && group.scores !== null
    ? `×${factsOf(group).passes[node.id]}`
    : '–';
}

function toolNames(groups: readonly GroupModel[]): string[] {
  const names = new Set<string>();
  for (const { nodes } of groups) {
    for (const { toolCall } of nodes) if (toolCall !== null) names.add(toolCall.tool);
  }
  return [...names].sort();
}

/** The smallest 1, 1.5, 2, 3, 4, 5, 7.5 × 10ⁿ that is not below the value. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.5, 2, 3, 4, 5, 7.5].find((candidate) => candidate * power >= value - 1e-9);
  return (factor ?? 10) * power;
}

/** A node in words: for screen readers and for the pane's heading. Pure. */
import { unpackNumber } from '#protocol/treeViewProtocol';
import type { TreeTrajectory } from '#protocol/treeViewProtocol';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import { decisionSentence, number } from './decisionText';
import { factsOf } from './groupFacts';
import type { ColourBy } from './nodeAppearance';
import { colourings, valueLabel, valueOf } from './nodeAppearance';
import type { GroupModel } from './treeState';
import { decisionsAt } from './treeState';

/** Everything a sighted reader sees on the card and its edge, as one text. */
export function describeNode(group: GroupModel, nodeId: number, colourBy: ColourBy): string {
  const node = group.nodes[nodeId];
  if (node === undefined) return '';
  if (node.id === 0) return `${text('prompt')}: ${visibleText(group.header.prompt.slice(0, 300), 'oneLine')}`;
  const parts = [
    `${text('step', node.depth)}, ${text('slot', node.slot)}`,
    ...node.segments.map((segment) => `${segment.kind}: ${visibleText(segment.text, 'oneLine')}`),
    describeValue(group, nodeId, colourBy),
    describeEnd(group, nodeId),
    ...decisionsAt(group, nodeId).map(decisionSentence),
  ];
  if (node.toolCall?.failure !== null && node.toolCall !== null) {
    parts.push(`${text('toolFailure')}: ${visibleText(node.toolCall.failure, 'oneLine')}`);
  }
  return parts.filter((part) => part !== '').join('. ');
}

/** How a trajectory came to be. */
export function describeOrigin(group: GroupModel, trajectory: TreeTrajectory): string {
  if (trajectory.isReroll) return text('originReroll');
  switch (trajectory.origin) {
    case 'initial':
      return text('originInitial');
    case 'topUp':
      return text('originTopUp');
    case 'branch': {
      const depth = group.nodes[trajectory.forkNodeId]?.depth ?? 0;
      return text('originBranch', trajectory.sourceSlot ?? '?', depth);
    }
  }
}

function describeValue(group: GroupModel, nodeId: number, colourBy: ColourBy): string {
  const node = group.nodes[nodeId];
  const label = colourings.find(({ value }) => value === colourBy)?.label;
  const value = node === undefined ? null : valueOf(group, node, colourBy);
  return label === undefined || value === null ? '' : `${text(label)} ${valueLabel(value, colourBy)}`;
}

function describeEnd(group: GroupModel, nodeId: number): string {
  const slot = factsOf(group).endSlot[nodeId] ?? -1;
  if (slot < 0) return '';
  const reward = group.scores === null ? null : unpackNumber(group.scores.rewards, slot);
  const stop = group.nodes[nodeId]?.stopReason ?? 'end';
  const ending = `${text('stopReason')} ${text(`stop_${stop}`)}`;
  return reward === null ? ending : `${ending}. ${text('colourReward')} ${number(reward, 2)}`;
}

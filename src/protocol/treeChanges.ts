/** What changed between two states of what a view shows, as patches say it. Pure. */
import type {
  GroupScores,
  TreeChange,
  TreeGroup,
  TreeGroupHeader,
  TreeTrajectory,
} from '#protocol/treeViewProtocol';

/**
 * How a group grew. Its nodes and decisions are only ever added to.
 *
 * @returns In an order in which they can be applied; empty when nothing changed.
 * @throws RangeError when `after` is not a later state of `before`.
 */
export function groupChanges(before: TreeGroup, after: TreeGroup): TreeChange[] {
  const { groupId } = after;
  if (before.groupId !== groupId || after.nodes.length < before.nodes.length) {
    throw new RangeError(`group ${groupId}: expected a later state of group ${before.groupId}`);
  }
  const nodes = after.nodes.slice(before.nodes.length);
  const decisions = after.decisions.slice(before.decisions.length);
  const trajectories = after.trajectories.filter((one, slot) => !isSame(before.trajectories[slot], one));
  return [
    ...(nodes.length === 0 ? [] : [{ kind: 'nodesAdded', groupId, nodes } as const]),
    ...(trajectories.length === 0 ? [] : [{ kind: 'trajectoriesChanged', groupId, trajectories } as const]),
    ...(decisions.length === 0 ? [] : [{ kind: 'decisionsAdded', groupId, decisions } as const]),
    ...headerChange(before, after),
  ];
}

function headerChange(before: TreeGroup, after: TreeGroup): TreeChange[] {
  const header = headerOnly(after);
  const hasNewScores = after.scores !== null && !areSameScores(before.scores, after.scores);
  if (hasNewScores) return [{ kind: 'groupScored', header, scores: after.scores }];
  return JSON.stringify(headerOnly(before)) === JSON.stringify(header)
    ? []
    : [{ kind: 'headerChanged', header }];
}

function headerOnly(group: TreeGroup): TreeGroupHeader {
  const {
    nodes: _nodes,
    trajectories: _trajectories,
    decisions: _decisions,
    scores: _scores,
    ...header
  } = group;
  return header;
}

function isSame(before: TreeTrajectory | undefined, after: TreeTrajectory): boolean {
  return (
    before !== undefined &&
    before.lastNodeId === after.lastNodeId &&
    before.isFinished === after.isFinished &&
    before.isReroll === after.isReroll
  );
}

function areSameScores(before: GroupScores | null, after: GroupScores): boolean {
  if (before === null) return false;
  return (
    isSameArray(before.rewards, after.rewards) &&
    isSameArray(before.isCorrect, after.isCorrect) &&
    isSameArray(before.softAdvantages, after.softAdvantages) &&
    isSameArray(before.hardAdvantages, after.hardAdvantages) &&
    isSameArray(before.stepAdvantages, after.stepAdvantages) &&
    isSameArray(before.values, after.values)
  );
}

/** Absent numbers are NaN, and equal to each other. */
function isSameArray(left: ArrayLike<number>, right: ArrayLike<number>): boolean {
  return left.length === right.length && Array.from(left).every((value, at) => Object.is(value, right[at]));
}

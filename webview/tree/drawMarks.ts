/** Where the marks of branch decisions stand and how they are drawn. */
import type { BranchDecision } from '#arpo/branchDecision';
import { formatColour } from '../shared/colour';
import type { Theme } from '../shared/theme';
import type { DecisionMark } from './decisionText';
import { markOf } from './decisionText';
import type { ForestLayout, PlacedNode } from './forestLayout';
import { measures } from './forestLayout';
import type { GroupModel } from './treeState';
import { decisionsAt } from './treeState';

/** One mark in world units. */
export interface PlacedMark {
  readonly decision: BranchDecision;
  readonly kind: DecisionMark;
  readonly x: number;
  readonly y: number;
}

export const markRadius = 7;
/** At most this many refused marks are drawn at a node; all are listed in its details. */
const maximalStack = 3;

/**
 * The marks at a node: on the edge that leads to it when it is the first step of a branch, and where
 * its own edge leaves for decisions that began no (or not yet a) branch.
 */
export function marksOf(forest: ForestLayout, placed: PlacedNode): readonly PlacedMark[] {
  const { group, nodeId, x, y } = placed;
  const middle = y + measures.cardHeight / 2;
  const marks: PlacedMark[] = [];
  const origin = branchDecision(group, nodeId);
  if (origin !== undefined) marks.push({ decision: origin, kind: 'taken', x: x - 15, y: middle });
  let stacked = 0;
  for (const decision of decisionsAt(group, nodeId)) {
    const isOnEdge = decision.isTaken && branchedChild(forest, placed, decision) !== null;
    if (isOnEdge || stacked >= maximalStack) continue;
    const at = { x: x + measures.cardWidth + 13, y: middle + stacked * 16 };
    marks.push({ decision, kind: markOf(decision), ...at });
    stacked += 1;
  }
  return marks;
}

/** Filled for taken, open with a bar for refused, a small open square when the budget was gone. */
export function drawMark(
  context: CanvasRenderingContext2D,
  theme: Theme,
  mark: Omit<PlacedMark, 'decision'>,
): void {
  const { x, y, kind } = mark;
  const size = kind === 'exhausted' ? 4.5 : markRadius;
  context.lineWidth = 1.6;
  context.beginPath();
  if (kind === 'exhausted') context.rect(x - size, y - size, 2 * size, 2 * size);
  else diamond(context, x, y, size);
  context.fillStyle = formatColour(kind === 'taken' ? theme.charts.green : theme.background);
  context.strokeStyle = formatColour(kind === 'taken' ? theme.background : theme.muted);
  context.fill();
  context.stroke();
  if (kind === 'taken') return;
  context.beginPath();
  if (kind === 'refused') {
    context.moveTo(x - 3.5, y + 3.5);
    context.lineTo(x + 3.5, y - 3.5);
  } else {
    context.moveTo(x - 2, y);
    context.lineTo(x + 2, y);
  }
  context.stroke();
}

/** The decision that created the trajectory of which this node is the first own step. */
function branchDecision(group: GroupModel, nodeId: number): BranchDecision | undefined {
  const node = group.nodes[nodeId];
  if (node === undefined || node.parentId === null) return undefined;
  if (group.nodes[node.parentId]?.slot === node.slot) return undefined;
  return decisionsAt(group, node.parentId).find(({ createdSlot }) => createdSlot === node.slot);
}

function branchedChild(
  forest: ForestLayout,
  { group, nodeId }: PlacedNode,
  decision: BranchDecision,
): PlacedNode | null {
  const child = group.children[nodeId]?.find((id) => group.nodes[id]?.slot === decision.createdSlot);
  return child === undefined ? null : forest.place(group, child);
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
}

/** Branch decisions in words and numbers. Pure. */
import type { BranchDecision } from '#arpo/branchDecision';
import { text } from '../shared/strings';

/** How a decision is marked: taken, refused by the rule, or not asked because the budget was gone. */
export type DecisionMark = 'taken' | 'refused' | 'exhausted';

export function markOf(decision: BranchDecision): DecisionMark {
  if (decision.isTaken) return 'taken';
  return decision.reason === 'budgetExhausted' ? 'exhausted' : 'refused';
}

/** A number for people: up to four significant decimals, a real minus sign; `–` for none. */
export function number(value: number | null, digits = 3): string {
  if (value === null) return '–';
  if (!Number.isFinite(value)) return String(value);
  const rounded = Math.abs(value).toFixed(digits);
  return value < 0 && Number(rounded) !== 0 ? `−${rounded}` : rounded;
}

/** One sentence: what was decided and why. */
export function decisionSentence(decision: BranchDecision): string {
  const { isTaken, createdSlot } = decision;
  const outcome = isTaken
    ? createdSlot === null
      ? text('branched')
      : text('branchedInto', createdSlot)
    : text('notBranched');
  return `${outcome}: ${reasonText(decision)}`;
}

/** Names and values of everything that was compared, in the order of the computation. */
export function decisionRows(decision: BranchDecision): readonly (readonly [string, string])[] {
  const delta = decision.deltaEntropy;
  return [
    [text('rowRule'), decision.rule],
    [text('rowInitial'), number(decision.initialEntropy)],
    [text('rowNow'), number(decision.currentEntropy)],
    ['ΔH', `${delta > 0 ? '+' : ''}${number(delta)}`],
    [text('rowTokens'), String(decision.comparedTokens)],
    ['P', number(decision.probability)],
    [text('rowDraw'), number(decision.draw)],
    [text('rowScore'), number(decision.score)],
    [text('rowThreshold'), number(decision.threshold)],
    [text('rowBudget'), `${decision.budgetBefore} → ${decision.budgetAfter}`],
    [text('rowTurn'), String(decision.turn)],
    [text('rowSlot'), String(decision.slot)],
  ];
}

function reasonText({ reason, score, threshold, draw, probability }: BranchDecision): string {
  const isDrawn = reason === 'drawAccepted' || reason === 'drawRefused';
  const [compared, limit] = isDrawn ? [draw, probability] : [score, threshold];
  return text(`reason_${reason}`, number(compared), number(limit));
}

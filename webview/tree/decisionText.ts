/** Branch decisions in words and numbers. Pure. */
import { unreachable } from '#base/assert';
import type { BranchDecision, BranchReason } from '#arpo/branchDecision';

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
  const outcome = decision.isTaken
    ? `Branched${decision.createdSlot === null ? '' : ` into slot ${decision.createdSlot}`}`
    : 'Not branched';
  return `${outcome}: ${reasonText(decision, decision.reason)}`;
}

/** Names and values of everything that was compared, in the order of the computation. */
export function decisionRows(decision: BranchDecision): readonly (readonly [string, string])[] {
  const delta = decision.deltaEntropy;
  return [
    ['Rule', decision.rule],
    ['H initial', number(decision.initialEntropy)],
    ['H now', number(decision.currentEntropy)],
    ['ΔH', `${delta > 0 ? '+' : ''}${number(delta)}`],
    ['P', number(decision.probability)],
    ['Draw', number(decision.draw)],
    ['Compared', number(decision.score)],
    ['Threshold', number(decision.threshold)],
    ['Free slots', `${decision.budgetBefore} → ${decision.budgetAfter}`],
    ['Turn', String(decision.turn)],
    ['At', `slot ${decision.slot}`],
  ];
}

function reasonText(decision: BranchDecision, reason: BranchReason): string {
  const { score, threshold, draw, probability } = decision;
  switch (reason) {
    case 'passedThreshold':
      return `${number(score)} is above the threshold ${number(threshold)}.`;
    case 'belowThreshold':
      return `${number(score)} is not above the threshold ${number(threshold)}.`;
    case 'drawAccepted':
      return `the draw ${number(draw)} fell inside the probability ${number(probability)}.`;
    case 'drawRefused':
      return `the draw ${number(draw)} fell outside the probability ${number(probability)}.`;
    case 'budgetExhausted':
      return 'all slots of the group were used up, so the rule was not asked.';
    case 'warmingUp':
      return 'the rule has not seen enough entropy changes yet.';
    default:
      return unreachable(reason);
  }
}

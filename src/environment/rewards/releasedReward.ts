/**
 * The reward of the released code, quirks included (`deep_research.py`; paper Eq. 8). Kept
 * for comparison with published runs: it ignores signs and decimal points, gives a tool bonus for tags
 * that a web page contains, and more; `correctedReward` is the rule to train with.
 */
import type { Reward } from '#environment/reward';
import { extractAnswerSpan, findFormatProblem, releasedBox } from '#environment/rewards/answerFormat';
import { bestTokenScore, tokenScore } from '#environment/rewards/tokenScore';

/** Added when the answer scores and both tools were used. */
export const toolBonus = 0.1;

/**
 * −1 for a bad format or no box; else the token F1 of the answer, plus 0.1 when it is not 0 and both
 * `</search>` and `</python>` occur anywhere.
 *
 * @param text The whole response, tool results included, without the end token.
 * @param gold The accepted answer, or several (the best counts); a printed list is one string.
 */
export function releasedReward(text: string, gold: string | readonly string[]): Reward {
  const problem = findFormatProblem(text);
  if (problem !== null) return malformed(`bad format: ${problem}`);
  const span = extractAnswerSpan(text);
  if (span === null) return malformed('cannot extract answer');
  const box = releasedBox(span);
  if (box.kind === 'problem') return malformed(`find box error: ${box.message}`);
  const golds = typeof gold === 'string' ? [gold] : gold;
  const score = bestTokenScore(golds, (one) =>
    tokenScore(normalizeAnswer(box.content), normalizeAnswer(one)),
  );
  return graded({
    score,
    answer: box.content,
    usedBothTools: text.includes('</search>') && text.includes('</python>'),
  });
}

/** Lower case, no ASCII punctuation, no articles, single spaces: the order matters. */
export function normalizeAnswer(text: string): string {
  const bare = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '');
  // Python's \b knows all letters and digits, not only ASCII.
  const withoutArticles = bare.replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ');
  return withoutArticles.split(/\s+/).filter(Boolean).join(' ');
}

export interface Grade {
  /** Of the answer, in [0, 1]. */
  readonly score: number;
  readonly answer: string;
  readonly usedBothTools: boolean;
}

/** The reward of a well-formed response. */
export function graded({ score, answer, usedBothTools }: Grade): Reward {
  const isCorrect = score >= 1;
  if (score === 0) {
    const reason = `wrong answer but good format: ${answer}`;
    return { total: 0, parts: { answer: 0 }, reason, isCorrect, answer };
  }
  if (!usedBothTools) {
    const reason = `correct answer, get f1 score: ${score}`;
    return { total: score, parts: { answer: score }, reason, isCorrect, answer };
  }
  const total = score + toolBonus;
  const reason = `correct answer and calling search and python at the same time, get score: ${total}`;
  return { total, parts: { answer: score, bothTools: toolBonus }, reason, isCorrect, answer };
}

/** The reward of a malformed response. */
export function malformed(reason: string): Reward {
  return { total: -1, parts: { format: -1 }, reason, isCorrect: false, answer: null };
}

/**
 * ARPO's reward without the flaws observed in the released code: numbers compare as
 * numbers, LaTeX that means the same is equal, an article that is the whole answer stays, thoughts must
 * open before they close, printed lists of golds are read, and text inside a tool's result never counts
 * as tags, answers or tools used.
 */
import type { Reward } from '#environment/reward';
import { canonicalExpression, hasCommand, numericValue } from '#environment/rewards/mathAnswer';
import { extractAnswerSpan, findFormatProblem, lastBalancedBox } from '#environment/rewards/answerFormat';
import { graded, malformed } from '#environment/rewards/releasedReward';
import { bestTokenScore, tokenScore } from '#environment/rewards/tokenScore';
import { resultRanges } from '#environment/tagProtocol';

/**
 * The same scale as `releasedReward`: −1 malformed, else the score of the answer in [0, 1], plus 0.1
 * when it is not 0 and both tools were called.
 */
export function correctedReward(text: string, gold: string | readonly string[]): Reward {
  const written = maskResults(text);
  const problem = findFormatProblem(written) ?? findThinkProblem(written);
  if (problem !== null) return malformed(`bad format: ${problem}`);
  const span = extractAnswerSpan(written);
  if (span === null) return malformed('cannot extract answer');
  const box = lastBalancedBox(span);
  if (box.kind === 'problem') return malformed(`find box error: ${box.message}`);
  const golds = (typeof gold === 'string' ? [gold] : gold).flatMap(parsePrintedList);
  const score = bestTokenScore(golds, (one) => answerScore(box.content, one));
  const usedBothTools = written.includes('</search>') && written.includes('</python>');
  return graded({ score, answer: box.content, usedBothTools });
}

/**
 * How well an answer matches one gold, in [0, 1]: equal expressions and equal numbers 1, different
 * numbers 0, an expression with LaTeX commands all or nothing, everything else token F1.
 */
export function answerScore(answer: string, gold: string): number {
  const expected = canonicalExpression(gold);
  if (canonicalExpression(answer) === expected) return 1;
  const goldValue = numericValue(gold);
  const answerValue = numericValue(answer);
  if (goldValue !== null && answerValue !== null) return areEqual(goldValue, answerValue) ? 1 : 0;
  if (hasCommand(expected)) return 0;
  return tokenScore(normalizeText(answer), normalizeText(gold));
}

/** Words in lower case without punctuation and articles; numbers keep sign and decimal point. */
export function normalizeText(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replace(/(?<=\d)[,/:](?=\d)/g, ' ')
    .split(/\s+/)
    .flatMap(cleanWord)
    .filter(Boolean);
  const content = words.filter((word) => word !== 'a' && word !== 'an' && word !== 'the');
  return (content.length === 0 ? words : content).join(' ');
}

function cleanWord(word: string): string[] {
  const number = /^[^\w+.−-]*([+−-]?(?:\d+(?:\.\d+)?|\.\d+))[^\w]*$/u.exec(word);
  if (number !== null) return [String(Number(number[1].replace('−', '-')))];
  // A point or sign inside a word that has digits is part of a number (1.5kg, x=-2); elsewhere it goes.
  return [word.replace(/(?<!\d)\.|\.(?!\d)|-(?!\d)|[!-,/:-@[-`{-~]/g, '')];
}

function areEqual(first: number, second: number): boolean {
  return Math.abs(first - second) <= 1e-9 * Math.max(1, Math.abs(first), Math.abs(second));
}

/** The text with what tools wrote replaced by spaces. */
function maskResults(text: string): string {
  let masked = text;
  for (const { start, end } of resultRanges(text)) {
    masked = masked.slice(0, start) + ' '.repeat(end - start) + masked.slice(end);
  }
  return masked;
}

function findThinkProblem(text: string): string | null {
  let isOpen = false;
  for (const [tag] of text.matchAll(/<\/?think>/g)) {
    if ((tag === '<think>') === isOpen) return '<think> </think> in the wrong order';
    isOpen = !isOpen;
  }
  return null;
}

/** The strings of a printed list such as `['Paris', "Paris, France"]`; any other text as it is. */
export function parsePrintedList(text: string): string[] {
  const inner = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1];
  if (inner === undefined) return [text];
  const item = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/sy;
  const items: string[] = [];
  while (item.lastIndex < inner.length) {
    const match = item.exec(inner);
    if (match === null) return [text];
    items.push((match[1] ?? match[2]).replace(/\\(['"\\])/g, '$1'));
    if (match[3] === '') break;
  }
  return items.length === 0 ? [text] : items;
}

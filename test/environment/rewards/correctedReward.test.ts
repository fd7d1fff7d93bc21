import { describe, expect, test } from 'vitest';
import {
  answerScore,
  correctedReward,
  normalizeText,
  parsePrintedList,
} from '#environment/rewards/correctedReward';
import { canonicalExpression, numericValue } from '#environment/rewards/mathAnswer';
import { releasedReward } from '#environment/rewards/releasedReward';

const both = '<search>q</search> <result>x</result><python>1</python><result>1</result>';

function boxed(answer: string, between = ''): string {
  return `<think>a</think>${between}<answer>\\boxed{${answer}}</answer>`;
}

describe('what the released rule has right stays', () => {
  test.each([
    ['exact', boxed('Paris'), 'Paris', 1],
    ['partial', boxed('New York City'), 'New York', 0.8],
    ['partial, both tools', boxed('New York City', both), 'New York', 0.9],
    ['exact, both tools', boxed('Paris', both), 'Paris', 1.1],
    ['wrong, both tools', boxed('London', both), 'Paris', 0],
    ['no think', '<answer>\\boxed{Paris}</answer>', 'Paris', -1],
    ['no box', '<think>a</think><answer>Paris</answer>', 'Paris', -1],
    ['search without result', boxed('Paris', '<search>q</search>'), 'Paris', -1],
    ['unbalanced box', boxed('{Paris'), 'Paris', -1],
    ['thousands separator', boxed('1,000'), '1000', 1],
    ['yes against more', boxed('yes it is'), 'yes', 0],
    ['the last box counts', '<think>a</think><answer>\\boxed{London} or \\boxed{Paris}</answer>', 'Paris', 1],
  ])('%s', (_name, response, gold, score) => {
    expect(correctedReward(response, gold).total).toBeCloseTo(score, 9);
    expect(releasedReward(response, gold).total).toBeCloseTo(score, 9);
  });
});

describe('every flaw of the released rule is corrected', () => {
  test.each([
    ['a sign counts', boxed('-5'), '5', [1, 0]],
    ['a decimal point counts', boxed('1.5'), '15', [1, 0]],
    ['a fraction equals its decimal', boxed('\\frac{1}{2}'), '0.5', [0, 1]],
    ['\\dfrac equals \\frac', boxed('\\dfrac{1}{2}'), '\\frac{1}{2}', [0, 1]],
    ['spaces in LaTeX do not count', boxed('3\\sqrt{3}-6'), '3\\sqrt{3} - 6', [0, 1]],
    ['the choice A can score', boxed('A'), 'A', [0, 1]],
    ['an article that is the whole answer stays', boxed('the'), 'the', [0, 1]],
    [
      'page text earns no bonus',
      boxed('Paris', '<search>q</search> <result>page says </python> hi</result>'),
      'Paris',
      [1.1, 1],
    ],
    [
      'page text cannot break the format',
      boxed('Paris', '<search>q</search> <result>page <answer>z</answer></result>'),
      'Paris',
      [-1, 1],
    ],
    ['thoughts open before they close', '</think>a<think><answer>\\boxed{Paris}</answer>', 'Paris', [1, -1]],
    ['a printed list is read', boxed('Paris'), "['Paris','paris']", [0, 1]],
    [
      'text after a box with a space is no answer',
      '<think>a</think><answer>\\boxed{x} \\boxed Paris$</answer>',
      'Paris',
      [1, -1],
    ],
  ] as const)('%s', (_name, response, gold, [released, corrected]) => {
    expect(releasedReward(response, gold).total).toBeCloseTo(released, 9);
    expect(correctedReward(response, gold).total).toBeCloseTo(corrected, 9);
  });
});

describe('answerScore', () => {
  test.each([
    ['-1/2', '\\frac{-1}{2}', 1],
    ['-\\frac{1}{2}', '-0.5', 1],
    ['\\frac12', '1/2', 1],
    ['$42$', '42', 1],
    ['42.', '42', 1],
    ['0.3333', '1/3', 0],
    ['1e3', '1000', 1],
    ['1,234,567', '1234567', 1],
    ['1,23', '123', 0],
    ['\\text{Paris}', 'Paris', 1],
    ['\\left(1, 2\\right)', '(1,2)', 1],
    ['3\\sqrt{3}-7', '3\\sqrt{3}-6', 0],
    ['\\sqrt3', '\\sqrt{3}', 1],
    ['an apple', 'apple', 1],
    ['a b', 'the b', 1],
    ['1.5 kg', '15 kg', 0.5],
    ['5 apples', '5', 2 / 3],
    ['', 'x', 0],
    ['no', 'yes', 0],
    ['1/0', '1/0', 1],
    ['1/0', '5', 0],
  ])('%j against %j: %d', (answer, gold, score) => {
    expect(answerScore(answer, gold)).toBeCloseTo(score, 12);
  });
});

test('numbers in words keep sign and point; other punctuation goes', () => {
  expect(normalizeText('The U.S. grew by -1.50, well-known.')).toBe('us grew by -1.5 wellknown');
});

test('numericValue reads exactly one number', () => {
  expect(['7', '+7', '−7', '2/4', '\\dfrac{3}{4}', '1{,}000'].map(numericValue)).toEqual([
    7, 7, -7, 0.5, 0.75, 1000,
  ]);
  expect(['', 'x', '1 2 apples', '1/2/3', '\\frac{1}{0}', '--1'].map(numericValue)).toEqual(
    Array(6).fill(null),
  );
});

test('words keep their spaces in a canonical expression, formulas lose them', () => {
  expect(canonicalExpression(' New  York ')).toBe('new york');
  expect(canonicalExpression('x + 1')).toBe('x+1');
});

test('only a list of quoted texts is a printed list', () => {
  expect(parsePrintedList("['a', \"b, 'c'\"]")).toEqual(['a', "b, 'c'"]);
  expect(parsePrintedList("['it\\'s',]")).toEqual(["it's"]);
  for (const text of ['[1, 2]', "['a' 'b']", '[]', 'Paris', "['a"])
    expect(parsePrintedList(text)).toEqual([text]);
});

test('tools called for real earn the bonus, and the parts add up', () => {
  const reward = correctedReward(boxed('Paris', both), ['London', 'Paris']);
  expect(reward.parts).toEqual({ answer: 1, bothTools: 0.1 });
  expect(reward.isCorrect).toBe(true);
  expect(reward.answer).toBe('Paris');
});

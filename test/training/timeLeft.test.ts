import { expect, test } from 'vitest';
import { defaultRunConfig } from '#runs/runConfig';
import { TimeLeft } from '#training/timeLeft';

function timeLeft(updates: number, every: number): TimeLeft {
  const evaluation = { ...defaultRunConfig.evaluation, every };
  return new TimeLeft({ ...defaultRunConfig, updates, evaluation });
}

test('nothing is known before the first update', () => {
  const left = timeLeft(10, 4);
  left.addEvaluation(3);
  expect(left.estimate(0, 0)).toBeNull();
});

test('the first update, in which the tools start, counts only until there is another', () => {
  const left = timeLeft(5, 0);
  left.addUpdate(9);
  expect(left.estimate(1, null)).toBe(36);
  left.addUpdate(1);
  expect(left.estimate(2, null)).toBe(3);
  left.addUpdate(2);
  expect(left.estimate(3, null)).toBe(3);
});

test('evaluations that are still to come count, the last one too', () => {
  const left = timeLeft(10, 4);
  left.addEvaluation(3);
  left.addUpdate(1);
  expect(left.estimate(3, 0)).toBe(7 + 9); // behind updates 4, 8 and 10
  expect(left.estimate(4, 0)).toBe(6 + 9); // due now
  expect(left.estimate(4, 4)).toBe(6 + 6);
  expect(left.estimate(9, 8)).toBe(1 + 3);
  expect(left.estimate(10, 8)).toBe(3);
  expect(left.estimate(10, 10)).toBe(0);
});

test('an interval that divides the updates has no second evaluation at the end', () => {
  const left = timeLeft(8, 4);
  left.addEvaluation(3);
  left.addUpdate(1);
  expect(left.estimate(5, 4)).toBe(3 + 3);
  expect(left.estimate(8, 4)).toBe(3);
});

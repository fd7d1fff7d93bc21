import { expect, test } from 'vitest';
import { planMicroBatches } from '#engine/microBatches';

test('puts sequences of similar length together, longest first, within the budget', () => {
  // 9 + 9 = 18; a third of width 9 would be 27. Then 3 × 5, because 4 × 5 is 20.
  expect(planMicroBatches([5, 9, 2, 5, 9, 5, 2], 19)).toEqual([
    [1, 4],
    [0, 3, 5],
    [2, 6],
  ]);
});

test('counts padding', () => {
  expect(planMicroBatches([6, 1, 1], 12)).toEqual([[0, 1], [2]]);
});

test('leaves out what has nothing to compute and keeps what is too long alone', () => {
  expect(planMicroBatches([0, 30, 3, 0], 10)).toEqual([[1], [2]]);
  expect(planMicroBatches([], 10)).toEqual([]);
  expect(planMicroBatches([0], 10)).toEqual([]);
});

test('refuses a budget below one', () => {
  expect(() => planMicroBatches([1], 0)).toThrow('microBatchTokens');
});

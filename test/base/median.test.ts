import { expect, test } from 'vitest';
import { median, quantile } from '#base/median';

test('the median of an odd count is the middle value, whatever the order', () => {
  expect(median([9, 1, 4])).toBe(4);
});

test('the median of an even count is the mean of the two middle ones', () => {
  expect(median([8, 1, 2, 100])).toBe(5);
});

test('an outlier does not move it', () => {
  expect(median([1, 2, 3, 4, 1e9])).toBe(3);
});

test('quantiles lie between neighbours in proportion', () => {
  expect(quantile([10, 20, 30, 40], 0.25)).toBe(17.5);
  expect(quantile([10, 20, 30, 40], 0)).toBe(10);
  expect(quantile([10, 20, 30, 40], 1)).toBe(40);
});

test('nothing has no median', () => {
  expect(() => median([])).toThrow('expected at least one');
});

test('the values stay in their order', () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

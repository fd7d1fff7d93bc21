import { describe, expect, test } from 'vitest';
import { judgeCall, withForcedEnd } from '#arpo/callLimit';
import { step } from './steps';

describe('judgeCall', () => {
  test('at most `callLimit` calls run', () => {
    expect(judgeCall({ callsUsed: 2, callLimit: 3, query: 'x' })).toEqual({ kind: 'execute', callsLeft: 0 });
    expect(judgeCall({ callsUsed: 3, callLimit: 3, query: 'x' })).toEqual({
      kind: 'end',
      stopReason: 'callLimit',
      isEndForced: true,
    });
  });
  test('a tag closed around nothing ends the trajectory without an end token', () => {
    expect(judgeCall({ callsUsed: 0, callLimit: 3, query: ' \n' })).toEqual({
      kind: 'end',
      stopReason: 'emptyCall',
      isEndForced: false,
    });
  });
  test('the limit is looked at before the query', () => {
    expect(judgeCall({ callsUsed: 0, callLimit: 0, query: '' })).toMatchObject({ stopReason: 'callLimit' });
  });
});

test('the forced end is part of the response and trained on', () => {
  const forced = withForcedEnd(step({ tokens: [5, 6] }), { endTokenId: 2, logProb: -4, entropy: 0.25 });
  expect([...forced.tokens]).toEqual([5, 6, 2]);
  expect([...forced.mask]).toEqual([1, 1, 1]);
  expect([...forced.logProbs]).toEqual([-1, -1, -4]);
  expect([...forced.entropies]).toEqual([0.5, 0.5, 0.25]);
  expect(forced.stopReason).toBe('callLimit');
});

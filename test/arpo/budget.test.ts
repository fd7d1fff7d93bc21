import { expect, test } from 'vitest';
import { BudgetLedger } from '#arpo/budget';

test('counts every use and what is free', () => {
  const ledger = new BudgetLedger({ globalRollouts: 4, initialRollouts: 2 });
  ledger.take('initial');
  ledger.take('branch');
  ledger.take('topUp');
  expect(ledger.state).toEqual({
    globalRollouts: 4,
    initialRollouts: 2,
    created: 3,
    initial: 1,
    branches: 1,
    topUps: 1,
    free: 1,
  });
});
test('refuses trajectory M + 1 and initial trajectory N + 1', () => {
  const ledger = new BudgetLedger({ globalRollouts: 3, initialRollouts: 1 });
  ledger.take('initial');
  expect(() => ledger.take('initial')).toThrow(/initial: expected a free trajectory slot/);
  ledger.take('branch');
  ledger.take('branch');
  expect(() => ledger.take('branch')).toThrow(/"free":0/);
  expect(ledger.free).toBe(0);
});
test('N above M, zero and fractions are errors', () => {
  expect(() => new BudgetLedger({ globalRollouts: 2, initialRollouts: 3 })).toThrow(/expected 1..2, got 3/);
  expect(() => new BudgetLedger({ globalRollouts: 2, initialRollouts: 0 })).toThrow(/got 0/);
  expect(() => new BudgetLedger({ globalRollouts: 1.5, initialRollouts: 1 })).toThrow(/got 1.5/);
});

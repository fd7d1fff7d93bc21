import { expect, test } from 'vitest';
import type { RunEntry, UpdateEntry } from '#extension/runCatalog';
import {
  formatReward,
  groupDescription,
  rewardSpread,
  runDescription,
  updateDescription,
} from '#extension/runTexts';
import { requireTrust } from '#extension/trust';
import { defaultRunConfig } from '#runs/runConfig';
import { workspace } from '../fakes/vscode';
import { groupScored } from '../runs/runFixture';

const started = {
  kind: 'groupStarted',
  update: 3,
  group: 0,
  origin: 'training',
  taskId: 'task',
  prompt: 'age of Ann ?',
  gold: '4',
  promptTokens: { offset: 0, length: 3 },
} as const;

test('rewards have two decimals and a sign that screens show as wide as the other', () => {
  expect(formatReward(0.425)).toBe('+0.42');
  expect(formatReward(-1)).toBe('−1.00');
  expect(formatReward(0)).toBe('+0.00');
});

test('the spread of rewards', () => {
  expect(rewardSpread([1, -1, 0.5, 0.5])).toBe('−1.00 … +1.00, mean +0.25');
  expect(rewardSpread([1, 1, 1])).toBe('all +1.00');
  expect(rewardSpread([])).toBe('no rewards');
});

test('a group tells its rewards and branches once it is scored', () => {
  expect(groupDescription({ folder: 'f', started, scored: null })).toBe('sampling…');
  const scored = groupScored(3, 0, [1, 0]);
  expect(groupDescription({ folder: 'f', started, scored })).toBe('+0.00 … +1.00, mean +0.50 · 1 branch');
});

test('an update tells the mean over all its trajectories, and the groups that teach nothing', () => {
  const flat = { ...groupScored(3, 1, [1, 1]), isZeroVariance: true };
  const groups = [groupScored(3, 0, [1, 0]), flat].map((scored) => ({ folder: 'f', started, scored }));
  const entry: UpdateEntry = { folder: 'f', update: 3, groups, policy: null };
  expect(updateDescription(entry)).toBe('reward +0.75 · 2 branches · 1 without variance');
  expect(updateDescription({ ...entry, groups: [] })).toBe('sampling…');
});

test('a run tells its status, progress, accuracy and start', () => {
  const manifest = {
    formatVersion: 1,
    id: 'quick-1',
    name: 'quick',
    createdAt: '2026-11-23T12:07:00.000Z',
    seed: 0,
    versions: {},
    parent: null,
    config: { ...defaultRunConfig, updates: 24 },
  };
  const entry: RunEntry = {
    folder: 'f',
    manifest,
    status: 'interrupted',
    completedUpdates: 3,
    accuracy: 0.5,
  };
  expect(runDescription(entry)).toMatch(/^interrupted · 3\/24 · 50\.0 % right · Nov \d+, \d\d:\d\d [AP]M$/);
});

test('training is refused in an untrusted folder, whoever asks for it', () => {
  workspace.isTrusted = false;
  expect(() => requireTrust()).toThrow(/must be trusted first/);
  workspace.isTrusted = true;
  expect(() => requireTrust()).not.toThrow();
});

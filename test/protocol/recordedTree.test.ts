import { expect, test } from 'vitest';
import { createRandom } from '#base/random';
import {
  groupIdOf,
  headerOf,
  matchesText,
  nodeDetailOf,
  parseGroupId,
  treeGroupOf,
} from '#protocol/recordedTree';
import { groupChanges } from '#protocol/treeChanges';
import { unpackNumber } from '#protocol/treeViewProtocol';
import type { NewNode } from '#runs/groupEvent';
import type { RecordedGroup } from '#runs/recordedGroup';
import type { NewRunEvent } from '#runs/runEvent';
import { RunReader } from '#runs/runReader';
import { createStore, groupEvents, groupScored, memoryDisk, runFolder, runStarted } from '../runs/runFixture';

const live = { entropyWindow: 2, isEnded: false };

async function record(events: readonly NewRunEvent[]): Promise<RecordedGroup> {
  const disk = memoryDisk();
  await (await createStore(disk)).append([runStarted, ...events]);
  return await (await RunReader.open(disk, runFolder)).group(3, 1);
}

function sampledNodes(events: readonly NewRunEvent[]): readonly NewNode[] {
  return events.flatMap((event) => (event.kind === 'nodesAdded' ? event.nodes : []));
}

test('every node has the parent, depth, slot, text and tool call of the record', async () => {
  const events = groupEvents(createRandom(4), { update: 3, group: 1 }, 8);
  const group = treeGroupOf(await record(events), live);
  const nodes = sampledNodes(events);
  expect(group.nodes).toHaveLength(nodes.length + 1);
  expect(group.nodes[0]).toMatchObject({ id: 0, parentId: null, depth: 0, slot: -1, modelTokens: 0 });
  expect(group.nodes[0].segments.map(({ text }) => text)).toEqual(['age of boss of Tom + 8 ?']);
  nodes.forEach((sampled, index) => {
    const { id, parentId, depth, slot, toolCall, stopReason, mask } = sampled;
    const shown = group.nodes[index + 1];
    expect(shown).toMatchObject({ id, parentId, depth, slot, stopReason });
    expect(shown.modelTokens).toBe(mask.filter((bit) => bit === 1).length);
    expect(shown.toolCall?.tool).toBe(toolCall?.tool);
    const words = shown.segments.map(({ text }) => text).join(' ');
    for (const word of words.split(/\s+/)) expect(sampled.modelText + sampled.resultText).toContain(word);
  });
});

test('the entropy after a tool result is the mean over the first model tokens', async () => {
  const events = groupEvents(createRandom(9), { update: 3, group: 1 }, 6);
  const nodes = sampledNodes(events);
  const group = treeGroupOf(await record(events), live);
  let seen = 0;
  for (const sampled of nodes) {
    const parent = nodes.find(({ id }) => id === sampled.parentId);
    const entropies = [...sampled.entropies].filter((_, at) => sampled.mask[at] === 1).slice(0, 2);
    const shown = group.nodes[sampled.id].postToolEntropy;
    if (parent?.toolCall === null || parent === undefined || entropies.length === 0) {
      expect(shown).toBeNull();
      continue;
    }
    seen += 1;
    expect(shown).toBeCloseTo(entropies.reduce((sum, value) => sum + value, 0) / entropies.length, 6);
  }
  expect(seen).toBeGreaterThan(0);
});

test('scores are by slot and node, and what was not scored is absent, not 0', async () => {
  const events = groupEvents(createRandom(4), { update: 3, group: 1 }, 3);
  const scored = groupScored(3, 1, [1, 0]);
  const group = treeGroupOf(await record([...events, scored]), live);
  expect(group.status).toBe('scored');
  const { scores } = group;
  expect([...(scores?.rewards ?? [])]).toEqual([1, 0]);
  expect([...(scores?.isCorrect ?? [])]).toEqual([1, 0]);
  expect(scores?.stepAdvantages).toHaveLength(4);
  expect(scores === null ? undefined : unpackNumber(scores.stepAdvantages, 0)).toBeNull();
  expect(scores === null ? undefined : unpackNumber(scores.values, 0)).toBe(0.5);
  expect(group.ledger).toEqual({
    trajectories: 2,
    initialTrajectories: 1,
    branches: 1,
    topUps: 0,
    paidCalls: 5,
    inheritedCalls: 2,
    paidModelTokens: 50,
    inheritedModelTokens: 20,
  });
});

test('a group without scores is being sampled while the run lives, and failed when it does not', async () => {
  const recorded = await record(groupEvents(createRandom(4), { update: 3, group: 1 }, 3));
  expect(headerOf(recorded, { isEnded: false }).status).toBe('sampling');
  expect(headerOf(recorded, { isEnded: true }).status).toBe('failed');
});

test('a detail has the whole text, the tokens as recorded, and the reward of a leaf', async () => {
  const events = groupEvents(createRandom(4), { update: 3, group: 1 }, 4);
  const recorded = await record([...events, groupScored(3, 1, [1, 0])]);
  const sampled = sampledNodes(events)[2];
  const detail = nodeDetailOf(recorded, sampled.id);
  expect(detail.text).toBe(sampled.modelText + sampled.resultText);
  expect(detail.tokens?.entropies).toEqual(sampled.entropies);
  expect(detail.tokens?.ends).toEqual(sampled.tokenEnds);
  expect(detail.toolCall?.output).toBe(sampled.toolCall?.output);
  for (const { slot, lastNodeId, isFinished } of recorded.tree.trajectories) {
    const { reward } = nodeDetailOf(recorded, lastNodeId);
    expect(reward?.total).toBe(isFinished ? [1, 0][slot] : undefined);
  }
  expect(() => nodeDetailOf(recorded, 99)).toThrow(RangeError);
});

test('text is found in any letter case, across the border of what was written and what came back', () => {
  const text = {
    origin: 'training',
    modelText: 'ask <search>',
    resultText: ' Ann',
    tokenEnds: null,
  } as const;
  expect(matchesText(text, '<SEARCH> ann')).toBe(true);
  expect(matchesText(text, 'bob')).toBe(false);
});

test('names of groups', () => {
  expect(groupIdOf({ update: 12, group: 3 })).toBe('12/3');
  expect(parseGroupId('12/3')).toEqual({ update: 12, group: 3 });
  expect(parseGroupId('12/3/4')).toBeNull();
  expect(parseGroupId('../3')).toBeNull();
});

test('changes are nodes first, then trajectories and decisions, then scores; none when nothing changed', async () => {
  const events = groupEvents(createRandom(4), { update: 3, group: 1 }, 5);
  const early = treeGroupOf(await record(events.slice(0, 3)), live);
  const late = treeGroupOf(await record([...events, groupScored(3, 1, [1, 0])]), live);
  expect(groupChanges(early, late).map(({ kind }) => kind)).toEqual([
    'nodesAdded',
    'trajectoriesChanged',
    'decisionsAdded',
    'groupScored',
  ]);
  expect(groupChanges(late, late)).toEqual([]);
  expect(() => groupChanges(late, early)).toThrow(/expected a later state/);
  expect(groupChanges(early, { ...early, status: 'failed' })).toMatchObject([
    { kind: 'headerChanged', header: { status: 'failed' } },
  ]);
});

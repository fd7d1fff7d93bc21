import { expect, test } from 'vitest';
import { clipText, nodeSegments } from '#protocol/nodeSegments';
import { packNumbers, unpackNumber } from '#protocol/treeViewProtocol';
import { visibleText } from '../../webview/shared/visibleText';
import { bringIntoSight, fitBox, toScreen, zoomAt } from '../../webview/tree/camera';
import { decisionSentence } from '../../webview/tree/decisionText';
import { filterGroup, noFilter, searchGroup } from '../../webview/tree/filter';
import { ForestLayout } from '../../webview/tree/forestLayout';
import { commandFor, keyBindings } from '../../webview/tree/keyboard';
import { matchAfter, nodeTowards } from '../../webview/tree/navigation';
import { describeNode } from '../../webview/tree/nodeText';
import { TreeState } from '../../webview/tree/treeState';
import { initialViewState, readViewState } from '../../webview/tree/viewState';
import { createDemo, snapshotOf } from './demoGroups';

function demoState(groups = 2) {
  const demo = createDemo({ seed: 4, groups, trajectories: 16, initialTrajectories: 8 });
  const state = new TreeState();
  state.replace(snapshotOf(demo));
  const forest = new ForestLayout();
  forest.update(state.groups, 'lanes', () => new Set());
  return { demo, state, forest, group: state.groups[0] };
}

test('segments are cut at the tags, in order', () => {
  const text = '<think> find </think> <search> friend of Sue </search> <result> see Gus </result>';
  expect(nodeSegments(text, ['search'])).toEqual([
    { kind: 'think', text: 'find', fullLength: 4 },
    { kind: 'call', text: 'friend of Sue', fullLength: 13 },
    { kind: 'result', text: 'see Gus', fullLength: 7 },
  ]);
  expect(nodeSegments('loose <answer> 4', ['search']).map(({ kind, text: shown }) => [kind, shown])).toEqual([
    ['text', 'loose'],
    ['answer', '4'],
  ]);
  expect(nodeSegments('<python> 1 </python>', ['search'])).toEqual([
    { kind: 'text', text: '<python> 1 </python>', fullLength: 20 },
  ]);
});

test('a megabyte of brackets is cut in time', () => {
  const start = performance.now();
  const segments = nodeSegments('<'.repeat(1_000_000) + '<think>'.repeat(1_000), ['search']);
  expect(performance.now() - start).toBeLessThan(500);
  expect(segments.every(({ text }) => text.length <= 160)).toBe(true);
});

test('clipping does not split a character', () => {
  expect(clipText('a😀b', 2)).toBe('a');
  expect(clipText('a😀b', 3)).toBe('a😀');
});

test('absent numbers survive packing', () => {
  const packed = packNumbers([1.5, null, 0]);
  expect([0, 1, 2, 3].map((index) => unpackNumber(packed, index))).toEqual([1.5, null, 0, null]);
});

test('characters that act become visible', () => {
  expect(visibleText('a\u001b[31mred', 'oneLine')).toBe('a␛[31mred');
  expect(visibleText('x\u202egnp.exe', 'lines')).toBe('x[U+202E]gnp.exe');
  expect(visibleText('a\nb\tc\r', 'lines')).toBe('a\nb\tc␍');
  expect(visibleText('a\nb\tc', 'oneLine')).toBe('a↵b→c');
  expect(visibleText('\u2066\u200b\ufeff\ud800!', 'lines')).toBe('[U+2066][U+200B][U+FEFF][U+D800]!');
  expect(visibleText('😀 ∑ é 漢', 'lines')).toBe('😀 ∑ é 漢');
});

test('zooming keeps the point under the pointer; fitting shows the whole box', () => {
  const camera = { x: 10, y: -20, scale: 0.5 };
  const zoomed = zoomAt(camera, 1.7, { x: 300, y: 200 }, 0.01);
  const worldBefore = [(300 - camera.x) / camera.scale, (200 - camera.y) / camera.scale];
  const worldAfter = [(300 - zoomed.x) / zoomed.scale, (200 - zoomed.y) / zoomed.scale];
  expect(worldAfter[0]).toBeCloseTo(worldBefore[0], 9);
  expect(worldAfter[1]).toBeCloseTo(worldBefore[1], 9);
  const box = { left: 0, top: 0, right: 5_000, bottom: 900 };
  const screen = toScreen(fitBox(box, { width: 800, height: 600 }), box);
  expect(screen.left).toBeGreaterThanOrEqual(0);
  expect(screen.right).toBeLessThanOrEqual(800);
  const moved = bringIntoSight(
    camera,
    { left: 4_000, top: 0, right: 4_200, bottom: 70 },
    { width: 800, height: 600 },
  );
  expect(moved.x + 4_200 * 0.5).toBeLessThanOrEqual(800);
});

test('walking right and back visits every depth; up and down visit every node of a column', () => {
  const { forest, group } = demoState(1);
  const groupId = group.header.groupId;
  let at = nodeTowards(forest, null, 'prompt');
  const column: number[] = [];
  at = nodeTowards(forest, at, 'child');
  for (let next = at; next !== null; next = nodeTowards(forest, next, 'below')) column.push(next.nodeId);
  expect(column.sort((a, b) => a - b)).toEqual(group.children[0]);
  const leaf = nodeTowards(forest, { groupId, nodeId: 0 }, 'leaf');
  let steps = 0;
  for (let next = leaf; next !== null && next.nodeId !== 0; next = nodeTowards(forest, next, 'parent'))
    steps += 1;
  expect(steps).toBe(group.nodes[leaf?.nodeId ?? 0].depth);
});

test('branch decisions are visited in order, over the trees', () => {
  const { forest, state } = demoState(2);
  const visited: string[] = [];
  let at = nodeTowards(forest, { groupId: state.groups[0].header.groupId, nodeId: 0 }, 'nextDecision');
  for (; at !== null; at = nodeTowards(forest, at, 'nextDecision'))
    visited.push(`${at.groupId}:${at.nodeId}`);
  const expected = state.groups.flatMap((group) =>
    [...group.decisions.keys()].sort((a, b) => a - b).map((id) => `${group.header.groupId}:${id}`),
  );
  expect(visited).toEqual(expected);
});

test('matches go round', () => {
  const matches = [1, 5, 9].map((nodeId) => ({ groupId: 'g', nodeId }));
  expect(matchAfter(matches, null, 1)).toEqual(matches[0]);
  expect(matchAfter(matches, matches[2], 1)).toEqual(matches[0]);
  expect(matchAfter(matches, matches[0], -1)).toEqual(matches[2]);
  expect(matchAfter([], null, 1)).toBeNull();
});

test('filters keep what they say', () => {
  const { group } = demoState(1);
  expect(filterGroup(group, noFilter)).toBeNull();
  const right = filterGroup(group, { ...noFilter, outcome: 'right' });
  for (const { slot, lastNodeId } of group.trajectories) {
    if (group.scores?.isCorrect[slot] === 1) expect(right?.[lastNodeId]).toBe(1);
    else expect(right?.[lastNodeId]).toBe(0);
  }
  const python = filterGroup(group, { ...noFilter, tool: 'python', depth: 3 });
  group.nodes.forEach((node) =>
    expect(python?.[node.id]).toBe(node.depth === 3 && node.toolCall?.tool === 'python' ? 1 : 0),
  );
  const taken = filterGroup(group, { ...noFilter, rule: 'taken' });
  const forks = new Set(
    group.trajectories.filter(({ origin }) => origin === 'branch').map(({ forkNodeId }) => forkNodeId),
  );
  expect([...(taken ?? [])].flatMap((bit, id) => (bit === 1 ? [id] : []))).toEqual(
    [...forks].sort((a, b) => a - b),
  );
});

test('search ignores letter case and finds texts and prompts', () => {
  const { group } = demoState(1);
  const found = searchGroup(group, '  SEE ');
  expect(found).toEqual(
    group.nodes
      .filter(({ segments }) => segments.some(({ text }) => text.includes('see')))
      .map(({ id }) => id),
  );
  expect(searchGroup(group, group.header.prompt)).toEqual([0]);
  expect(searchGroup(group, ' ')).toEqual([]);
});

test('decisions are told in words', () => {
  const decision = {
    rule: 'paper',
    turn: 1,
    slot: 2,
    nodeId: 3,
    initialEntropy: 0.1,
    currentEntropy: 0.6,
    deltaEntropy: 0.5,
    comparedTokens: 6,
    probability: 0.6,
    draw: null,
    score: 0.6,
    threshold: 0.5,
    budgetBefore: 3,
    budgetAfter: 2,
    consecutiveBranches: 0,
    isTaken: true,
    reason: 'passedThreshold',
    createdSlot: 9,
  } as const;
  expect(decisionSentence(decision)).toBe('Branched into slot 9: 0.600 is above the threshold 0.500.');
  expect(
    decisionSentence({ ...decision, isTaken: false, createdSlot: null, reason: 'drawRefused', draw: 0.71 }),
  ).toBe('Not branched: the draw 0.710 fell outside the probability 0.600.');
});

test('a node in words says what the card shows', () => {
  const { group } = demoState(1);
  const node = group.nodes.find(
    ({ toolCall, postToolEntropy }) => toolCall !== null && postToolEntropy !== null,
  );
  if (node === undefined) throw new Error('no such node');
  const words = describeNode(group, node.id, 'entropy');
  expect(words).toContain(`Step ${node.depth}`);
  expect(words).toContain(`Entropy after tool ${node.postToolEntropy?.toFixed(2)}`);
  for (const segment of node.segments) expect(words).toContain(segment.text);
});

test('keys are unique, and those of the editor are left alone', () => {
  const keys = keyBindings.flatMap((binding) => binding.keys);
  expect(new Set(keys).size).toBe(keys.length);
  const plain = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };
  expect(commandFor({ ...plain, key: 'f' })).toEqual({ kind: 'simple', name: 'fit' });
  expect(commandFor({ ...plain, key: 'f', ctrlKey: true })).toBeNull();
  expect(commandFor({ ...plain, key: 'ArrowUp', shiftKey: true })).toEqual({ kind: 'pan', x: 0, y: 80 });
  expect(commandFor({ ...plain, key: 'F5' })).toBeNull();
});

test('a stored state is read back, and nonsense becomes the default', () => {
  const state = {
    ...initialViewState,
    colourBy: 'step',
    layout: 'tidy',
    filter: { outcome: 'right', tool: 'search', depth: 2, rule: 'taken' },
    folded: { g: [1, 2] },
    selected: { groupId: 'g', nodeId: 4 },
    camera: { x: 1, y: 2, scale: 0.5 },
    showsDetails: false,
  };
  expect(readViewState(JSON.parse(JSON.stringify(state)))).toEqual(state);
  const nonsense = {
    colourBy: 'taste',
    camera: { x: 'a' },
    folded: { g: [-1, 'x', 3] },
    selected: 7,
    filter: null,
  };
  expect(readViewState(nonsense)).toEqual({ ...initialViewState, folded: { g: [3] } });
  expect(readViewState(undefined)).toEqual(initialViewState);
});

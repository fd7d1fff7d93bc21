import { describe, expect, test } from 'vitest';
import type { RolloutNode } from '#arpo/rolloutTree';
import { openTokenizer } from '#engine/tokenizer';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';
import { rollOutGroups, type AdaptiveRolloutOptions } from '#training/adaptiveRollout';
import type { GroupRollout } from '#training/groupRollout';
import type { RolloutEvent } from '#training/rolloutService';
import { createStopDetector } from '#training/stopDetector';
import { letterEnvironment, letterParts, letterWords, never } from './letters';
import { ScriptedSampler, scriptedEntropy, scriptedGroup, scriptedLogProb } from './scriptedSampler';

const tokenizer = openTokenizer(
  createWordTokenizerFiles(letterWords, { endToken: '<eos>', padToken: '<pad>', contextLength: 48 }),
);
const environment = letterEnvironment();

interface Play {
  readonly group: GroupRollout;
  readonly sampler: ScriptedSampler;
  readonly nodes: readonly RolloutNode[];
  readonly events: readonly RolloutEvent[];
}

async function play(
  texts: readonly string[],
  changes: Partial<Omit<Parameters<typeof scriptedGroup>[1], 'tokenizer' | 'environment'>> &
    Partial<Pick<AdaptiveRolloutOptions, 'queryExtraction'>> = {},
): Promise<Play> {
  const sampler = new ScriptedSampler(tokenizer, texts);
  const group = scriptedGroup(sampler, { tokenizer, environment, ...changes });
  const { runTool } = letterParts();
  const events: RolloutEvent[] = [];
  await rollOutGroups(
    [group],
    {
      update: 3,
      sampler,
      tokenizer,
      sampling: { temperature: 1, topP: 1, topK: 0, isGreedy: false, alternatives: 0 },
      isToolCallComplete: createStopDetector(tokenizer, ['</search>', '</python>']),
      queryExtraction: changes.queryExtraction ?? 'segment',
      runTool: ({ task }, tool, query, signal) => runTool(task, tool, query, signal),
      onEvents: (added) => events.push(...added),
    },
    never,
  );
  return { group, sampler, nodes: group.scheduler.tree.nodes, events };
}

function textOf({ tokens }: RolloutNode): string {
  return tokenizer.decode(tokens);
}

describe('one trajectory, step by step', () => {
  test('a call, its result, and the end', async () => {
    const { nodes, group } = await play(['<search> a b </search>', 'c <eos>']);
    expect(nodes.map(textOf)).toEqual([
      'ask a a',
      '<search> a b </search> <result> b c </result>',
      'c <eos>',
    ]);
    expect(nodes.map(({ stopReason }) => stopReason)).toEqual([null, 'toolCall', 'end']);
    expect([...nodes[1].mask]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    expect([...nodes[1].logProbs]).toEqual([...Array<number>(4).fill(scriptedLogProb), 0, 0, 0, 0]);
    expect([...nodes[1].entropies]).toEqual([...Array<number>(4).fill(scriptedEntropy), 0, 0, 0, 0]);
    expect(nodes[1].toolCall).toEqual({
      tool: 'search',
      input: 'a b',
      output: 'b c',
      failure: null,
      latencyMs: 0,
      cached: false,
      attempts: 1,
    });
    // Two b, two c (queries and results count) and one call: (2 − 2) / 4 + 1 / 8.
    expect(group.score()).toMatchObject([{ total: 0.125, isCorrect: false }]);
  });

  test('the request over the limit is not run; an end token is forced and trained on', async () => {
    const { nodes, group } = await play(['<search> a </search>', '<python> b </python>'], { callLimit: 1 });
    expect(nodes.map(textOf)).toEqual([
      'ask a a',
      '<search> a </search> <result> b </result>',
      '<python> b </python> <eos>',
    ]);
    expect(nodes[2]).toMatchObject({ stopReason: 'callLimit', toolCall: null });
    expect([...nodes[2].mask]).toEqual([1, 1, 1, 1]);
    expect([...nodes[2].logProbs]).toEqual(Array(4).fill(scriptedLogProb));
    expect(group.scheduler.tree.costOf(0).calls).toBe(1);
  });

  test('without room for the forced end the trajectory ends without it', async () => {
    const { nodes } = await play(['<search> a </search>', '<python> b </python>'], {
      callLimit: 1,
      totalTokens: 3 + 6 + 3,
    });
    expect(textOf(nodes[2])).toBe('<python> b </python>');
    expect(nodes[2].stopReason).toBe('callLimit');
  });

  test('a tag closed around nothing silently ends the trajectory', async () => {
    const { nodes } = await play(['a <search> </search>']);
    expect(nodes[1]).toMatchObject({ stopReason: 'emptyCall', toolCall: null });
    expect(textOf(nodes[1])).toBe('a <search> </search>');
  });

  test('a failed call is a result, and the trajectory goes on', async () => {
    const { nodes } = await play(['<search> d </search>', 'b <eos>']);
    expect(textOf(nodes[1])).toBe('<search> d </search> <result> fault </result>');
    expect(nodes[1].toolCall).toMatchObject({ output: 'fault', failure: 'd is unknown' });
    expect(nodes[2].stopReason).toBe('end');
  });

  test('a result that leaves no room is cut, and its call is still recorded', async () => {
    const { nodes } = await play(['<search> a b </search>'], { totalTokens: 3 + 4 + 2 });
    expect(textOf(nodes[1])).toBe('<search> a b </search> <result> b');
    expect(nodes[1]).toMatchObject({ stopReason: 'length', toolCall: { output: 'b c' } });
  });

  test('a segment that runs into the limit ends with length', async () => {
    const { nodes } = await play(['a b c a b c'], { totalTokens: 7 });
    expect(textOf(nodes[1])).toBe('a b c a');
    expect(nodes[1].stopReason).toBe('length');
  });
});

describe('where the query is looked for', () => {
  const texts = ['<search> a </search>', 'b </search>', '<eos>'];

  test('released: back to an opening tag of any earlier segment', async () => {
    const { nodes } = await play(texts, { queryExtraction: 'released' });
    expect(nodes[2].toolCall?.input).toBe('a </search> <result> b </result> b');
    expect(nodes[2].stopReason).toBe('toolCall');
  });

  test('segment: only in what was just written', async () => {
    const { nodes } = await play(texts, { queryExtraction: 'segment' });
    expect(nodes[2]).toMatchObject({ stopReason: 'emptyCall', toolCall: null });
  });
});

describe('events', () => {
  test('tell the whole tree, turn by turn, and every sequence is closed', async () => {
    const { events, nodes, sampler, group } = await play(
      ['<search> a </search>', 'b <eos>', '<search> c </search>', 'c <eos>', 'c c <eos>'],
      {
        branching: {
          rule: 'random',
          randomProbability: 1,
          measuringPoint: 'beforeResult',
          baselineScope: 'trajectory',
          globalRollouts: 3,
          initialRollouts: 1,
        },
      },
    );
    expect(events.map(({ kind }) => kind)).toEqual([
      'groupStarted',
      'trajectoriesStarted',
      'nodesAdded',
      'branchesDecided',
      'trajectoriesStarted',
      'nodesAdded',
      'branchesDecided',
      'trajectoriesStarted',
      'nodesAdded',
    ]);
    for (const { update, group: index } of events) expect([update, index]).toEqual([3, 0]);
    expect(events[0]).toMatchObject({ taskId: 'letters/train/0', prompt: 'ask a a', gold: 'b' });
    const added = events.flatMap((event) => (event.kind === 'nodesAdded' ? event.nodes : []));
    expect(added.map(({ id }) => id)).toEqual(nodes.slice(1).map(({ id }) => id));
    expect(added[0]).toMatchObject({
      modelText: '<search> a </search>',
      resultText: ' <result> b </result>',
    });
    expect([...(added[0].tokenEnds ?? [])].at(-1)).toBe((added[0].modelText + added[0].resultText).length);
    // Slot 2 was copied from slot 1, which was copied from slot 0: the same first call.
    const { tree } = group.scheduler;
    expect(tree.pathTo(tree.trajectory(2).lastNodeId).map(textOf)).toEqual([
      'ask a a',
      '<search> a </search> <result> b </result>',
      '<search> c </search> <result> a </result>',
      'c c <eos>',
    ]);
    group.dispose();
    expect(sampler.openSequences).toBe(0);
  });
});

describe('the end of a segment', () => {
  const detector = createStopDetector(tokenizer, ['</search>', '</python>']);
  const encode = (text: string): Int32Array => tokenizer.encode(text);

  test('is seen by the newest token when every tag is one', () => {
    expect(detector(encode('<search> a </search>'))).toBe(true);
    expect(detector(encode('<search> a </search> b'))).toBe(false);
    expect(detector(encode('<python> a </python>'))).toBe(true);
  });

  test('is seen in the text when a tag is split into several tokens', () => {
    const letters = {
      ...tokenizer,
      encode: (text: string) => Int32Array.from(text, (letter) => letter.codePointAt(0) ?? 0),
      decode: (tokens: ArrayLike<number>) => String.fromCodePoint(...Array.from(tokens)),
    };
    const split = createStopDetector(letters, ['</search>']);
    expect(split(letters.encode('<search>boss of Tom</search'))).toBe(false);
    expect(split(letters.encode('<search>boss of Tom</search>'))).toBe(true);
    expect(split(letters.encode('<search>boss of Tom</search> '))).toBe(true);
    expect(split(letters.encode('</search>boss'))).toBe(false);
  });

  test('never comes from a tag that the vocabulary lacks', () => {
    const unknown = createStopDetector(tokenizer, ['</browse>']);
    expect(unknown(encode('<search> a </search>'))).toBe(false);
  });
});

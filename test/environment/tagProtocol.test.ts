import { describe, expect, test } from 'vitest';
import {
  classifySegment,
  extractQuery,
  formatResult,
  parseSegments,
  resultRanges,
  stopTags,
} from '#environment/tagProtocol';

const tags = ['search', 'python'];

test('a result is one space, then the output between tags on lines of their own', () => {
  expect(formatResult('42')).toBe(' <result>\n42\n</result>');
});

test('stop tags are the closing tags of the loaded tools', () => {
  expect(stopTags(tags)).toEqual(['</search>', '</python>']);
});

describe('extractQuery', () => {
  test.each([
    ['<search> boss of Tom </search>', 'boss of Tom'],
    ['<search>a</search> x <search> b\nc </search>', 'b\nc'],
    ['<search> </search>', ''],
    ['boss of Tom </search>', ''],
    ['<search> boss of Tom', ''],
    ['<search>a<search>b</search>', 'b'],
    ['<search></search', ''],
  ])('%j → %j', (text, query) => {
    expect(extractQuery(text, 'search')).toBe(query);
  });
});

describe('classifySegment', () => {
  const prompt = 'Write <search> query </search>. Question?';

  test('a complete call is a call under both rules', () => {
    for (const rule of ['released', 'corrected'] as const) {
      const segment = '<think> find </think> <search> boss of Tom </search>';
      expect(classifySegment({ segment, context: `${prompt} ${segment}`, tags, rule })).toEqual({
        kind: 'toolCall',
        tag: 'search',
        query: 'boss of Tom',
      });
    }
  });

  test('without its opening tag the released rule reaches back into the prompt, the corrected one finds nothing', () => {
    const segment = 'boss of Tom </search>';
    const context = `${prompt} ${segment}`;
    expect(classifySegment({ segment, context, tags, rule: 'released' })).toEqual({
      kind: 'toolCall',
      tag: 'search',
      query: 'query </search>. Question? boss of Tom',
    });
    expect(classifySegment({ segment, context, tags, rule: 'corrected' })).toEqual({
      kind: 'emptyCall',
      tag: 'search',
    });
  });

  test('a call around nothing is empty under both rules', () => {
    const segment = '<python>  </python>';
    const context = `${prompt} ${segment}`;
    const empty = { kind: 'emptyCall', tag: 'python' };
    expect(classifySegment({ segment, context, tags, rule: 'released' })).toEqual(empty);
    expect(classifySegment({ segment, context, tags, rule: 'corrected' })).toEqual(empty);
  });

  test('a segment that ends otherwise, or in the tag of a tool that is not loaded, is no call', () => {
    const answer = '<search>x</search> <answer> 4 </answer>';
    expect(classifySegment({ segment: answer, context: answer, tags, rule: 'corrected' }).kind).toBe('none');
    const other = '<browse>x</browse>';
    expect(classifySegment({ segment: other, context: other, tags, rule: 'corrected' }).kind).toBe('none');
  });
});

describe('parseSegments', () => {
  const text =
    'Q: <think> a </think> <search> b </search> <result>\n<answer> not one\n</result><answer> 4 </answer>';

  test('finds the stretches in order; tags inside a result are its content', () => {
    const segments = parseSegments(text);
    expect(
      segments.map(({ kind, contentStart, contentEnd }) => [kind, text.slice(contentStart, contentEnd)]),
    ).toEqual([
      ['plain', 'Q: '],
      ['think', ' a '],
      ['plain', ' '],
      ['call', ' b '],
      ['plain', ' '],
      ['result', '\n<answer> not one\n'],
      ['answer', ' 4 '],
    ]);
  });

  test('the ranges cover the text without gaps', () => {
    const segments = parseSegments(text);
    expect(segments.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
  });

  test('a stretch that is never closed ends at the next opening tag or at the end', () => {
    const open = '<think> a <search> b';
    const segments = parseSegments(open);
    expect(
      segments.map(({ kind, start, end, isClosed }) => [kind, open.slice(start, end), isClosed]),
    ).toEqual([
      ['think', '<think> a ', false],
      ['call', '<search> b', false],
    ]);
  });

  test('other tools may be named, an empty text has no stretches', () => {
    expect(parseSegments('<browse>x</browse>', ['browse'])[0].tag).toBe('browse');
    expect(parseSegments('')).toEqual([]);
  });

  test('result ranges are the characters that tools wrote', () => {
    const [range] = resultRanges(text);
    expect(text.slice(range.start, range.end)).toBe('\n<answer> not one\n');
  });
});

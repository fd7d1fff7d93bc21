/**
 * ARPO's tag protocol (released code, rollout steps 4 and 5): tools are called by tags, answers come back between
 * `<result>` tags. Pure text; nothing here knows tokens.
 */

/**
 * How the query of a call is found. `released`: in the whole context (prompt included) between the last
 * `</tag>` and the last `<tag>` before it, so a missing opening tag reaches back to an earlier one.
 * `corrected`: the same, but only in the segment just written.
 */
export type QueryRule = 'released' | 'corrected';

/** What a segment that the policy just wrote asks for. */
export type SegmentClass =
  | { readonly kind: 'toolCall'; readonly tag: string; readonly query: string }
  /** The tag was closed, but no query was found. */
  | { readonly kind: 'emptyCall'; readonly tag: string }
  /** The segment does not end in a stop tag. */
  | { readonly kind: 'none' };

export interface SegmentContext {
  /** The text just written, stop tag included. */
  readonly segment: string;
  /** Everything the model has seen, prompt and `segment` included. */
  readonly context: string;
  /** The tags of the loaded tools, without brackets. */
  readonly tags: readonly string[];
  readonly rule: QueryRule;
}

/** The text inserted after a call: one space, then the output between result tags on lines of their own. */
export function formatResult(output: string): string {
  return ` <result>\n${output}\n</result>`;
}

/** The strings that end a turn: the closing tag of every tool. */
export function stopTags(tags: readonly string[]): string[] {
  return tags.map((tag) => `</${tag}>`);
}

/**
 * The query before the last `</tag>` of a text: what follows the last `<tag>` before it, trimmed.
 *
 * @returns '' when a tag is missing or nothing stands between them.
 */
export function extractQuery(text: string, tag: string): string {
  const end = text.lastIndexOf(`</${tag}>`);
  if (end < 0) return '';
  const open = `<${tag}>`;
  // The opening tag must lie wholly before the closing one.
  const start = text.slice(0, end).lastIndexOf(open);
  return start < 0 ? '' : text.slice(start + open.length, end).trim();
}

/** Tells a tool call from an empty call and from ordinary text. */
export function classifySegment({ segment, context, tags, rule }: SegmentContext): SegmentClass {
  const written = segment.trimEnd();
  const tag = tags.find((candidate) => written.endsWith(`</${candidate}>`));
  if (tag === undefined) return { kind: 'none' };
  const query = extractQuery(rule === 'released' ? context : segment, tag);
  return query === '' ? { kind: 'emptyCall', tag } : { kind: 'toolCall', tag, query };
}

export type TextSegmentKind = 'think' | 'call' | 'result' | 'answer' | 'plain';

/** A stretch of a transcript, for display. Ranges count UTF-16 units; together they cover the text. */
export interface TextSegment {
  readonly kind: TextSegmentKind;
  /** The tag without brackets; `null` for plain text. */
  readonly tag: string | null;
  readonly start: number;
  readonly end: number;
  /** What stands between the tags. */
  readonly contentStart: number;
  readonly contentEnd: number;
  /** Whether the closing tag is there; plain text counts as closed. */
  readonly isClosed: boolean;
}

/**
 * Cuts a transcript into think, call, result, answer and plain stretches. Tags inside a stretch are its
 * content; a stretch without a closing tag ends at the next opening tag or at the end.
 */
export function parseSegments(text: string, tags: readonly string[] = ['search', 'python']): TextSegment[] {
  const opening = openingTags(tags);
  const segments: TextSegment[] = [];
  let position = 0;
  while (position < text.length) {
    opening.lastIndex = position;
    const match = opening.exec(text);
    const start = match === null ? text.length : match.index;
    if (start > position) segments.push(plainSegment(position, start));
    if (match === null) break;
    const segment = taggedSegment(text, match[1], start, tags);
    segments.push(segment);
    position = segment.end;
  }
  return segments;
}

/** The character ranges between result tags: what tools wrote, tags excluded. */
export function resultRanges(text: string): { readonly start: number; readonly end: number }[] {
  return parseSegments(text)
    .filter((segment) => segment.kind === 'result')
    .map((segment) => ({ start: segment.contentStart, end: segment.contentEnd }));
}

function openingTags(tags: readonly string[]): RegExp {
  const names = ['think', 'result', 'answer', ...tags].map((tag) => tag.replace(/[^\w]/g, '\\$&'));
  return new RegExp(`<(${names.join('|')})>`, 'g');
}

function plainSegment(start: number, end: number): TextSegment {
  return { kind: 'plain', tag: null, start, end, contentStart: start, contentEnd: end, isClosed: true };
}

function taggedSegment(text: string, tag: string, start: number, tags: readonly string[]): TextSegment {
  const kind = tag === 'think' || tag === 'result' || tag === 'answer' ? tag : 'call';
  const contentStart = start + tag.length + 2;
  const close = `</${tag}>`;
  const closeAt = text.indexOf(close, contentStart);
  if (closeAt >= 0) {
    return {
      kind,
      tag,
      start,
      end: closeAt + close.length,
      contentStart,
      contentEnd: closeAt,
      isClosed: true,
    };
  }
  const opening = openingTags(tags);
  opening.lastIndex = contentStart;
  const end = opening.exec(text)?.index ?? text.length;
  return { kind, tag, start, end, contentStart, contentEnd: end, isClosed: false };
}

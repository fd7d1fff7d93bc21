/** Cuts the text of a step into typed stretches, for views. */
import type { SegmentKind, TreeSegment } from '#protocol/treeViewProtocol';
import { clippedTextLength } from '#protocol/treeViewProtocol';

/** At most this many segments of one node are sent; the last one then covers the rest. */
const maximalSegments = 24;

/**
 * The segments of a step's text.
 *
 * @param text What the policy wrote, then the tool result, tags included. Unclosed tags run to the end.
 * @param toolTags Tags that call tools, without brackets, for example `search`.
 * @returns In the order of the text; blank stretches are left out.
 */
export function nodeSegments(text: string, toolTags: readonly string[]): TreeSegment[] {
  const kinds = new Map<string, SegmentKind>([
    ['think', 'think'],
    ['result', 'result'],
    ['answer', 'answer'],
    ...toolTags.map((tag): [string, SegmentKind] => [tag, 'call']),
  ]);
  const openTag = new RegExp(`<(${[...kinds.keys()].map(escapePattern).join('|')})>`, 'g');
  const segments: TreeSegment[] = [];
  let position = 0;
  while (position < text.length) {
    openTag.lastIndex = position;
    const open = segments.length >= maximalSegments - 2 ? null : openTag.exec(text);
    push(segments, 'text', text.slice(position, open?.index ?? text.length));
    if (open === null) break;
    const tag = open[1] ?? '';
    const close = `</${tag}>`;
    const start = open.index + open[0].length;
    const end = text.indexOf(close, start);
    push(segments, kinds.get(tag) ?? 'text', text.slice(start, end === -1 ? text.length : end));
    position = end === -1 ? text.length : end + close.length;
  }
  return segments;
}

/** The text cut to `limit` UTF-16 units without splitting a character. */
export function clipText(text: string, limit: number = clippedTextLength): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? limit - 1 : limit);
}

function escapePattern(tag: string): string {
  return tag.replaceAll(/[^\w]/g, '\\$&');
}

function push(segments: TreeSegment[], kind: SegmentKind, text: string): void {
  const trimmed = text.trim();
  if (trimmed !== '' || kind !== 'text') {
    segments.push({ kind, text: clipText(trimmed), fullLength: trimmed.length });
  }
}

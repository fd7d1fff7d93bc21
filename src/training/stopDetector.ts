import type { Tokenizer } from '#engine/policy';

/** Tokens looked at when a stop tag may span several tokens; a closing tag is never longer. */
const tailLength = 24;

/**
 * Tells whether a segment has just been completed by one of the closing tags.
 *
 * When every tag is one token of the vocabulary the newest token decides; otherwise the end of the
 * segment is decoded, because a tag may be split (and merged with its neighbours) in many ways.
 *
 * @param tags Complete closing tags, for example `</search>`.
 */
export function createStopDetector(
  tokenizer: Tokenizer,
  tags: readonly string[],
): (tokens: Int32Array) => boolean {
  const encoded = tags.map((tag) => encodeOrNull(tokenizer, tag));
  if (encoded.every((tokens) => tokens?.length === 1)) {
    const stopIds = new Set(encoded.map((tokens) => tokens?.[0]));
    return (tokens) => stopIds.has(tokens[tokens.length - 1]);
  }
  return (tokens) => {
    const tail = tokenizer.decode(tokens.subarray(Math.max(0, tokens.length - tailLength))).trimEnd();
    return tags.some((tag) => tail.endsWith(tag));
  };
}

/** A vocabulary without the tag cannot write it either; the decoded text then never matches. */
function encodeOrNull(tokenizer: Tokenizer, tag: string): Int32Array | null {
  try {
    return tokenizer.encode(tag);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'unknownToken') return null;
    throw error;
  }
}

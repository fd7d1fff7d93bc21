/** Tokens decoded together: enough to finish any character that byte-level tokens cut in pieces. */
const windowTokens = 16;

/**
 * Where the text of each token ends, so that a viewer can cut a node's text without a tokenizer.
 *
 * @param tokens `[T]` token ids; not modified.
 * @param decode Token ids to text.
 * @returns `[T]`, UTF-16 units from the start of `decode(tokens)`, not decreasing; the last one is the
 *   length of the whole text. A character made of several tokens belongs to the last of them.
 */
export function tokenTextEnds(tokens: Int32Array, decode: (tokens: Int32Array) => string): Int32Array {
  const ends = new Int32Array(tokens.length);
  let end = 0;
  // Length of the text before the token, within the window; while the window begins at 0 it is known.
  let before = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    const start = Math.max(0, index - windowTokens);
    if (start > 0) before = decode(tokens.subarray(start, index)).length;
    const after = decode(tokens.subarray(start, index + 1)).length;
    end = Math.max(end, end + after - before);
    before = after;
    ends[index] = end;
  }
  const total = decode(tokens).length;
  if (tokens.length > 0) ends[tokens.length - 1] = total;
  return ends.map((value) => Math.min(value, total));
}

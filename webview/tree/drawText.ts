/** Text on canvases: cut to a width, remembered, because measuring is slow. */

const remembered = new Map<string, string>();
const maximalRemembered = 20_000;

/** The text, or its beginning and `…`, so that it is not wider than `width` in the current font. */
export function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font}|${width}|${text}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size >= maximalRemembered) remembered.clear();
  const fitted = cutToWidth(context, text, width);
  remembered.set(key, fitted);
  return fitted;
}

/** Lines of at most `width`, broken at blanks; the last one ends in `…` when there was more. */
export function wrapText(
  context: CanvasRenderingContext2D,
  text: string,
  box: { readonly width: number; readonly lines: number },
): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest !== '' && lines.length < box.lines - 1) {
    const line = breakLine(context, rest, box.width);
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  if (rest !== '') lines.push(fitText(context, rest, box.width));
  return lines;
}

function breakLine(context: CanvasRenderingContext2D, text: string, width: number): string {
  const start = text.slice(0, 200);
  if (context.measureText(start).width <= width && start.length === text.length) return text;
  const cut = longestPrefix(context, start, width);
  const blank = start.lastIndexOf(' ', cut);
  return start.slice(0, blank > 0 ? blank : Math.max(1, cut));
}

function cutToWidth(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const cut = longestPrefix(context, text, width - context.measureText('…').width);
  return `${text.slice(0, cut).trimEnd()}…`;
}

function longestPrefix(context: CanvasRenderingContext2D, text: string, width: number): number {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(text.slice(0, middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return low;
}

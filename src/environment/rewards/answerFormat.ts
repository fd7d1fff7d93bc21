/** The format check and the boxed answer of the released `deep_research.py`, line by line. */

/** Why a text is malformed, or `null` when its format is right. */
export type FormatProblem = string | null;

const callTags = ['search', 'python'] as const;

/** `validate_format` of the released code, with its order of checks. */
export function findFormatProblem(text: string): FormatProblem {
  const thinks = count(text, '<think>');
  if (thinks !== count(text, '</think>')) return '<think> </think> not paired';
  if (thinks === 0) return '<think> or </think> not found';
  if (count(text, '<answer>') !== 1 || count(text, '</answer>') !== 1) {
    return 'expected exactly one <answer> and one </answer>';
  }
  for (const tag of callTags) {
    const problem = findCallProblem(text, tag);
    if (problem !== null) return problem;
  }
  const start = text.indexOf('<answer>');
  const end = text.indexOf('</answer>');
  if (start > end) return '<answer> must be before </answer>';
  const answer = text.slice(start, end);
  if (!answer.includes('\\boxed{') || !answer.includes('}')) return 'answer is missing \\boxed{} format';
  return null;
}

/** Every `<tag>` must be followed by `</tag>`, `<result>` and `</result>`, in this order. */
function findCallProblem(text: string, tag: string): FormatProblem {
  for (let position = 0; ;) {
    const start = text.indexOf(`<${tag}>`, position);
    if (start < 0) return null;
    const end = text.indexOf(`</${tag}>`, start);
    const resultStart = text.indexOf('<result>', start);
    const resultEnd = resultStart < 0 ? -1 : text.indexOf('</result>', resultStart);
    if (end < 0 || resultStart < 0 || resultEnd < 0) return `${tag}/result tags are incomplete`;
    if (end > resultStart || resultStart > resultEnd) return `${tag}/result tags are in the wrong order`;
    position = resultEnd;
  }
}

/** The text between the answer tags, or `null`. */
export function extractAnswerSpan(text: string): string | null {
  const match = /<answer>(.*?)<\/answer>/s.exec(text.trim());
  return match === null ? null : match[1];
}

/** A box, or why there is none. */
export type Box =
  | { readonly kind: 'found'; readonly content: string }
  | { readonly kind: 'problem'; readonly message: string };

/** `remove_boxed(last_boxed_only_string(…))`: with `\boxed ` (a space) the text up to the next `$`. */
export function releasedBox(span: string): Box {
  const spaced = '\\boxed ';
  const at = span.lastIndexOf(spaced);
  if (at >= 0) return { kind: 'found', content: span.slice(at + spaced.length).split('$')[0] };
  return lastBalancedBox(span);
}

/** The content of the last `\boxed{…}`, whose braces must balance. */
export function lastBalancedBox(span: string): Box {
  const start = span.lastIndexOf('\\boxed');
  if (start < 0) return { kind: 'problem', message: 'there is no \\boxed' };
  const open = '\\boxed{';
  if (!span.startsWith(open, start)) return { kind: 'problem', message: '\\boxed is not followed by {' };
  let depth = 0;
  for (let index = start + open.length - 1; index < span.length; index += 1) {
    if (span[index] === '{') depth += 1;
    if (span[index] === '}') depth -= 1;
    if (depth === 0) return { kind: 'found', content: span.slice(start + open.length, index) };
  }
  return { kind: 'problem', message: 'the braces of \\boxed do not balance' };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

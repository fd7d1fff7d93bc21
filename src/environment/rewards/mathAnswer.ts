/** Reading numbers and simple LaTeX in short answers. */

/** The text with equivalent LaTeX spelled one way and without spaces; words keep theirs. */
export function canonicalExpression(text: string): string {
  const spelled = text
    .trim()
    .replace(/^\$+|\$+$/g, '')
    .replace(/\\[dt]frac\b/g, '\\frac')
    .replace(/\\frac\s*(\d)\s*(\d)/g, '\\frac{$1}{$2}')
    .replace(/\\sqrt\s*(\d)/g, '\\sqrt{$1}')
    .replace(/\\(?:left|right)(?![a-zA-Z])/g, '')
    .replace(/\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\cdot\b|\\times\b/g, '*')
    .replace(/\\[,;:! ]/g, ' ')
    .replace(/−/g, '-');
  const isMath = hasCommand(spelled) || /[-+*/=^\d()[\]]/.test(spelled);
  return isMath && !/[a-zA-Z]{2,}\s+[a-zA-Z]/.test(spelled)
    ? spelled.replace(/\s+/g, '')
    : spelled.replace(/\s+/g, ' ').trim().toLowerCase();
}

/** Whether a LaTeX command is left. */
export function hasCommand(text: string): boolean {
  return /\\[a-zA-Z]+/.test(text);
}

/**
 * The value of a number, decimal, fraction (`a/b`, `\frac{a}{b}`) or such with a sign.
 *
 * @returns `null` when the text is not exactly one of these.
 */
export function numericValue(text: string): number | null {
  const canonical = canonicalExpression(text).replace(/[.]$/, '');
  const fraction = /^([+-]?)(?:\\frac\{([^{}]+)\}\{([^{}]+)\}|([^/]+)\/([^/]+))$/.exec(canonical);
  if (fraction === null) return decimalValue(canonical);
  const numerator = decimalValue(fraction[2] ?? fraction[4]);
  const denominator = decimalValue(fraction[3] ?? fraction[5]);
  if (numerator === null || denominator === null || denominator === 0) return null;
  const value = numerator / denominator;
  return fraction[1] === '-' ? -value : value;
}

function decimalValue(text: string): number | null {
  const bare = text.replace(/^\{(.*)\}$/, '$1');
  const isGrouped = /^[+-]?\d{1,3}(?:\{?,\}?\d{3})+(?:\.\d+)?$/.test(bare);
  const digits = isGrouped ? bare.replace(/[{},]/g, '') : bare;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(digits) ? Number(digits) : null;
}

/**
 * Text of models and tools made safe to look at: characters that do something instead of showing
 * something (controls, ANSI escapes, bidirectional overrides, invisible marks) become visible. Pure.
 */

/** C0 and C1 controls, invisible and bidirectional formatting characters, lone surrogates. */
const acting =
  // eslint-disable-next-line no-control-regex -- naming the control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu;

/** Whether line feeds and tabs keep their effect (in panes) or are shown (in one-line labels). */
export type LineMode = 'lines' | 'oneLine';

/** The text with every acting character made visible. */
export function visibleText(text: string, mode: LineMode): string {
  return text.replaceAll(acting, (character) => visibleCharacter(character, mode));
}

function visibleCharacter(character: string, mode: LineMode): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a) return mode === 'lines' ? '\n' : '↵';
  if (code === 0x09) return mode === 'lines' ? '\t' : '→';
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

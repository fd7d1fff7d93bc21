/**
 * The toolkit tests for `:focus-visible` while it loads, by appending a style element, which a strict
 * content security policy reports as a violation (and the toolkit then falls back to `:focus`).
 * Imported before the toolkit, this answers that one test with a constructed sheet, which the policy
 * allows; the test's outcome stays the browser's own.
 */
const createElement = document.createElement.bind(document);

document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
  if (name !== 'style') return createElement(name, options);
  return Object.defineProperty(createElement('meta'), 'sheet', { value: new CSSStyleSheet() });
};

/** Gives the page its own `createElement` back; called once the toolkit has loaded. */
export function endFocusProbe(): void {
  Reflect.deleteProperty(document, 'createElement');
}

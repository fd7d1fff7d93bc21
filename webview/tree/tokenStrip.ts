/** Tokens one by one, tinted by entropy, with a line that reads out the one pointed at. */
import type { DetailTokens } from '#protocol/treeViewProtocol';
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import { number } from './decisionText';
import { heatClass } from './tokenHeat';

/** Characters of a token that are shown. */
const maximalTokenText = 200;
/** Tokens that are added at a time. */
const pageSize = 1_000;

interface TokenText {
  readonly text: string;
  readonly tokens: DetailTokens;
}

/** A list box of tokens: one tab stop, arrow keys move, pointing reads out. */
export function createTokenStrip(source: TokenText): HTMLElement {
  const readout = element('p', { className: 'token-readout' }, text('tokenHint'));
  const list = element('div', {
    className: 'tokens',
    attributes: { role: 'listbox', tabindex: '0', 'aria-label': text('tokensHeading') },
  });
  const more = element('div', { className: 'more' });
  const count = source.tokens.ends.length;
  const addPage = (): void => {
    const first = list.childElementCount;
    const end = Math.min(count, first + pageSize);
    for (let index = first; index < end; index += 1) list.append(createToken(source, index));
    const left = count - end;
    const label = text('showMore', Math.min(pageSize, left), left);
    more.replaceChildren(...(left > 0 ? [createButton({ label, onPress: addPage })] : []));
  };
  addPage();
  const activate = (token: Element): void => {
    list.querySelector('.active')?.classList.remove('active');
    token.classList.add('active');
    list.setAttribute('aria-activedescendant', token.id);
    readout.textContent = token.getAttribute('aria-label');
    token.scrollIntoView({ block: 'nearest' });
  };
  list.addEventListener('pointerover', (event) => {
    if (event.target instanceof Element && event.target.matches('.token')) activate(event.target);
  });
  list.addEventListener('keydown', (event) => moveToken(event, list, activate));
  return element('div', { className: 'token-strip' }, list, readout, more);
}

function createToken({ text: all, tokens }: TokenText, index: number): HTMLElement {
  const start = index === 0 ? 0 : (tokens.ends[index - 1] ?? 0);
  const full = all.slice(start, tokens.ends[index]);
  const isLong = full.length > maximalTokenText;
  const content = visibleText(full.slice(0, maximalTokenText), 'oneLine') + (isLong ? '…' : '');
  const isModel = tokens.mask[index] === 1;
  const entropy = tokens.entropies[index] ?? 0;
  const label = isModel
    ? text('tokenReadout', content, number(entropy), number(tokens.logProbs[index] ?? 0))
    : text('tokenGiven', content);
  return element(
    'span',
    {
      className: `token ${isModel ? heatClass(entropy) : 'given'}`,
      attributes: { role: 'option', id: `token-${index}`, 'aria-label': label, 'aria-selected': 'false' },
    },
    content === '' ? '∅' : content,
  );
}

function moveToken(event: KeyboardEvent, list: HTMLElement, activate: (token: Element) => void): void {
  const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const active = [...list.children].findIndex((token) => token.classList.contains('active'));
  const last = list.childElementCount - 1;
  const target =
    event.key === 'Home' ? 0 : event.key === 'End' ? last : active + (steps[event.key] ?? Number.NaN);
  const token = list.children[Math.min(last, Math.max(0, target))];
  if (Number.isNaN(target) || token === undefined) return;
  event.preventDefault();
  activate(token);
}

/** The elements of the page and where they are; no behaviour. */
import { element } from '../shared/dom';
import { text } from '../shared/strings';

export interface Stage {
  readonly root: HTMLElement;
  /** Holds canvas and overlays; gets pointer and keyboard events of the tree. */
  readonly stage: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly tree: HTMLElement;
  readonly legend: HTMLElement;
  readonly note: HTMLElement;
  readonly message: HTMLElement;
  readonly details: HTMLElement;
  readonly announcer: HTMLElement;
}

export function createStage(): Stage {
  const canvas = element('canvas', { className: 'forest', attributes: { 'aria-hidden': 'true' } });
  const tree = element('div', { className: 'tree', attributes: { role: 'tree', tabindex: '0' } });
  const legend = element('div', { className: 'legend', attributes: { role: 'note' } });
  const note = element('div', { className: 'note', attributes: { role: 'tooltip' } });
  note.hidden = true;
  const message = element('div', { className: 'message', attributes: { role: 'status' } });
  const stage = element('main', { className: 'stage' }, canvas, tree, legend, message, note);
  const details = element('aside', {
    className: 'details',
    attributes: { tabindex: '0', 'aria-label': text('details').replace(/ \(.*/, '') },
  });
  const announcer = element('div', { className: 'announcer', attributes: { 'aria-live': 'polite' } });
  const root = element(
    'div',
    { className: 'view without-details' },
    element('div', { className: 'split' }, stage, details),
    announcer,
  );
  return { root, stage, canvas, tree, legend, note, message, details, announcer };
}

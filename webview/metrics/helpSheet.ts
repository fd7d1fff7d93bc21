/** The sheet of keys, as a modal dialog. */
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import { keyBindings, keyName } from './keyboard';
import { text } from './metricsText';

/** A dialog; open it with `showModal`. */
export function createHelpSheet(): HTMLDialogElement {
  const rows = keyBindings.flatMap(({ keys, description }) => [
    element('dt', {}, ...keys.map((key) => element('kbd', {}, keyName(key)))),
    element('dd', {}, text(description)),
  ]);
  const dialog = element('dialog', { className: 'help', attributes: { 'aria-label': text('helpTitle') } });
  dialog.append(
    element('h2', {}, text('helpTitle')),
    element('dl', { className: 'keys' }, ...rows),
    element('p', {}, text('keyDrag')),
    createButton({ label: text('close'), appearance: 'primary', onPress: () => dialog.close() }),
  );
  return dialog;
}

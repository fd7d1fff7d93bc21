/** The sheet of keys, as a modal dialog. */
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import { text } from '../shared/strings';
import { keyBindings, keyName } from './keyboard';

/** A dialog; open it with `showModal`. */
export function createHelpSheet(): HTMLDialogElement {
  const rows = keyBindings.flatMap(({ keys, description }) =>
    description === null
      ? []
      : [
          element('dt', {}, ...keys.map((key) => element('kbd', {}, keyName(key)))),
          element('dd', {}, text(description)),
        ],
  );
  const pan = [
    element('dt', {}, element('kbd', {}, 'Shift'), element('kbd', {}, '← → ↑ ↓')),
    element('dd', {}, text('keyPan')),
  ];
  const dialog = element('dialog', { className: 'help', attributes: { 'aria-label': text('helpTitle') } });
  dialog.append(
    element('h2', {}, text('helpTitle')),
    element('dl', { className: 'keys' }, ...rows, ...pan),
    createButton({ label: text('close'), appearance: 'primary', onPress: () => dialog.close() }),
  );
  return dialog;
}

/** Which key does what: one table for the handler and for the sheet of keys. Pure. */
import type { Direction } from './navigation';

export type Command =
  | { readonly kind: 'move'; readonly direction: Direction }
  | { readonly kind: 'pan'; readonly x: number; readonly y: number }
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'match'; readonly step: 1 | -1 }
  | {
      readonly kind:
        | 'fit'
        | 'actualSize'
        | 'fold'
        | 'foldAll'
        | 'unfoldAll'
        | 'search'
        | 'help'
        | 'details'
        | 'nextColour'
        | 'act'
        | 'escape';
    };

interface KeyBinding {
  /** As in `KeyboardEvent.key`; all of them do the same. */
  readonly keys: readonly string[];
  readonly command: Command;
  /** For the sheet; `null` leaves it out. */
  readonly description: string | null;
}

const move = (direction: Direction): Command => ({ kind: 'move', direction });

/** Keys without Ctrl, Alt and Meta. */
export const keyBindings: readonly KeyBinding[] = [
  { keys: ['ArrowRight', 'l'], command: move('child'), description: 'Go on to the next step (unfolds)' },
  { keys: ['ArrowLeft', 'h'], command: move('parent'), description: 'Back to the step before' },
  { keys: ['ArrowUp', 'k'], command: move('above'), description: 'Step above in the same column' },
  { keys: ['ArrowDown', 'j'], command: move('below'), description: 'Step below in the same column' },
  { keys: ['Home'], command: move('prompt'), description: 'Prompt of the tree' },
  { keys: ['End'], command: move('leaf'), description: 'End of the trajectory' },
  { keys: ['[', 'PageUp'], command: move('previousTree'), description: 'Previous tree' },
  { keys: [']', 'PageDown'], command: move('nextTree'), description: 'Next tree' },
  { keys: ['b'], command: move('nextDecision'), description: 'Next branch decision' },
  { keys: ['B'], command: move('previousDecision'), description: 'Previous branch decision' },
  { keys: [' '], command: { kind: 'fold' }, description: 'Fold or unfold what follows' },
  { keys: ['Enter'], command: { kind: 'act' }, description: 'First action of the step, or read it' },
  { keys: ['/'], command: { kind: 'search' }, description: 'Search' },
  { keys: ['n'], command: { kind: 'match', step: 1 }, description: 'Next match' },
  { keys: ['N'], command: { kind: 'match', step: -1 }, description: 'Previous match' },
  { keys: ['f'], command: { kind: 'fit' }, description: 'Fit everything' },
  { keys: ['0'], command: { kind: 'actualSize' }, description: 'Selected step at full size' },
  { keys: ['+', '='], command: { kind: 'zoom', factor: 1.25 }, description: 'Zoom in' },
  { keys: ['-'], command: { kind: 'zoom', factor: 0.8 }, description: 'Zoom out' },
  { keys: ['{'], command: { kind: 'foldAll' }, description: 'Fold all trees' },
  { keys: ['}', '*'], command: { kind: 'unfoldAll' }, description: 'Unfold all' },
  { keys: ['c'], command: { kind: 'nextColour' }, description: 'Next colouring' },
  { keys: ['d'], command: { kind: 'details' }, description: 'Show or hide the details' },
  { keys: ['?'], command: { kind: 'help' }, description: 'These keys' },
  { keys: ['Escape'], command: { kind: 'escape' }, description: null },
];

const panStep = 80;
const pans: Readonly<Record<string, Command>> = {
  ArrowRight: { kind: 'pan', x: -panStep, y: 0 },
  ArrowLeft: { kind: 'pan', x: panStep, y: 0 },
  ArrowUp: { kind: 'pan', x: 0, y: panStep },
  ArrowDown: { kind: 'pan', x: 0, y: -panStep },
};

export interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The command of a key pressed in the tree; `null` for keys that are not ours. */
export function commandFor({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyPress): Command | null {
  if (ctrlKey || altKey || metaKey) return null;
  if (shiftKey && pans[key] !== undefined) return pans[key];
  return keyBindings.find(({ keys }) => keys.includes(key))?.command ?? null;
}

/** How keys are written for people. */
export function keyName(key: string): string {
  const names: Readonly<Record<string, string>> = {
    ArrowRight: '→',
    ArrowLeft: '←',
    ArrowUp: '↑',
    ArrowDown: '↓',
    ' ': 'Space',
  };
  return names[key] ?? key;
}

/** Which key does what: one table for the handler and for the sheet of keys. Pure. */
import type { StringKey } from '../shared/strings';
import type { Direction } from './navigation';

export type Command =
  | { readonly kind: 'move'; readonly direction: Direction }
  | { readonly kind: 'pan'; readonly x: number; readonly y: number }
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'match'; readonly step: 1 | -1 }
  | { readonly kind: 'simple'; readonly name: SimpleCommand };

/** Commands without parameters. */
export type SimpleCommand =
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

interface KeyBinding {
  /** As in `KeyboardEvent.key`; all of them do the same. */
  readonly keys: readonly string[];
  readonly command: Command;
  /** For the sheet; `null` leaves it out. */
  readonly description: StringKey | null;
}

const move = (direction: Direction): Command => ({ kind: 'move', direction });

/** Keys without Ctrl, Alt and Meta. */
export const keyBindings: readonly KeyBinding[] = [
  { keys: ['ArrowRight', 'l'], command: move('child'), description: 'key_goOnToTheNextStep' },
  { keys: ['ArrowLeft', 'h'], command: move('parent'), description: 'key_backToTheStepBefore' },
  { keys: ['ArrowUp', 'k'], command: move('above'), description: 'key_stepAboveInTheSameColumn' },
  { keys: ['ArrowDown', 'j'], command: move('below'), description: 'key_stepBelowInTheSameColumn' },
  { keys: ['Home'], command: move('prompt'), description: 'key_promptOfTheTree' },
  { keys: ['End'], command: move('leaf'), description: 'key_endOfTheTrajectory' },
  { keys: ['[', 'PageUp'], command: move('previousTree'), description: 'key_previousTree' },
  { keys: [']', 'PageDown'], command: move('nextTree'), description: 'key_nextTree' },
  { keys: ['b'], command: move('nextDecision'), description: 'key_nextBranchDecision' },
  { keys: ['B'], command: move('previousDecision'), description: 'key_previousBranchDecision' },
  { keys: [' '], command: { kind: 'simple', name: 'fold' }, description: 'key_foldOrUnfoldWhatFollows' },
  {
    keys: ['Enter'],
    command: { kind: 'simple', name: 'act' },
    description: 'key_firstActionOfTheStepOrReadIt',
  },
  { keys: ['/'], command: { kind: 'simple', name: 'search' }, description: 'key_search' },
  { keys: ['n'], command: { kind: 'match', step: 1 }, description: 'key_nextMatch' },
  { keys: ['N'], command: { kind: 'match', step: -1 }, description: 'key_previousMatch' },
  { keys: ['f'], command: { kind: 'simple', name: 'fit' }, description: 'key_fitEverything' },
  { keys: ['0'], command: { kind: 'simple', name: 'actualSize' }, description: 'key_selectedStepAtFullSize' },
  { keys: ['+', '='], command: { kind: 'zoom', factor: 1.25 }, description: 'key_zoomIn' },
  { keys: ['-'], command: { kind: 'zoom', factor: 0.8 }, description: 'key_zoomOut' },
  { keys: ['{'], command: { kind: 'simple', name: 'foldAll' }, description: 'key_foldAllTrees' },
  { keys: ['}', '*'], command: { kind: 'simple', name: 'unfoldAll' }, description: 'key_unfoldAll' },
  { keys: ['c'], command: { kind: 'simple', name: 'nextColour' }, description: 'key_nextColouring' },
  { keys: ['d'], command: { kind: 'simple', name: 'details' }, description: 'key_showOrHideTheDetails' },
  { keys: ['?'], command: { kind: 'simple', name: 'help' }, description: 'key_theseKeys' },
  { keys: ['Escape'], command: { kind: 'simple', name: 'escape' }, description: null },
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

/** Which key does what in a chart: one table for the handler and for the sheet of keys. Pure. */
import type { TextKey } from './metricsText';

/** Movements of the crosshair. */
const movements = ['back', 'forward', 'pageBack', 'pageForward', 'first', 'last'] as const;
export type Movement = (typeof movements)[number];

export type Action =
  | 'zoomIn'
  | 'zoomOut'
  | 'resetZoom'
  | 'table'
  | 'exportSvg'
  | 'exportCsv'
  | 'nextChart'
  | 'previousChart'
  | 'nextAxis'
  | 'escape'
  | 'help';

export type Command = Movement | Action;

export function isMovement(command: Command): command is Movement {
  return movements.some((movement) => movement === command);
}

interface KeyBinding {
  /** As in `KeyboardEvent.key`; all of them do the same. */
  readonly keys: readonly string[];
  readonly command: Command;
  readonly description: TextKey;
}

/** Keys without Ctrl, Alt and Meta. */
export const keyBindings: readonly KeyBinding[] = [
  { keys: ['ArrowLeft', 'h'], command: 'back', description: 'key_back' },
  { keys: ['ArrowRight', 'l'], command: 'forward', description: 'key_forward' },
  { keys: ['PageDown'], command: 'pageBack', description: 'key_pageBack' },
  { keys: ['PageUp'], command: 'pageForward', description: 'key_pageForward' },
  { keys: ['Home'], command: 'first', description: 'key_first' },
  { keys: ['End'], command: 'last', description: 'key_last' },
  { keys: ['ArrowDown', 'j'], command: 'nextChart', description: 'key_nextChart' },
  { keys: ['ArrowUp', 'k'], command: 'previousChart', description: 'key_previousChart' },
  { keys: ['+', '='], command: 'zoomIn', description: 'key_zoomIn' },
  { keys: ['-'], command: 'zoomOut', description: 'key_zoomOut' },
  { keys: ['0', 'f'], command: 'resetZoom', description: 'key_resetZoom' },
  { keys: ['x'], command: 'nextAxis', description: 'key_nextAxis' },
  { keys: ['t'], command: 'table', description: 'key_table' },
  { keys: ['s'], command: 'exportSvg', description: 'key_exportSvg' },
  { keys: ['c'], command: 'exportCsv', description: 'key_exportCsv' },
  { keys: ['Escape'], command: 'escape', description: 'key_escape' },
  { keys: ['?'], command: 'help', description: 'key_help' },
];

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The command of a key pressed in a chart; `null` for keys that are not ours. */
export function commandFor({ key, ctrlKey, altKey, metaKey }: KeyPress): Command | null {
  if (ctrlKey || altKey || metaKey) return null;
  return keyBindings.find(({ keys }) => keys.includes(key))?.command ?? null;
}

/** The positions at which the crosshair may stop, and where it stands. */
export interface CrosshairPlace {
  /** How many there are. */
  readonly count: number;
  /** −1: nowhere. */
  readonly index: number;
}

/** Where a movement takes the crosshair; `null` when there is nowhere to go. */
export function crosshairAfter(movement: Movement, { count, index }: CrosshairPlace): number | null {
  if (count === 0) return null;
  const page = Math.max(1, Math.round(count / 10));
  const clamp = (next: number): number => Math.min(count - 1, Math.max(0, next));
  // Without a crosshair, going back starts at the end: there the newest values are.
  const from = index < 0 ? count : index;
  switch (movement) {
    case 'back':
      return clamp(from - 1);
    case 'forward':
      return clamp(from + 1);
    case 'pageBack':
      return clamp(from - page);
    case 'pageForward':
      return clamp(from + page);
    case 'first':
      return 0;
    case 'last':
      return count - 1;
  }
}

/** How keys are written for people. */
export function keyName(key: string): string {
  const names: Readonly<Record<string, string>> = {
    ArrowRight: '→',
    ArrowLeft: '←',
    ArrowUp: '↑',
    ArrowDown: '↓',
  };
  return names[key] ?? key;
}

/** The note beside a mark or a card: a branch decision in words and numbers. */
import type { BranchDecision } from '#arpo/branchDecision';
import { element } from '../shared/dom';
import { text } from '../shared/strings';
import type { Size } from './camera';
import { decisionRows, decisionSentence } from './decisionText';

/** What the note says: a title, a sentence, and named values. */
export interface Note {
  readonly title: string;
  readonly sentence: string;
  readonly rows: readonly (readonly [string, string])[];
}

/** The note of a decision. */
export function decisionNote(decision: BranchDecision): Note {
  const title = `${decision.isTaken ? '◆' : '◇'} ${text(decision.isTaken ? 'decisionTaken' : 'decisionRefused')}`;
  return { title, sentence: decisionSentence(decision), rows: decisionRows(decision) };
}

/** Shows the note near a point, inside of the stage. */
export function showNote(
  container: HTMLElement,
  note: Note,
  point: { readonly x: number; readonly y: number },
  stage: Size,
): void {
  const rows = note.rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
  container.replaceChildren(
    element('strong', {}, note.title),
    element('p', {}, note.sentence),
    element('dl', {}, ...rows),
  );
  container.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = container;
  const left = point.x + 16 + width > stage.width ? point.x - 16 - width : point.x + 16;
  const top = Math.min(point.y + 12, stage.height - height - 8);
  container.style.left = `${Math.max(8, left)}px`;
  container.style.top = `${Math.max(8, top)}px`;
}

export function hideNote(container: HTMLElement): void {
  container.hidden = true;
}

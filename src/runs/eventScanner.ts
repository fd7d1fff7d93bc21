/** Reads the event log from front to back, in pieces, and tells sound lines from damaged ones. */
import type { FileSystem } from '#runs/fileSystem';
import { decodeLine, type EventLine } from '#runs/eventLine';

const newline = 10;
const pieceBytes = 1 << 20;

/** A line with its place in the log. */
export interface PlacedLine extends EventLine {
  /** Bytes from the start of the log. */
  readonly offset: number;
  /** Bytes, newline included. */
  readonly length: number;
}

/** Bytes of the log that are not the line that should stand there. */
export interface Damage {
  readonly offset: number;
  readonly length: number;
  /** What was expected and what came. */
  readonly message: string;
}

export interface ScanStart {
  readonly offset: number;
  readonly sequence: number;
}

/** A sound line, or damage. Whether damage is a torn tail shows only at the end of the log. */
export type ScannedPart =
  | { readonly line: PlacedLine; readonly damage: null }
  | { readonly line: null; readonly damage: Damage };

/**
 * Reads the log from `start` to its end.
 *
 * @yields Its lines and what is damaged, in order, without gaps.
 */
export async function* scanEvents(
  fileSystem: FileSystem,
  path: string,
  start: ScanStart,
): AsyncGenerator<ScannedPart> {
  let expected = start.sequence;
  let isAfterDamage = false;
  for await (const { bytes, offset, isComplete } of scanLines(fileSystem, path, start.offset)) {
    const length = bytes.length + (isComplete ? 1 : 0);
    const line = isComplete ? decodeLine(bytes) : null;
    if (line === null) {
      yield damage(offset, length, isComplete ? 'other bytes' : 'the beginning of a line');
      isAfterDamage = true;
      continue;
    }
    const isMissing = line.sequence > expected && !isAfterDamage;
    if (isMissing || line.sequence < expected) {
      yield damage(offset, isMissing ? 0 : length, `line ${line.sequence}`, expected);
    }
    if (line.sequence < expected) continue;
    yield { line: { ...line, offset, length }, damage: null };
    expected = line.sequence + 1;
    isAfterDamage = false;
  }
}

function damage(offset: number, length: number, got: string, sequence?: number): ScannedPart {
  const expected = sequence === undefined ? 'a line whose checksum agrees' : `line ${sequence}`;
  return { line: null, damage: { offset, length, message: `expected ${expected}, got ${got}` } };
}

interface RawLine {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly isComplete: boolean;
}

async function* scanLines(fileSystem: FileSystem, path: string, start: number): AsyncGenerator<RawLine> {
  let rest = new Uint8Array(0);
  let restOffset = start;
  for (;;) {
    const piece = await fileSystem.readFile(path, { offset: restOffset + rest.length, length: pieceBytes });
    if (piece.length === 0) break;
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    let lineStart = 0;
    // The rest has no newline: it was searched with the piece before.
    let lineEnd = bytes.indexOf(newline, rest.length);
    while (lineEnd >= 0) {
      yield { bytes: bytes.subarray(lineStart, lineEnd), offset: restOffset + lineStart, isComplete: true };
      lineStart = lineEnd + 1;
      lineEnd = bytes.indexOf(newline, lineStart);
    }
    rest = bytes.slice(lineStart);
    restOffset += lineStart;
  }
  if (rest.length > 0) yield { bytes: rest, offset: restOffset, isComplete: false };
}

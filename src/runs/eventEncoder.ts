/** New events → lines of the log, chunks of the columns and records of the index. */
import { crc32Text } from '#runs/checksum';
import {
  columnFiles,
  columnNames,
  concatenateBytes,
  type ColumnArray,
  type ColumnChunk,
  type ColumnLengths,
  type ColumnName,
} from '#runs/columns';
import { encodeLine } from '#runs/eventLine';
import type { GroupStarted, NewGroupStarted, NewNode, NewNodesAdded, StoredNode } from '#runs/groupEvent';
import { updateOf, type NewRunEvent, type RunEvent } from '#runs/runEvent';
import type { IndexRecord } from '#runs/runIndex';

/** How far a run has been written. */
export interface LogPosition {
  /** Number of the next line. */
  readonly sequence: number;
  /** Bytes of the event log. */
  readonly eventBytes: number;
  readonly columnLengths: ColumnLengths;
  /** Whether all of it is known to be on the disk; the next line then says so. */
  readonly isSynced: boolean;
}

/** Everything that a batch of events adds to the files of a run. */
export interface EncodedBatch {
  readonly columns: ReadonlyMap<ColumnName, Uint8Array>;
  readonly events: Uint8Array;
  readonly index: readonly IndexRecord[];
  /** The position after the batch. */
  readonly position: LogPosition;
}

/**
 * Encodes events as if written at `position`. Nothing is kept of the arrays.
 *
 * @param time Milliseconds since 1970.
 * @throws RangeError naming the member that is NaN or infinite, or has the wrong length.
 */
export function encodeEvents(
  position: LogPosition,
  events: readonly NewRunEvent[],
  time: number,
): EncodedBatch {
  const columns = new Map<ColumnName, Uint8Array[]>();
  const lines: Uint8Array[] = [];
  const index: IndexRecord[] = [];
  let { sequence, eventBytes, columnLengths, isSynced } = position;
  for (const event of events) {
    const chunks = new LineChunks(columnLengths);
    const stored = storeArrays(event, chunks);
    requireFinite(stored, stored.kind);
    const columnsOfLine = chunks.finish(columns);
    const { kind, ...members } = stored;
    const hasColumns = Object.keys(columnsOfLine).length > 0;
    const line = encodeLine({
      sequence,
      time,
      kind,
      ...members,
      ...(isSynced && { synced: true }),
      ...(hasColumns && { columns: columnsOfLine }),
    });
    const group = 'group' in stored ? stored.group : null;
    index.push({ offset: eventBytes, length: line.length, kind, update: updateOf(event), group, sequence });
    lines.push(line);
    sequence += 1;
    eventBytes += line.length;
    columnLengths = chunks.lengths;
    isSynced = false;
  }
  return {
    columns: new Map([...columns].map(([name, parts]) => [name, concatenateBytes(parts)])),
    events: concatenateBytes(lines),
    index,
    position: { sequence, eventBytes, columnLengths, isSynced },
  };
}

/** Collects what one line adds to the columns. */
class LineChunks {
  readonly #start: ColumnLengths;
  readonly #arrays = new Map<ColumnName, ColumnArray[]>();
  #lengths: Record<ColumnName, number>;

  constructor(lengths: ColumnLengths) {
    this.#start = lengths;
    this.#lengths = { ...lengths };
  }

  get lengths(): ColumnLengths {
    return this.#lengths;
  }

  /** @returns The element at which the array starts in its column. */
  add(column: ColumnName, array: ColumnArray): number {
    const offset = this.#lengths[column];
    if (array.length === 0) return offset;
    const arrays = this.#arrays.get(column) ?? [];
    arrays.push(array);
    this.#arrays.set(column, arrays);
    this.#lengths[column] = offset + array.length;
    return offset;
  }

  /** Moves the bytes to `columns` and says where they went. */
  finish(columns: Map<ColumnName, Uint8Array[]>): Partial<Record<ColumnName, ColumnChunk>> {
    const chunks: Partial<Record<ColumnName, ColumnChunk>> = {};
    for (const column of columnNames) {
      const arrays = this.#arrays.get(column);
      if (arrays === undefined) continue;
      const bytes = concatenateBytes(arrays);
      const length = bytes.length / columnFiles[column].elementBytes;
      chunks[column] = { offset: this.#start[column], length, crc32: crc32Text(bytes) };
      columns.set(column, [...(columns.get(column) ?? []), bytes]);
    }
    return chunks;
  }
}

function storeArrays(event: NewRunEvent, chunks: LineChunks): RunEvent {
  if (event.kind === 'groupStarted') return storePrompt(event, chunks);
  return event.kind === 'nodesAdded' ? storeNodes(event, chunks) : event;
}

function storePrompt(event: NewGroupStarted, chunks: LineChunks): GroupStarted {
  const length = event.promptTokens.length;
  const offset = chunks.add('tokens', event.promptTokens);
  chunks.add('mask', new Uint8Array(length));
  chunks.add('logProbs', new Float32Array(length));
  chunks.add('entropies', new Float32Array(length));
  return { ...event, promptTokens: { offset, length } };
}

function storeNodes(event: NewNodesAdded, chunks: LineChunks): RunEvent {
  return { ...event, nodes: event.nodes.map((node) => storeNode(node, chunks)) };
}

function storeNode(node: NewNode, chunks: LineChunks): StoredNode {
  requireArrays(node);
  const { alternatives, tokenEnds } = node;
  const offset = chunks.add('tokens', node.tokens);
  chunks.add('mask', node.mask);
  chunks.add('logProbs', node.logProbs);
  chunks.add('entropies', node.entropies);
  if (alternatives !== null) chunks.add('alternativeLogProbs', alternatives.logProbs);
  return {
    id: node.id,
    parentId: node.parentId,
    depth: node.depth,
    slot: node.slot,
    tokens: { offset, length: node.tokens.length },
    alternatives:
      alternatives === null
        ? null
        : { count: alternatives.count, offset: chunks.add('alternativeIds', alternatives.ids) },
    tokenEndsOffset: tokenEnds === null ? null : chunks.add('tokenEnds', tokenEnds),
    modelText: node.modelText,
    resultText: node.resultText,
    toolCall: node.toolCall,
    stopReason: node.stopReason,
  };
}

function requireArrays(node: NewNode): void {
  const length = node.tokens.length;
  requireLength(node, 'mask', node.mask.length, length);
  requireLength(node, 'logProbs', node.logProbs.length, length);
  requireLength(node, 'entropies', node.entropies.length, length);
  if (node.tokenEnds !== null) requireLength(node, 'tokenEnds', node.tokenEnds.length, length);
  requireNumbers(node, 'logProbs', node.logProbs, Number.isFinite);
  requireNumbers(node, 'entropies', node.entropies, Number.isFinite);
  if (node.alternatives === null) return;
  const { count, ids, logProbs } = node.alternatives;
  requireLength(node, 'alternatives.ids', ids.length, length * count);
  requireLength(node, 'alternatives.logProbs', logProbs.length, length * count);
  const isLogProb = (value: number): boolean => value < Infinity;
  requireNumbers(node, 'alternatives.logProbs', logProbs, isLogProb);
}

function requireLength(node: NewNode, name: string, length: number, expected: number): void {
  if (length === expected) return;
  throw new RangeError(`node ${node.id}, ${name}: expected [${expected}], got [${length}]`);
}

function requireNumbers(
  node: NewNode,
  name: string,
  array: Float32Array,
  isAllowed: (value: number) => boolean,
): void {
  const index = array.findIndex((value) => !isAllowed(value));
  if (index < 0) return;
  throw new RangeError(`node ${node.id}, ${name}[${index}]: expected a finite number, got ${array[index]}`);
}

/** JSON would turn NaN and Infinity into null without a word, so they are refused by name. */
function requireFinite(value: unknown, path: string): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${path}: expected a finite number, got ${value}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) requireFinite(member, `${path}.${key}`);
  }
}

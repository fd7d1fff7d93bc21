/** One group of a run, rebuilt: its tree with all arrays, its decisions and its scores. */
import type { BranchDecision } from '#arpo/branchDecision';
import { RolloutTree, type NodeContent, type Trajectory } from '#arpo/rolloutTree';
import { crc32Text } from '#runs/checksum';
import {
  columnFiles,
  columnNames,
  float32Elements,
  int32Elements,
  type ColumnChunk,
  type ColumnName,
} from '#runs/columns';
import { readRanges } from '#runs/eventFiles';
import type { PlacedLine } from '#runs/eventScanner';
import { joinPath, type FileSystem } from '#runs/fileSystem';
import type { GroupEvent, GroupScored, GroupStarted, SampleOrigin, StoredNode } from '#runs/groupEvent';
import type { RunEvent } from '#runs/runEvent';
import { StorageError } from '#runs/storageError';

/** What a viewer shows of a node beside its arrays. */
export interface NodeText {
  readonly origin: SampleOrigin;
  /** What the policy wrote; for the root, the prompt. */
  readonly modelText: string;
  /** The tool result as the model saw it; '' when there is none. */
  readonly resultText: string;
  /** `[T]`, UTF-16 units into `modelText + resultText`; `null` when not recorded. */
  readonly tokenEnds: Int32Array | null;
}

/** A group as far as it is recorded; that of a live run may still grow. */
export interface RecordedGroup {
  readonly started: GroupStarted;
  readonly tree: RolloutTree;
  /** By node id. */
  readonly texts: readonly NodeText[];
  /** In the order in which they were made. */
  readonly decisions: readonly BranchDecision[];
  /** `null` until all trajectories are finished. */
  readonly scored: GroupScored | null;
}

/**
 * Replays the events of one group. The tree comes out as it was sampled, node by node.
 *
 * @param lines The group's lines in order; the first is its `groupStarted`.
 * @throws StorageError `corrupt` when columns do not agree with their checksums, or events with each other.
 */
export async function replayGroup(
  fileSystem: FileSystem,
  folder: string,
  lines: readonly PlacedLine[],
): Promise<RecordedGroup> {
  const columns = await readLineColumns(fileSystem, folder, lines);
  let group: GroupBuilder | null = null;
  for (const [index, line] of lines.entries()) {
    const event = groupEventOf(line.event);
    if (event === null) continue;
    try {
      if (event.kind === 'groupStarted') group = new GroupBuilder(event, columns[index]);
      else if (group === null) throw new RangeError('expected groupStarted first');
      else group.apply(event, columns[index]);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const place = `${folder}, line ${line.sequence} (byte ${line.offset})`;
      throw new StorageError('corrupt', `${place}, ${event.kind}: ${error.message}.`, { cause: error });
    }
  }
  if (group === null) throw new StorageError('notFound', `${folder}: expected a recorded group, got none.`);
  return group.build();
}

function groupEventOf(event: RunEvent | null): GroupEvent | null {
  return event !== null && 'group' in event ? event : null;
}

class GroupBuilder {
  readonly #started: GroupStarted;
  readonly #tree: RolloutTree;
  readonly #texts: NodeText[];
  readonly #decisions: BranchDecision[] = [];
  #scored: GroupScored | null = null;

  constructor(started: GroupStarted, columns: LineBytes) {
    this.#started = started;
    this.#tree = new RolloutTree(
      columns.int32('tokens', started.promptTokens.offset, started.promptTokens.length),
    );
    this.#texts = [{ origin: started.origin, modelText: started.prompt, resultText: '', tokenEnds: null }];
  }

  apply(event: Exclude<GroupEvent, GroupStarted>, columns: LineBytes): void {
    switch (event.kind) {
      case 'trajectoriesStarted':
        for (const start of event.trajectories) this.#start(start);
        return;
      case 'nodesAdded':
        for (const node of event.nodes) this.#add(node, event.origin, columns);
        return;
      case 'branchesDecided':
        this.#decisions.push(...event.decisions);
        return;
      case 'groupScored':
        this.#scored = event;
        return;
    }
  }

  build(): RecordedGroup {
    return {
      started: this.#started,
      tree: this.#tree,
      texts: this.#texts,
      decisions: this.#decisions,
      scored: this.#scored,
    };
  }

  #start(start: Pick<Trajectory, 'slot' | 'origin' | 'forkNodeId' | 'sourceSlot'>): void {
    const { slot, origin, forkNodeId, sourceSlot } = start;
    const isBranch = origin === 'branch' && sourceSlot !== null;
    const made = isBranch
      ? this.#tree.branchTrajectory(sourceSlot, forkNodeId)
      : this.#tree.startTrajectory(origin === 'topUp' ? 'topUp' : 'initial');
    if (made.slot !== slot) throw new RangeError(`slot: expected ${made.slot}, got ${slot}`);
  }

  #add(node: StoredNode, origin: SampleOrigin, columns: LineBytes): void {
    const added = this.#tree.appendStep(node.slot, nodeContent(node, columns));
    if (added.id !== node.id || added.parentId !== node.parentId) {
      const expected = `node ${added.id} under ${added.parentId}`;
      throw new RangeError(`nodes: expected ${expected}, got node ${node.id} under ${node.parentId}`);
    }
    const { modelText, resultText, tokenEndsOffset } = node;
    const tokenEnds =
      tokenEndsOffset === null ? null : columns.int32('tokenEnds', tokenEndsOffset, node.tokens.length);
    this.#texts.push({ origin, modelText, resultText, tokenEnds });
  }
}

function nodeContent(node: StoredNode, columns: LineBytes): NodeContent {
  const { offset, length } = node.tokens;
  const { alternatives } = node;
  return {
    tokens: columns.int32('tokens', offset, length),
    mask: columns.bytes('mask', offset, length),
    logProbs: columns.float32('logProbs', offset, length),
    entropies: columns.float32('entropies', offset, length),
    alternatives:
      alternatives === null
        ? null
        : {
            count: alternatives.count,
            ids: columns.int32('alternativeIds', alternatives.offset, length * alternatives.count),
            logProbs: columns.float32(
              'alternativeLogProbs',
              alternatives.offset,
              length * alternatives.count,
            ),
          },
    toolCall: node.toolCall,
    stopReason: node.stopReason,
  };
}

/** The chunks of one line, addressed by elements of their columns. */
class LineBytes {
  readonly #chunks: ReadonlyMap<ColumnName, { start: number; bytes: Uint8Array }>;

  constructor(chunks: ReadonlyMap<ColumnName, { start: number; bytes: Uint8Array }>) {
    this.#chunks = chunks;
  }

  int32(column: ColumnName, offset: number, length: number): Int32Array {
    const { bytes, start } = this.#within(column, offset, length);
    return int32Elements(bytes, start, length);
  }

  float32(column: ColumnName, offset: number, length: number): Float32Array {
    const { bytes, start } = this.#within(column, offset, length);
    return float32Elements(bytes, start, length);
  }

  bytes(column: ColumnName, offset: number, length: number): Uint8Array {
    const { bytes, start } = this.#within(column, offset, length);
    return bytes.slice(start, start + length);
  }

  #within(column: ColumnName, offset: number, length: number): { bytes: Uint8Array; start: number } {
    if (length === 0) return { bytes: new Uint8Array(0), start: 0 };
    const chunk = this.#chunks.get(column);
    const elements = chunk === undefined ? 0 : chunk.bytes.length / columnFiles[column].elementBytes;
    if (chunk === undefined || offset < chunk.start || offset + length > chunk.start + elements) {
      throw new RangeError(`${column}: expected elements of this line, got ${offset} to ${offset + length}`);
    }
    return { bytes: chunk.bytes, start: offset - chunk.start };
  }
}

/** The chunks of every line; every column is read in as few pieces as possible. */
async function readLineColumns(
  fileSystem: FileSystem,
  folder: string,
  lines: readonly PlacedLine[],
): Promise<LineBytes[]> {
  const chunks = lines.map(() => new Map<ColumnName, { start: number; bytes: Uint8Array }>());
  for (const name of columnNames) {
    const { file, elementBytes } = columnFiles[name];
    const used = lines.flatMap(({ columns }, line) => {
      const chunk = columns[name];
      return chunk === undefined ? [] : [{ chunk, line }];
    });
    const ranges = used.map(({ chunk }) => byteRange(chunk, elementBytes));
    const parts = await readRanges(fileSystem, joinPath(folder, file), ranges);
    for (const [index, { chunk, line }] of used.entries()) {
      requireChunk(joinPath(folder, file), chunk, parts[index]);
      chunks[line].set(name, { start: chunk.offset, bytes: parts[index] });
    }
  }
  return chunks.map((one) => new LineBytes(one));
}

function byteRange(chunk: ColumnChunk, elementBytes: number): { offset: number; length: number } {
  return { offset: chunk.offset * elementBytes, length: chunk.length * elementBytes };
}

function requireChunk(path: string, chunk: ColumnChunk, bytes: Uint8Array): void {
  if (crc32Text(bytes) === chunk.crc32) return;
  throw new StorageError(
    'corrupt',
    `${path}, elements ${chunk.offset} to ${chunk.offset + chunk.length}: expected checksum ${chunk.crc32}, got other bytes. ` +
      'Restore the file from a copy of the run.',
  );
}

/** The files of a run folder, and reading many parts of one of them. */
import { columnFiles, type ColumnLengths, type ColumnName } from '#runs/columns';
import { joinPath, type ByteRange, type FileSystem } from '#runs/fileSystem';

/** Names within the run folder. */
export const runFiles = { events: 'events.jsonl', index: 'index.bin', columns: 'columns' } as const;

/** Ranges closer than this are read at once: one long read is cheaper than two short ones. */
const mergeGapBytes = 1 << 14;

/** No read is made longer than this by merging. */
const mergedBytes = 1 << 22;

/** Bytes of a file; 0 when there is none. */
export async function fileLength(fileSystem: FileSystem, path: string): Promise<number> {
  return (await fileSystem.status(path))?.length ?? 0;
}

/** Whole elements that every column holds now. */
export async function readColumnLengths(fileSystem: FileSystem, folder: string): Promise<ColumnLengths> {
  const elements = async (name: ColumnName): Promise<number> => {
    const { file, elementBytes } = columnFiles[name];
    return Math.floor((await fileLength(fileSystem, joinPath(folder, file))) / elementBytes);
  };
  return {
    tokens: await elements('tokens'),
    mask: await elements('mask'),
    logProbs: await elements('logProbs'),
    entropies: await elements('entropies'),
    alternativeIds: await elements('alternativeIds'),
    alternativeLogProbs: await elements('alternativeLogProbs'),
    tokenEnds: await elements('tokenEnds'),
  };
}

/**
 * Reads parts of a file with as few reads as possible.
 *
 * @param ranges In ascending order, not overlapping.
 * @returns One array per range; shorter than the range where the file ends.
 */
export async function readRanges(
  fileSystem: FileSystem,
  path: string,
  ranges: readonly ByteRange[],
): Promise<Uint8Array[]> {
  const results: Uint8Array[] = [];
  for (let first = 0; first < ranges.length;) {
    const offset = ranges[first].offset;
    let last = first;
    while (last + 1 < ranges.length && canMerge(ranges[last], ranges[last + 1], offset)) last += 1;
    const bytes = await fileSystem.readFile(path, { offset, length: endOf(ranges[last]) - offset });
    for (const range of ranges.slice(first, last + 1)) {
      results.push(bytes.subarray(range.offset - offset, endOf(range) - offset));
    }
    first = last + 1;
  }
  return results;
}

function canMerge(before: ByteRange, range: ByteRange, start: number): boolean {
  return range.offset - endOf(before) <= mergeGapBytes && endOf(range) - start <= mergedBytes;
}

function endOf(range: ByteRange): number {
  return range.offset + range.length;
}

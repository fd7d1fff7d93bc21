import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { createRandom } from '#base/random';
import { crc32 } from '#runs/checksum';
import type { NewRunEvent } from '#runs/runEvent';
import { RunReader, listRuns } from '#runs/runReader';
import { RunStore } from '#runs/runStore';
import { isStorageError, StorageError } from '#runs/storageError';
import type { MemoryFileSystem } from '../fakes/memoryFileSystem';
import {
  createStore,
  groupEvents,
  memoryDisk,
  newRun,
  node,
  policyUpdated,
  portsOf,
  processTable,
  randomBatches,
  runFolder,
  runStarted,
} from './runFixture';

/** Appends until the end or the first failure. @returns events acknowledged and the failure. */
async function write(
  fileSystem: MemoryFileSystem,
  batches: readonly NewRunEvent[][],
): Promise<{ acknowledged: number | null; error: unknown }> {
  let acknowledged: number | null = null;
  try {
    const store = await createStore(fileSystem);
    acknowledged = 0;
    for (const batch of batches) {
      await store.append(batch);
      acknowledged += batch.length;
    }
    await store.close();
    return { acknowledged, error: null };
  } catch (error) {
    return { acknowledged, error };
  }
}

async function kindsIn(fileSystem: MemoryFileSystem): Promise<string[]> {
  const text = new TextDecoder().decode(fileSystem.files.get(`${runFolder}/events.jsonl`));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): string => JSON.parse(line).kind);
}

async function resume(fileSystem: MemoryFileSystem): ReturnType<typeof RunStore.openForResume> {
  return RunStore.openForResume(portsOf(fileSystem, processTable(2)), runFolder);
}

/** Equal for equal disks; comparing the bytes themselves is slow. */
function fingerprint({ files }: MemoryFileSystem): string {
  return [...files].map(([path, bytes]) => `${path} ${bytes.length} ${crc32(bytes)}`).join('\n');
}

async function errorOf(action: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StorageError)) throw new Error(`expected a StorageError, got ${String(error)}`);
  return error;
}

describe('a writer killed at any byte', () => {
  test('loses nothing acknowledged, and the run goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const events = randomBatches(seed, 1);
        const kinds = events.flat().map(({ kind }) => kind);
        const written = memoryDisk();
        const store = await createStore(written);
        const created = written.used;
        const acknowledgedAt: number[] = [];
        for (const batch of events) {
          await store.append(batch);
          acknowledgedAt.push(...batch.map(() => written.used));
        }
        await store.close();
        for (const { units, disk } of written.killPoints(memoryDisk(), created)) {
          const acknowledged = acknowledgedAt.filter((one) => one <= units).length;
          await checkKilled(disk, { acknowledged, kinds, isThorough: units % 5 === 0 });
        }
      }),
      { seed: 7, numRuns: 3 },
    );
  });

  async function checkKilled(
    disk: MemoryFileSystem,
    expected: { acknowledged: number; kinds: readonly string[]; isThorough: boolean },
  ): Promise<void> {
    const before = fingerprint(disk);
    const reader = await RunReader.open(disk, runFolder);
    expect(reader.lines).toBeGreaterThanOrEqual(expected.acknowledged);
    expect(reader.damages).toEqual([]);
    expect(fingerprint(disk)).toBe(before);
    const { store, recovery } = await resume(disk);
    expect([store.lines, recovery.linesCut]).toEqual([reader.lines, 0]);
    if (!expected.isThorough) return;
    await store.append([policyUpdated(9)]);
    await store.close();
    expect(await kindsIn(disk)).toEqual([...expected.kinds.slice(0, reader.lines), 'policyUpdated']);
    const after = await RunReader.open(disk, runFolder);
    expect([after.lines, after.pendingBytes]).toEqual([reader.lines + 1, 0]);
    for (const update of after.updates()) {
      for (const group of after.groups(update)) await after.group(update, group);
    }
  }

  test('while the run is created leaves a run or nothing', async () => {
    const written = memoryDisk();
    await createStore(written);
    for (const { disk } of written.killPoints(memoryDisk(), 0)) {
      const runs = await listRuns(disk, 'runs');
      for (const folder of runs) await RunReader.open(disk, folder);
      if (runs.length === 0) expect((await errorOf(RunReader.open(disk, runFolder))).code).toBe('notARun');
    }
  });

  test('while it mends a torn run leaves a run that can be mended', async () => {
    const written = memoryDisk();
    await write(written, randomBatches(3, 1));
    for (const { units, disk: torn } of written.killPoints(memoryDisk(), written.used - 3000)) {
      if (units % 271 !== 0) continue;
      torn.files.delete(`${runFolder}/index.bin`);
      const { lines } = await RunReader.open(torn, runFolder);
      const mended = torn.survivors();
      await resume(mended);
      for (const { disk } of mended.killPoints(torn, 0)) {
        const { store } = await RunStore.openForResume(portsOf(disk, processTable(3)), runFolder);
        expect(store.lines).toBe(lines);
      }
    }
  });
});

describe('a full disk', () => {
  test('stops the writer and keeps what was acknowledged', async () => {
    const batches = randomBatches(5, 2);
    const complete = memoryDisk();
    await write(complete, batches);
    const empty = memoryDisk();
    await createStore(empty);
    for (let units = empty.used; units < complete.used - 1; units += 29) {
      const disk = memoryDisk();
      disk.limit(units, 'diskFull');
      const { acknowledged, error } = await write(disk, batches);
      expect(isStorageError(error, 'diskFull')).toBe(true);
      disk.limit(Infinity, 'diskFull');
      expect((await RunReader.open(disk, runFolder)).lines).toBeGreaterThanOrEqual(acknowledged ?? Infinity);
      const { store } = await resume(disk);
      await store.append([policyUpdated(9)]);
      expect(store.lines).toBeGreaterThan(acknowledged ?? Infinity);
    }
  });

  test('refuses later calls, also those already waiting, until the run is opened again', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    await store.append([runStarted]);
    disk.limit(100, 'diskFull');
    const [first, second] = await Promise.allSettled([
      store.append([runStarted]),
      store.append([policyUpdated(1)]),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'diskFull' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
    disk.limit(Infinity, 'diskFull');
    expect((await errorOf(store.append([runStarted]))).message).toBe(
      `${runFolder}: writing stopped after an earlier failure (${runFolder}/events.jsonl: no space is left on the disk.). ` +
        'What was stored before can be read; resume the run to go on.',
    );
    await store.close();
    expect(await kindsIn(await resume(disk).then(() => disk))).toEqual(['runStarted']);
  });
});

describe('damage', () => {
  const eventsPath = `${runFolder}/events.jsonl`;

  async function storedRun(): Promise<MemoryFileSystem> {
    const disk = memoryDisk();
    const batches = [
      [runStarted],
      groupEvents(createRandom(1), { update: 1, group: 0 }, 6),
      [policyUpdated(1)],
    ];
    expect((await write(disk, [...batches, [policyUpdated(2)]])).error).toBeNull();
    return disk;
  }

  function flip(disk: MemoryFileSystem, path: string, position: number): void {
    const bytes = disk.files.get(path);
    if (bytes === undefined) throw new Error(`no ${path}`);
    bytes[position] ^= 0x55;
  }

  test('within what was synced is reported with its position, and nothing is changed', async () => {
    const intact = await storedRun();
    const bytes = intact.files.get(eventsPath) ?? new Uint8Array(0);
    const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    for (let position = 0; position < lastLine; position += 7) {
      // Without the newline before the last line both are one damaged line, which may be a torn tail.
      if (position === lastLine - 1) continue;
      const disk = intact.survivors();
      flip(disk, eventsPath, position);
      const before = fingerprint(disk);
      const error = await errorOf(resume(disk));
      const lineStart = bytes.lastIndexOf(10, position - 1) + 1;
      expect(error.code).toBe('corrupt');
      expect(error.message).toContain(
        `${eventsPath}, byte ${position === 0 ? 0 : lineStart}: expected a line`,
      );
      expect(fingerprint(disk)).toBe(before);
    }
  });

  test('of a column is reported with file and elements', async () => {
    const intact = await storedRun();
    const columns = [...intact.files.keys()].filter((path) => path.includes('/columns/'));
    expect(columns).toHaveLength(7);
    for (const path of columns) {
      for (let position = 0; position < (intact.files.get(path)?.length ?? 0); position += 1) {
        const disk = intact.survivors();
        flip(disk, path, position);
        expect(await errorOf(resume(disk))).toMatchObject({ code: 'corrupt' });
        const reader = await RunReader.open(disk, runFolder);
        const error = await errorOf(reader.group(1, 0));
        expect([error.code, error.message.startsWith(`${path}, elements `)]).toEqual(['corrupt', true]);
      }
    }
  });

  test('leaves the other lines readable', async () => {
    const disk = await storedRun();
    const text = new TextDecoder().decode(disk.files.get(eventsPath));
    const position = text.indexOf('"kind":"policyUpdated","update":1');
    flip(disk, eventsPath, new TextEncoder().encode(text.slice(0, position)).length);
    for (const hasIndex of [true, false]) {
      if (!hasIndex) disk.files.delete(`${runFolder}/index.bin`);
      const reader = await RunReader.open(disk, runFolder);
      const updates = await reader.events({ kinds: ['policyUpdated'] });
      expect(updates.map(({ event }) => 'update' in event && event.update)).toEqual([2]);
      expect(reader.damages).toHaveLength(1);
      expect((await reader.group(1, 0)).tree.nodes).toHaveLength(7);
    }
  });

  test('by lines that are missing is told from a torn tail', async () => {
    const disk = await storedRun();
    const lines = new TextDecoder().decode(disk.files.get(eventsPath)).split('\n');
    disk.files.set(eventsPath, new TextEncoder().encode([lines[0], ...lines.slice(2)].join('\n')));
    disk.files.delete(`${runFolder}/index.bin`);
    const error = await errorOf(resume(disk));
    expect(error.message).toContain(`byte ${lines[0].length + 1}: expected line 1, got line 2.`);
  });

  test('to numbers that had not reached the disk cuts the lines that speak of them', async () => {
    const disk = memoryDisk();
    const group = groupEvents(createRandom(1), { update: 1, group: 0 }, 3);
    await write(disk, [[runStarted], group]);
    const path = `${runFolder}/columns/tokens.i32`;
    // The prompt alone is three tokens of four bytes.
    disk.files.set(path, (disk.files.get(path) ?? new Uint8Array(0)).slice(0, 13));
    expect((await RunReader.open(disk, runFolder)).lines).toBeLessThan(1 + group.length);
    const { store, recovery } = await resume(disk);
    expect(recovery).toMatchObject({ linesCut: 1 + group.length - store.lines - 1 });
    expect(recovery.reason).toContain('elements of columns/tokens.i32 from 3, got 0');
    expect(disk.files.get(path)?.length).toBe(12);
    expect((await RunReader.open(disk, runFolder)).lines).toBe(store.lines);
  });

  test('of the index does not matter', async () => {
    const intact = await storedRun();
    const path = `${runFolder}/index.bin`;
    const index = intact.files.get(path) ?? new Uint8Array(0);
    const expected = await (await RunReader.open(intact, runFolder)).events({});
    for (let length = 0; length < index.length; length += 5) {
      const disk = intact.survivors();
      const torn = index.slice();
      torn[length] ^= 1;
      disk.files.set(path, length % 2 === 0 ? torn : index.slice(0, length));
      expect(await (await RunReader.open(disk, runFolder)).events({})).toEqual(expected);
      const { store } = await resume(disk);
      await store.close();
      expect(disk.files.get(path)).toEqual(index);
    }
  });
});

describe('what is refused', () => {
  test('NaN and wrong lengths, by name, and the writer stays usable', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    await expect(store.append([policyUpdated(1, Number.NaN)])).rejects.toThrow(
      new RangeError('policyUpdated.loss.loss: expected a finite number, got NaN'),
    );
    const sound = {
      ...node(createRandom(1), { id: 1, parentId: 0, depth: 1, slot: 0 }),
      tokens: new Int32Array(2),
    };
    const arrays = { mask: new Uint8Array(2), logProbs: new Float32Array(2), entropies: new Float32Array(2) };
    const bad = { ...sound, ...arrays, tokenEnds: null, alternatives: null };
    const added = (change: object): NewRunEvent => ({
      kind: 'nodesAdded',
      update: 1,
      group: 0,
      origin: 'training',
      nodes: [{ ...bad, ...change }],
    });
    await expect(store.append([added({ entropies: Float32Array.of(0, Number.NaN) })])).rejects.toThrow(
      new RangeError('node 1, entropies[1]: expected a finite number, got NaN'),
    );
    await expect(store.append([added({ mask: new Uint8Array(3) })])).rejects.toThrow(
      new RangeError('node 1, mask: expected [2], got [3]'),
    );
    await store.append([added({})]);
    expect(store.lines).toBe(1);
  });

  test('a second writer, until the first is gone', async () => {
    const disk = memoryDisk();
    const store = await createStore(disk);
    const second = portsOf(disk, processTable(2, [1, 2]));
    const error = await errorOf(RunStore.openForResume(second, runFolder));
    expect(error.message).toBe(
      `${runFolder}/lock.json: process 1 is writing this run. Wait for it or stop it; if it does not run any more, delete the file.`,
    );
    await store.close();
    const { store: next } = await RunStore.openForResume(second, runFolder);
    expect(next.lines).toBe(0);
    expect((await errorOf(store.append([runStarted]))).message).toBe(
      `${runFolder}: the run was closed; open it again to write.`,
    );
  });

  test('a lock on another machine, since nobody here can tell whether its holder lives', async () => {
    const disk = memoryDisk();
    await createStore(disk);
    const elsewhere = { ...processTable(2), hostName: 'there' };
    const error = await errorOf(RunStore.openForResume(portsOf(disk, elsewhere), runFolder));
    expect([error.code, error.message.includes('process 1 on here')]).toEqual(['locked', true]);
  });

  test('other folders and later formats, with what to do', async () => {
    const disk = memoryDisk();
    disk.folders.add('runs/other');
    expect((await errorOf(RunReader.open(disk, 'runs/other'))).message).toBe(
      'runs/other: expected a run folder, but it has no run.json. Choose a folder made by a training run.',
    );
    const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    disk.files.set('runs/other/run.json', encode({ format: 'arpo-run', formatVersion: 2 }));
    expect(await errorOf(RunReader.open(disk, 'runs/other'))).toMatchObject({
      code: 'newerFormat',
      message:
        'runs/other/run.json: expected run format 1 or earlier, got 2. Update this program to read the run.',
    });
    disk.files.set(
      'runs/other/run.json',
      encode({ format: 'arpo-run', formatVersion: 1, config: { seed: -1 } }),
    );
    expect((await errorOf(RunReader.open(disk, 'runs/other'))).message).toContain(
      'config.seed: expected a whole number at least 0 and at most 4294967295, got -1',
    );
  });
});

test('two runs of the same second get two folders', async () => {
  const disk = memoryDisk();
  const first = await createStore(disk);
  const second = await createStore(disk);
  expect([first.folder, second.folder]).toEqual([runFolder, `${runFolder}-2`]);
  expect(await listRuns(disk, 'runs')).toEqual([runFolder, `${runFolder}-2`]);
  expect(second.manifest).toMatchObject({
    id: 'quick-20261123-101500-seed0-2',
    seed: 0,
    config: newRun.config,
  });
});

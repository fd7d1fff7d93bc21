import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';
import type { FileSystem } from '#runs/fileSystem';
import { RunReader, listRuns } from '#runs/runReader';
import { RunStore } from '#runs/runStore';
import { StorageError, type StorageErrorCode } from '#runs/storageError';
import { MemoryFileSystem } from '../fakes/memoryFileSystem';
import { groupEvents, newRun, policyUpdated, runStarted, startTime } from '../runs/runFixture';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arpo-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function memory(): FileSystem {
  const disk = new MemoryFileSystem();
  disk.folders.add(folder);
  return disk;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function codeOf(action: Promise<unknown>): Promise<StorageErrorCode | null> {
  const error: unknown = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof StorageError ? error.code : null;
}

describe.each([
  ['the disk', (): FileSystem => nodeFileSystem],
  ['the fake of the tests', memory],
])('%s', (_, make) => {
  test('replaces and reads files, whole and in part', async () => {
    const disk = make();
    await disk.writeFile(`${folder}/a`, bytesOf('first'));
    await disk.writeFile(`${folder}/a`, bytesOf('second'));
    expect(textOf(await disk.readFile(`${folder}/a`))).toBe('second');
    expect(textOf(await disk.readFile(`${folder}/a`, { offset: 2, length: 3 }))).toBe('con');
    expect(textOf(await disk.readFile(`${folder}/a`, { offset: 4, length: 9 }))).toBe('nd');
    expect(await disk.readFile(`${folder}/a`, { offset: 9, length: 1 })).toHaveLength(0);
    expect(await disk.list(folder)).toEqual([{ name: 'a', kind: 'file' }]);
    expect(await codeOf(disk.readFile(`${folder}/b`))).toBe('notFound');
  });

  test('creates a file once', async () => {
    const disk = make();
    await disk.createFile(`${folder}/a`, bytesOf('mine'));
    expect(await codeOf(disk.createFile(`${folder}/a`, bytesOf('theirs')))).toBe('alreadyExists');
    expect(textOf(await disk.readFile(`${folder}/a`))).toBe('mine');
    expect(await disk.list(folder)).toEqual([{ name: 'a', kind: 'file' }]);
  });

  test('appends to what is there, and cuts', async () => {
    const disk = make();
    const first = await disk.openAppend(`${folder}/a`);
    await first.write(bytesOf('one'));
    await first.sync();
    await first.close();
    const second = await disk.openAppend(`${folder}/a`);
    expect(second.length).toBe(3);
    await second.write(bytesOf('two'));
    await second.truncate(4);
    await second.write(bytesOf('!'));
    expect(second.length).toBe(5);
    await second.close();
    expect(textOf(await disk.readFile(`${folder}/a`))).toBe('onet!');
  });

  test('makes, lists, moves and removes folders', async () => {
    const disk = make();
    await disk.makeFolder(`${folder}/b/c`);
    await disk.writeFile(`${folder}/b/c/d`, bytesOf('x'));
    expect(await codeOf(disk.makeFolder(`${folder}/b`))).toBe('alreadyExists');
    expect(await disk.status(`${folder}/b`)).toEqual({ kind: 'folder', length: 0 });
    expect(await disk.status(`${folder}/b/c/d`)).toEqual({ kind: 'file', length: 1 });
    await disk.rename(`${folder}/b`, `${folder}/e`);
    expect(await disk.status(`${folder}/b`)).toBeNull();
    expect(await disk.list(`${folder}/e`)).toEqual([{ name: 'c', kind: 'folder' }]);
    expect(await codeOf(disk.rename(`${folder}/b`, `${folder}/f`))).toBe('notFound');
    await disk.remove(`${folder}/e`);
    await disk.remove(`${folder}/e`);
    expect(await disk.list(folder)).toEqual([]);
    expect(await codeOf(disk.list(`${folder}/e`))).toBe('notFound');
  });
});

test.skipIf(!existsSync('/dev/full'))('a full device is told from other failures', async () => {
  const handle = await nodeFileSystem.openAppend('/dev/full');
  await expect(handle.write(bytesOf('x'))).rejects.toThrow(
    new StorageError(
      'diskFull',
      '/dev/full: no space is left on the disk (or within the quota). Free some space, then go on from what was stored.',
    ),
  );
  await handle.close();
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be written to', async () => {
  await chmod(folder, 0o500);
  expect(await codeOf(nodeFileSystem.writeFile(`${folder}/a`, bytesOf('x')))).toBe('noPermission');
});

test('a failed replacement leaves the old file and nothing else', async () => {
  await nodeFileSystem.makeFolder(`${folder}/a/b`);
  expect(await codeOf(nodeFileSystem.writeFile(`${folder}/a`, bytesOf('x')))).not.toBeNull();
  expect(await readdir(folder)).toEqual(['a']);
});

test('a living process is told from one that never was', () => {
  expect(nodeProcessTable.isProcessAlive(process.pid)).toBe(true);
  expect(nodeProcessTable.isProcessAlive(process.ppid)).toBe(true);
  expect(nodeProcessTable.isProcessAlive(2 ** 30)).toBe(false);
});

describe('a run on the disk', () => {
  const ports = { fileSystem: nodeFileSystem, processes: nodeProcessTable, now: () => startTime };

  test('is written, torn, resumed and read', async () => {
    const store = await RunStore.create(ports, { ...newRun, runsFolder: `${folder}/runs` });
    await store.append([runStarted, ...groupEvents(createRandom(1), { update: 1, group: 0 }, 5)]);
    const second = RunStore.openForResume(ports, store.folder);
    expect(await codeOf(second)).toBe('locked');
    await store.close();
    expect(await listRuns(nodeFileSystem, `${folder}/runs`)).toEqual([store.folder]);
    const path = `${store.folder}/events.jsonl`;
    await writeFile(path, `${await readFile(path, 'utf8')}{"sequence":9,"kin`);
    const reader = await RunReader.open(nodeFileSystem, store.folder);
    expect(reader.pendingBytes).toBe(18);
    const { store: next, recovery } = await RunStore.openForResume(ports, store.folder);
    expect(recovery).toEqual({
      eventBytesCut: 18,
      linesCut: 0,
      columnBytesCut: 0,
      reason: 'expected a line whose checksum agrees, got the beginning of a line',
    });
    await next.append([policyUpdated(1)]);
    await next.close();
    expect(await reader.refresh()).toBe(1);
    expect((await reader.group(1, 0)).tree.nodes).toHaveLength(6);
    expect(await readdir(store.folder)).toEqual(['columns', 'events.jsonl', 'index.bin', 'run.json']);
  });

  test('takes 1,000 nodes in well under the time it takes to sample them', async () => {
    const store = await RunStore.create(ports, { ...newRun, runsFolder: folder });
    const random = createRandom(2);
    const groups = Array.from({ length: 10 }, (_, group) => groupEvents(random, { update: 1, group }, 100));
    const begin = performance.now();
    for (const events of groups.flat()) await store.append([events]);
    const writing = performance.now() - begin;
    await store.close();
    const reader = await RunReader.open(nodeFileSystem, store.folder);
    const middle = performance.now();
    expect((await reader.group(1, 7)).tree.nodes).toHaveLength(101);
    const reading = performance.now() - middle;
    // Measured on two shared cores: 0.3 s, and 7 ms for a group of 100 nodes. The bounds only catch a change of order.
    expect([writing < 8000, reading < 500]).toEqual([true, true]);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { columnFiles } from '#runs/columns';
import { eventKinds } from '#runs/runEvent';
import { indexRecordBytes } from '#runs/runIndex';
import { runFormatVersion } from '#runs/runManifest';
import { RunReader } from '#runs/runReader';
import { RunStore } from '#runs/runStore';
import { groupEvents, newRun, portsOf, runStarted } from './runFixture';

const page = readFileSync('docs/run-format.md', 'utf8');
const hasPython = spawnSync('python3', ['--version']).status === 0;

test.skipIf(!hasPython)('the Python of the format page reads a run as the reader does', async () => {
  const snippet = /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(snippet.trim().split('\n').length).toBeLessThanOrEqual(15);
  const folder = mkdtempSync(join(tmpdir(), 'arpo-'));
  try {
    const store = await RunStore.create(portsOf(nodeFileSystem), { ...newRun, runsFolder: folder });
    await store.append([runStarted, ...groupEvents(createRandom(6), { update: 2, group: 1 }, 9)]);
    await store.close();
    appendFileSync(`${store.folder}/events.jsonl`, '{"sequence":99,"ki');
    const printed = execFileSync('python3', ['-c', snippet, store.folder], { encoding: 'utf8' });
    const { tree } = await (await RunReader.open(nodeFileSystem, store.folder)).group(2, 1);
    const expected = tree.nodes.slice(1).map(({ id, mask, entropies }) => {
      const own = [...entropies].filter((_, index) => mask[index] === 1);
      const mean = own.reduce((sum, entropy) => sum + entropy, 0) / Math.max(1, own.length);
      return `2 1 ${id} ${mean.toFixed(4)}`;
    });
    expect(printed.trim().split('\n')).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the format page names every event kind with its code, every column, and the version', () => {
  eventKinds.forEach((kind, position) => expect(page).toContain(`${position + 1} ${kind}`));
  for (const kind of eventKinds)
    expect(page).toContain(`| \`${kind}\``.replace('| `runStopped`', '`runStopped`'));
  for (const { file } of Object.values(columnFiles)) expect(page).toContain(file.replace('columns/', ''));
  expect(page).toContain(`Records of ${indexRecordBytes} bytes`);
  expect(page).toContain(`# The run format, version ${runFormatVersion}`);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import type { Executor } from '#engine/executor';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import type { RunConfig } from '#runs/runConfig';
import { RunReader } from '#runs/runReader';
import type { MemoryFileSystem } from '../fakes/memoryFileSystem';
import { letterConfig } from './letters';
import {
  emptyDisk,
  expectSameResult,
  openBench,
  resultOf,
  runFolderOf,
  trainInMemory,
  type RunBench,
} from './memoryRun';

let executor: Executor;
let bench: RunBench;

beforeAll(async () => {
  executor = await createOnnxExecutor({ intraOpThreads: 1 });
  bench = await openBench(executor);
});
afterAll(async () => {
  await bench.dispose();
  await executor.dispose();
});

function configOf(preset: string, changes: Record<string, unknown> = {}): RunConfig {
  const branching = { preset, globalRollouts: 5, initialRollouts: 2, minimumHistory: 4 };
  return letterConfig({ updates: 3, ...changes, rollout: { groupsPerUpdate: 2, branching } });
}

async function undisturbed(config: RunConfig): Promise<MemoryFileSystem> {
  const disk = emptyDisk();
  await trainInMemory(bench, { disk, config });
  return disk;
}

describe('seeds', () => {
  test('equal seeds give equal runs, byte by byte', async () => {
    const config = configOf('quantile');
    const [first, second] = [await undisturbed(config), await undisturbed(config)];
    expectSameResult(await resultOf(first), await resultOf(second));
  });

  test('another seed gives another run', async () => {
    const first = await resultOf(await undisturbed(configOf('quantile')));
    const second = await resultOf(await undisturbed(configOf('quantile', { seed: 1 })));
    expect(second.weights).not.toEqual(first.weights);
    expect(second.groups[0].nodes[1].tokens).not.toEqual(first.groups[0].nodes[1].tokens);
    expect(second.groups[0].taskId).not.toBe(first.groups[0].taskId);
  });
});

describe.each(['quantile', 'released', 'aepo'])('a run with rule %s', (preset) => {
  const config = configOf(preset);

  test('goes on as if it had never been stopped, wherever that was', async () => {
    const whole = emptyDisk();
    let batches = 0;
    await trainInMemory(bench, { disk: whole, config, onAppended: () => (batches += 1) });
    const expected = await resultOf(whole);
    expect(expected.groups).toHaveLength(6);
    for (const place of [1, 4, Math.floor(batches / 2), batches - 2]) {
      const disk = emptyDisk();
      const abort = new AbortController();
      let seen = 0;
      const onAppended = (): void => {
        seen += 1;
        if (seen === place) abort.abort(new Error('stopped'));
      };
      await trainInMemory(bench, { disk, config, signal: abort.signal, onAppended }).then(
        // What was stopped behind its last update is finished already.
        () => expect(place).toBeGreaterThan(batches - 6),
        (error: Error) => expect(error.message).toBe('stopped'),
      );
      await trainInMemory(bench, { disk, config, isResumed: true });
      expectSameResult(await resultOf(disk), expected);
    }
  });

  test('goes on after two stops, the second one during what is done again', async () => {
    const expected = await resultOf(await undisturbed(config));
    const disk = emptyDisk();
    for (const place of [9, 5]) {
      const abort = new AbortController();
      let seen = 0;
      const onAppended = (): void => {
        seen += 1;
        if (seen === place) abort.abort(new Error('stopped'));
      };
      const isResumed = place === 5;
      const session = { disk, config, isResumed, signal: abort.signal, onAppended };
      await expect(trainInMemory(bench, session)).rejects.toThrow('stopped');
    }
    await trainInMemory(bench, { disk, config, isResumed: true });
    expectSameResult(await resultOf(disk), expected);
  });
});

describe('a run that ends at any byte', () => {
  const config = configOf('quantile', { updates: 2 });

  test.each(['kill', 'diskFull'] as const)('shows what was acknowledged, and goes on: %s', async (ending) => {
    const whole = await undisturbed(config);
    const expected = await resultOf(whole);
    const random = createRandom(ending === 'kill' ? 3 : 4);
    // From the first event on: what it takes to make the folder is tested with the store.
    const begun = 3000;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const disk = emptyDisk();
      disk.limit(begun + Math.floor(random.next() * (whole.used - begun)), ending);
      let acknowledged = 0;
      const session = {
        disk,
        config,
        onAppended: (events: readonly unknown[]) => (acknowledged += events.length),
      };
      const error: unknown = await trainInMemory(bench, session).catch((reason: unknown) => reason);
      if (ending === 'kill') expect(String(error)).toContain('killed');
      else expect(error).toMatchObject({ code: 'diskFull' });
      const left = disk.survivors();
      const reader = await RunReader.open(left, runFolderOf(left));
      expect(reader.lines).toBeGreaterThanOrEqual(acknowledged);
      expect(reader.damages).toEqual([]);
      await trainInMemory(bench, { disk: left, config, isResumed: true });
      expectSameResult(await resultOf(left), expected);
    }
  });
});

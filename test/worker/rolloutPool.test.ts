import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultRunConfig } from '#runs/runConfig';
import type { RolloutEvent } from '#training/rolloutService';
import { RolloutPool, sumCounters } from '#worker/rolloutPool';
import type { RolloutSetup } from '#worker/rolloutProtocol';

/** Speaks the messages of `Peer` and does what the first group's task says. */
const program = `
const running = new Map();
let weights = null;
process.on('message', (message) => {
  if (message.kind === 'cancel') {
    console.log('cancelled');
    const fail = running.get(message.id);
    if (fail) fail();
    return;
  }
  if (message.kind !== 'request') return;
  const { id, method, params } = message;
  const reply = (result) => process.send({ kind: 'reply', id, result });
  const failure = (text) => process.send({ kind: 'failure', id, failure: { code: 'test', message: text, stack: '' } });
  if (method === 'initialize' && process.env.ARPO_TEST_START === 'fail') {
    console.error('no engine here');
    process.exit(3);
  }
  if (method === 'initialize' && process.env.ARPO_TEST_START === 'hang') return;
  if (method === 'rollOut') {
    const [first] = params.groups;
    if (first.taskIndex === 100) return failure('the tool is broken');
    if (first.taskIndex === 101) { console.error('out of memory, or so'); process.kill(process.pid, 'SIGKILL'); }
    if (first.taskIndex === 103) {
      // Somebody else still holds the output when this process is gone.
      const last = "console.error('last words')";
      require('node:child_process').spawn(process.execPath, ['-e', last], { stdio: ['ignore', 'ignore', 'inherit'] });
      process.exit(4);
    }
    if (first.taskIndex === 102) { running.set(id, () => failure('stopped')); return; }
    process.send({ kind: 'event', event: 'progress', payload: params.groups.map(({ groupIndex }) => ({ groupIndex, pid: process.pid })) });
    const counters = { sampledTokens: 2, fedTokens: 3, decodeSteps: 1 + first.groupIndex };
    return reply({ groups: params.groups.map((group) => ({ ...group, pid: process.pid })), counters });
  }
  if (method === 'evaluate') {
    const tasks = params.taskIndices.map((taskIndex) => ({ taskIndex, isCorrect: true, reward: 1, toolCalls: 0, tokens: 1 }));
    return reply({ tasks: tasks.reverse(), counters: { sampledTokens: 1, fedTokens: 1, decodeSteps: 1 } });
  }
  if (method === 'exportState') return reply({ slotBaselines: weights });
  if (method === 'importState') { weights = params.slotBaselines; return reply(null); }
  reply(null);
});
process.on('disconnect', () => process.exit(0));
`;

const setup: RolloutSetup = {
  config: defaultRunConfig,
  checkpoint: {
    config: {},
    tokenizer: {},
    weights: new Map(),
    optimizer: null,
  } as unknown as RolloutSetup['checkpoint'],
  engine: 'onnx',
  programFolder: '/nowhere',
  baseFolder: '/nowhere',
};
const never = new AbortController().signal;

let folder: string;
let output: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arpo-pool-'));
  writeFileSync(join(folder, 'rollout.js'), program);
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  output = [];
  delete process.env['ARPO_TEST_START'];
});

function startPool(processes: number, signal = never): Promise<RolloutPool> {
  const entry = join(folder, 'rollout.js');
  const lines = output;
  return RolloutPool.start({ entry, processes, setup, signal, onOutput: (line) => lines.push(line) });
}

function jobOf(...taskIndices: number[]): Parameters<RolloutPool['rollOut']>[0] {
  const groups = taskIndices.map((taskIndex, groupIndex) => ({ groupIndex, taskIndex }));
  return { update: 1, groups, entropyHistory: [] };
}

const ignore = (_events: readonly RolloutEvent[]): void => undefined;

/** Groups as the fake returns them. */
interface FakeGroup {
  readonly groupIndex: number;
  readonly pid: number;
}

describe('a pool', () => {
  test('deals groups out in turn and returns them in order, with all events', async () => {
    const pool = await startPool(2);
    const events: unknown[] = [];
    const { groups, counters } = await pool.rollOut(
      jobOf(1, 2, 3, 4, 5),
      (added) => events.push(...added),
      never,
    );
    const dealt = groups as unknown as readonly FakeGroup[];
    expect(dealt.map(({ groupIndex }) => groupIndex)).toEqual([0, 1, 2, 3, 4]);
    const [first, second] = [dealt[0].pid, dealt[1].pid];
    expect(first).not.toBe(second);
    expect(dealt.map(({ pid }) => pid)).toEqual([first, second, first, second, first]);
    expect(events).toHaveLength(5);
    // Decode steps ran at the same time: the longer share counts.
    expect(counters).toEqual({ sampledTokens: 4, fedTokens: 6, decodeSteps: 2 });
    const { tasks } = await pool.evaluate(
      { split: 'heldOut', taskIndices: [7, 3, 9], isGreedy: true },
      never,
    );
    expect(tasks.map(({ taskIndex }) => taskIndex)).toEqual([7, 3, 9]);
    await pool.dispose();
  });

  test('keeps a state per process, and refuses that of another number of processes', async () => {
    const pool = await startPool(2);
    const states = [{ slotBaselines: [[0, 0.5] as const] }, { slotBaselines: [[1, 0.25] as const] }];
    await pool.importState(states);
    expect(await pool.exportState()).toEqual(states);
    await expect(pool.importState(states.slice(1))).rejects.toThrow(
      'sampler states: expected 2 (rollout processes), got 1. Resume with the same engine.processes',
    );
    await pool.dispose();
  });

  test('cancels the others when one process fails, and goes on afterwards', async () => {
    const pool = await startPool(2);
    await expect(pool.rollOut(jobOf(100, 102), ignore, never)).rejects.toThrow('the tool is broken');
    const { groups } = await pool.rollOut(jobOf(1, 2), ignore, never);
    expect(groups).toHaveLength(2);
    expect(output).toEqual(['cancelled']);
    await pool.dispose();
  });

  test('names a process that dies, with its last output, and cancels the others', async () => {
    const pool = await startPool(2);
    const failing = pool.rollOut(jobOf(101, 102), ignore, never);
    await expect(failing).rejects.toMatchObject({ code: 'processEnded' });
    await expect(failing).rejects.toThrow(
      /^The rollout 1 process ended \(signal SIGKILL\)\.\nIts last output:\nout of memory, or so$/,
    );
    // Later requests fail with the same reason, at once.
    await expect(pool.rollOut(jobOf(1, 2), ignore, never)).rejects.toThrow('out of memory, or so');
    await pool.dispose();
  });

  test('waits for the last output of a dead process', async () => {
    const pool = await startPool(1);
    await expect(pool.rollOut(jobOf(103), ignore, never)).rejects.toThrow(
      /^The rollout 1 process ended \(exit code 4\)\.\nIts last output:\nlast words$/,
    );
    await pool.dispose();
  });

  test('is cancelled by its signal in all processes', async () => {
    const pool = await startPool(2);
    const abort = new AbortController();
    const rolling = pool.rollOut(jobOf(102, 102), ignore, abort.signal);
    abort.abort(new Error('enough'));
    await expect(rolling).rejects.toMatchObject({ code: 'aborted' });
    await pool.rollOut(jobOf(1, 2), ignore, never);
    expect(output).toEqual(['cancelled', 'cancelled']);
    await pool.dispose();
  });
});

describe('a pool that does not start', () => {
  test('says what the process said last', async () => {
    process.env['ARPO_TEST_START'] = 'fail';
    await expect(startPool(2)).rejects.toThrow(
      /^The rollout [12] process ended \(exit code 3\)\.\nIts last output:\nno engine here$/,
    );
  });

  test('can be stopped while it starts', async () => {
    process.env['ARPO_TEST_START'] = 'hang';
    const abort = new AbortController();
    const starting = startPool(2, abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(starting).rejects.toMatchObject({ code: 'aborted' });
  });
});

test('counters of several samplers add up, but for what runs at the same time', () => {
  expect(
    sumCounters([
      { sampledTokens: 1, fedTokens: 10, decodeSteps: 5 },
      { sampledTokens: 2, fedTokens: 20, decodeSteps: 3 },
    ]),
  ).toEqual({ sampledTokens: 3, fedTokens: 30, decodeSteps: 5 });
  expect(sumCounters([])).toEqual({ sampledTokens: 0, fedTokens: 0, decodeSteps: 0 });
});

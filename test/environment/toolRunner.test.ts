import { describe, expect, test } from 'vitest';
import type { Tool } from '#environment/tool';
import { ToolFailure } from '#environment/tool';
import { ToolCache } from '#environment/toolCache';
import type { ToolRunnerSettings } from '#environment/toolRunner';
import { ToolRunner } from '#environment/toolRunner';
import { ManualClock } from '../fakes/toolClock';

const never = new AbortController().signal;

function toolOf(call: Tool['call']): Tool {
  return { name: 'search', tag: 'search', call };
}

function runnerOf(settings: Partial<ToolRunnerSettings> = {}): { runner: ToolRunner; clock: ManualClock } {
  const clock = new ManualClock();
  const runner = new ToolRunner({
    timeoutMs: 1000,
    maxAttempts: 3,
    retryEmpty: false,
    clock,
    cache: null,
    ...settings,
  });
  return { runner, clock };
}

/** A tool that answers from a list, one entry per attempt. */
function scriptedTool(answers: readonly (string | Error)[]): { tool: Tool; attempts: () => number } {
  let attempts = 0;
  const tool = toolOf(async () => {
    const answer = answers[attempts];
    attempts += 1;
    if (typeof answer === 'string') return answer;
    throw answer;
  });
  return { tool, attempts: () => attempts };
}

test('a call is recorded with its latency by the given clock', async () => {
  const { runner, clock } = runnerOf();
  const tool = toolOf(async (query) => {
    clock.advance(7);
    return `found ${query}`;
  });
  expect(await runner.run({ tool, query: 'x', scope: 't', signal: never })).toEqual({
    tool: 'search',
    input: 'x',
    output: 'found x',
    failure: null,
    latencyMs: 7,
    cached: false,
    attempts: 1,
  });
  expect(clock.pendingTimers).toBe(0);
});

describe('failures', () => {
  test('a lasting failure is data and is not tried again', async () => {
    const { runner } = runnerOf();
    const failure = new ToolFailure('Traceback …', { isTransient: false, summary: 'ZeroDivisionError' });
    const { tool } = scriptedTool([failure, 'never']);
    const call = await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(call).toMatchObject({ output: 'Traceback …', failure: 'ZeroDivisionError', attempts: 1 });
  });

  test('a transient failure is tried again', async () => {
    const { runner } = runnerOf();
    const { tool } = scriptedTool([new ToolFailure('lost', { isTransient: true }), 'found']);
    const call = await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(call).toMatchObject({ output: 'found', failure: null, attempts: 2 });
  });

  test('after the last attempt the failure stays', async () => {
    const { runner } = runnerOf();
    const lost = new ToolFailure('lost', { isTransient: true });
    const { tool, attempts } = scriptedTool([lost, lost, lost, 'too late']);
    const call = await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(call).toMatchObject({ output: 'lost', failure: 'lost', attempts: 3 });
    expect(attempts()).toBe(3);
  });

  test('a defect of the tool is thrown', async () => {
    const { runner, clock } = runnerOf();
    const { tool } = scriptedTool([new TypeError('defect')]);
    await expect(runner.run({ tool, query: 'x', scope: 't', signal: never })).rejects.toThrow('defect');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('empty output', () => {
  test('the released rule runs the tool three times and then says so', async () => {
    const { runner } = runnerOf({ retryEmpty: true });
    const { tool, attempts } = scriptedTool(['', '', '', 'too late']);
    const message = 'Tool(search) returned empty output.';
    const call = await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(call).toMatchObject({ output: message, failure: message, attempts: 3 });
    expect(attempts()).toBe(3);
  });

  test('otherwise it is a result like any other', async () => {
    const { runner } = runnerOf();
    const { tool } = scriptedTool(['', 'never']);
    const call = await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(call).toMatchObject({ output: '', failure: null, attempts: 1 });
  });
});

describe('time limit', () => {
  test('an attempt that takes too long is given up, its signal aborted, and tried again', async () => {
    const { runner, clock } = runnerOf({ maxAttempts: 2 });
    const signals: AbortSignal[] = [];
    const tool = toolOf((_query, signal) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    });
    const running = runner.run({ tool, query: 'x', scope: 't', signal: never });
    clock.advance(999);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    clock.advance(1);
    await new Promise(setImmediate);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    clock.advance(1000);
    const message = 'Tool(search) gave no answer within 1 s.';
    expect(await running).toMatchObject({ output: message, failure: message, attempts: 2, latencyMs: 2000 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('cancellation', () => {
  test('rejects at once, without waiting for the tool, and tells the tool', async () => {
    const { runner, clock } = runnerOf();
    const controller = new AbortController();
    let inner: AbortSignal | null = null;
    const tool = toolOf((_query, signal) => {
      inner = signal;
      return new Promise<string>(() => {});
    });
    const running = runner.run({ tool, query: 'x', scope: 't', signal: controller.signal });
    const reason = new Error('stopped by the user');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(inner).toMatchObject({ aborted: true });
    await new Promise(setImmediate);
    expect(clock.pendingTimers).toBe(0);
  });

  test('nothing is run when it is cancelled before', async () => {
    const { runner } = runnerOf();
    const { tool, attempts } = scriptedTool(['x']);
    const signal = AbortSignal.abort(new Error('before'));
    await expect(runner.run({ tool, query: 'x', scope: 't', signal })).rejects.toThrow('before');
    expect(attempts()).toBe(0);
  });
});

describe('cache', () => {
  test('an equal query of the same task is answered without a call', async () => {
    const { runner } = runnerOf({ cache: new ToolCache() });
    const { tool } = scriptedTool(['first', 'second', 'third']);
    const run = (query: string, scope: string) => runner.run({ tool, query, scope, signal: never });
    expect(await run('x', 't')).toMatchObject({ output: 'first', cached: false, attempts: 1 });
    expect(await run('x', 't')).toMatchObject({ output: 'first', cached: true, attempts: 0, latencyMs: 0 });
    expect(await run('x ', 't')).toMatchObject({ output: 'second', cached: false });
    expect(await run('x', 'other')).toMatchObject({ output: 'third', cached: false });
  });

  test('failures are not remembered', async () => {
    const { runner } = runnerOf({ cache: new ToolCache(), maxAttempts: 1 });
    const { tool } = scriptedTool([new ToolFailure('lost', { isTransient: true }), 'found']);
    await runner.run({ tool, query: 'x', scope: 't', signal: never });
    expect(await runner.run({ tool, query: 'x', scope: 't', signal: never })).toMatchObject({
      output: 'found',
    });
  });

  test('the oldest answer goes when it is full', () => {
    const cache = new ToolCache(2);
    for (const query of ['a', 'b', 'c']) cache.set('search', 't', query, query);
    expect(['a', 'b', 'c'].map((query) => cache.get('search', 't', query))).toEqual([undefined, 'b', 'c']);
    expect(cache.size).toBe(2);
  });
});

test.each([
  [{ maxAttempts: 0 }, 'maxAttempts'],
  [{ maxAttempts: 1.5 }, 'maxAttempts'],
  [{ timeoutMs: 0 }, 'timeoutMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
])('refuses %j', (settings, name) => {
  expect(() => runnerOf(settings)).toThrow(name);
});

test('a cache needs room for one answer', () => {
  expect(() => new ToolCache(0)).toThrow('maxEntries');
});

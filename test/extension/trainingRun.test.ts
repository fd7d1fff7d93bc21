import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TrainingRun } from '#extension/trainingRun';
import type { TrainingState } from '#extension/trainingRun';
import { startPeerProcess } from '#platform/childProcess';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { nodeProcessTable } from '#platform/nodeProcessTable';
import type { HostEnd } from '#protocol/workerProtocol';
import { parseRunConfig } from '#runs/configText';
import type { RunConfig } from '#runs/runConfig';
import { RunStore } from '#runs/runStore';
import { runLockHolder } from '#runs/runLock';
import { RunReader } from '#runs/runReader';
import { bundleProgram } from './programBundle';
import type { ProgramBundle } from './programBundle';

const neverAborted = new AbortController().signal;
let program: ProgramBundle;
const folders: string[] = [];
const runs: TrainingRun[] = [];

beforeAll(async () => {
  program = await bundleProgram();
});
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop('the test is over');
  expect(program.findProcesses()).toEqual([]);
});
afterAll(() => {
  program.dispose();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

test('a run that finishes is recorded whole, and its processes are gone', async () => {
  const run = await start({ updates: 2 });
  const recorded: string[] = [];
  run.onRecorded.on((events) => recorded.push(...events.map(({ kind }) => kind)));
  const end = await run.ended;
  expect(end).toMatchObject({ kind: 'finished', finished: { updates: 2 } });
  expect(run.state).toBe('ended');
  expect(run.progress).toMatchObject({ update: 2, updates: 2 });
  expect(recorded.filter((kind) => kind === 'policyUpdated')).toHaveLength(2);

  const reader = await RunReader.open(nodeFileSystem, run.folder);
  const model = await reader.model();
  expect(model.status).toBe('finished');
  expect(model.updates.map(({ update }) => update)).toEqual([1, 2]);
  expect(model.checkpoints.map(({ purpose }) => purpose)).toContain('weights');
  expect((await reader.group(2, 1)).scored).not.toBeNull();
  expect(await lockHolder(run)).toBeNull();
});

test('stopping takes about a second, and the run goes on from where it was', async () => {
  const run = await start({ updates: 50 });
  await recorded(run, 'policyUpdated');
  const before = performance.now();
  await run.stop('asked to');
  expect(performance.now() - before).toBeLessThan(3000); // ours is 1000; a busy machine gets three times that
  expect(await run.ended).toEqual({ kind: 'stopped', reason: 'asked to' });
  expect(program.findProcesses()).toEqual([]);
  expect(await statusOf(run)).toBe('stopped');

  const resumed = await resume(run.folder);
  await recorded(resumed, 'policyUpdated');
  await resumed.stop('enough');
  const reader = await RunReader.open(nodeFileSystem, run.folder);
  const updates = (await reader.model()).updates.map(({ update }) => update);
  expect(updates).toEqual(updates.map((_, index) => index + 1));
  expect(updates.length).toBeGreaterThan(1);
});

test('a killed worker is reported, and the run stays readable and resumable', async () => {
  const run = await start({ updates: 50 });
  await recorded(run, 'policyUpdated');
  process.kill(run.processId, 'SIGKILL');
  const end = await run.ended;
  expect(end).toMatchObject({ kind: 'failed', code: 'processEnded' });
  expect(end.kind === 'failed' && end.message).toMatch(/training process ended \(signal SIGKILL\)/);
  expect(await statusOf(run)).toBe('failed');
  expect(await lockHolder(run)).toBeNull();
  await gone();
  const resumed = await resume(run.folder);
  await recorded(resumed, 'groupScored');
});

test('a run that stored no state begins anew, and says so', async () => {
  const run = await start({ updates: 50 });
  expect(run.resumedFrom).toBeNull();
  await recorded(run, 'nodesAdded');
  process.kill(run.processId, 'SIGKILL');
  await run.ended;
  await gone();
  const resumed = await resume(run.folder);
  expect(resumed.resumedFrom).toBe(0);
  await recorded(resumed, 'policyUpdated');
  await resumed.stop('enough');
  const { updates } = await (await RunReader.open(nodeFileSystem, run.folder)).model();
  expect(updates[0]?.update).toBe(1);
});

test('a run that was killed before its first event begins with what it is', async () => {
  const ports = { fileSystem: nodeFileSystem, processes: nodeProcessTable, now: () => Date.now() };
  const runsFolder = join(temporaryFolder(), 'runs');
  const options = { runsFolder, config: config({ updates: 1 }), versions: {}, parent: null };
  const store = await RunStore.create(ports, options);
  await store.close();
  const resumed = await resume(store.folder);
  expect((await resumed.ended).kind).toBe('finished');
  const reader = await RunReader.open(nodeFileSystem, store.folder);
  const kinds = (await reader.events({ kinds: ['runStarted', 'resumed'] })).map(({ event }) => event.kind);
  expect(kinds).toEqual(['runStarted']);
});

test('pausing waits for the end of the update, and then nothing happens until it goes on', async () => {
  const run = await start({ updates: 50 });
  await recorded(run, 'updateStarted');
  const states: TrainingState[] = [];
  run.onStateChanged.on((state) => states.push(state));
  const paused = recorded(run, 'runPaused');
  await run.pause();
  await paused;
  expect(await statusOf(run)).toBe('paused');
  expect(states).toEqual(['pausing', 'paused']);
  const lines = (await RunReader.open(nodeFileSystem, run.folder)).lines;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await RunReader.open(nodeFileSystem, run.folder)).lines).toBe(lines);
  const started = recorded(run, 'updateStarted');
  await run.unpause();
  await started;
  expect(await statusOf(run)).toBe('running');
});

test('a run that cannot be opened leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const { policy } = config({});
  const broken = { ...config({}), policy: { ...policy, checkpoint: './nowhere' } };
  const request = {
    kind: 'new',
    config: broken,
    baseFolder: folder,
    runsFolder: join(folder, 'runs'),
  } as const;
  const starting = TrainingRun.start(request, program.places, neverAborted);
  await expect(starting).rejects.toMatchObject({ code: 'missingCheckpoint' });
  expect(await nodeFileSystem.status(join(folder, 'runs'))).toBeNull();
});

test('starting can be cancelled', async () => {
  const folder = temporaryFolder();
  const abort = new AbortController();
  const request = {
    kind: 'new',
    config: config({}),
    baseFolder: folder,
    runsFolder: join(folder, 'runs'),
  } as const;
  const starting = TrainingRun.start(request, program.places, abort.signal);
  setTimeout(() => abort.abort(), 50);
  await expect(starting).rejects.toMatchObject({ code: 'aborted' });
  await gone();
});

test('engines tell how fast they sample, or why they do not load', async () => {
  const refuse = async (): Promise<never> => await Promise.reject(new Error('a probe records nothing'));
  const { programFolder, builtinFolder } = program.places;
  const worker = startPeerProcess<HostEnd>({
    name: 'probe',
    entry: join(programFolder, 'worker.js'),
    handlers: { append: refuse, saveCheckpoint: refuse },
    onOutput: program.places.log,
  });
  const reports = await worker.peer.request('engines', { programFolder, builtinFolder });
  await worker.dispose();
  expect(reports.map(({ name }) => name)).toEqual(expect.arrayContaining(['onnx', 'reference']));
  for (const { isAvailable, problem, probe } of reports) {
    expect(probe === null).toBe(!isAvailable);
    expect(problem === null).toBe(isAvailable);
    if (probe !== null) expect(probe.tokensPerSecond).toBeGreaterThan(0);
  }
});

function config({ updates = 1 }: { updates?: number }): RunConfig {
  const text = JSON.stringify({
    name: 'test',
    updates,
    rollout: { groupsPerUpdate: 2 },
    engine: { threads: 1, processes: 1 },
    optimizer: { minibatches: 1 },
    evaluation: { tasks: 2, every: 0, greedy: false },
  });
  const parsed = parseRunConfig(text, 'test');
  if (parsed.config === null) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

async function start(options: { updates: number }): Promise<TrainingRun> {
  const folder = temporaryFolder();
  const request = {
    kind: 'new',
    config: config(options),
    baseFolder: folder,
    runsFolder: join(folder, 'runs'),
  } as const;
  const run = await TrainingRun.start(request, program.places, neverAborted);
  runs.push(run);
  return run;
}

async function resume(folder: string): Promise<TrainingRun> {
  const request = { kind: 'resume', folder, baseFolder: folder } as const;
  const run = await TrainingRun.start(request, program.places, neverAborted);
  runs.push(run);
  return run;
}

/** Resolves when the run has recorded an event of the kind from now on; rejects when it ends before. */
async function recorded(run: TrainingRun, kind: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    run.onRecorded.on((events) => {
      if (events.some((event) => event.kind === kind)) resolve();
    });
    void run.ended.then((end) => reject(new Error(`${JSON.stringify(end)}\n${program.lines.join('\n')}`)));
  });
}

async function statusOf(run: TrainingRun): Promise<string> {
  return (await (await RunReader.open(nodeFileSystem, run.folder)).model()).status;
}

async function lockHolder(run: TrainingRun): Promise<unknown> {
  return await runLockHolder(nodeFileSystem, nodeProcessTable, run.folder);
}

/** Processes of a killed worker end when they notice. */
async function gone(): Promise<void> {
  await expect.poll(() => program.findProcesses(), { timeout: 3000 }).toEqual([]);
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arpo-run-'));
  folders.push(folder);
  return folder;
}

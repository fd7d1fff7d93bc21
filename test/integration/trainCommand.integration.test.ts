import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { nodeFileSystem } from '#platform/nodeFileSystem';
import { RunReader } from '#runs/runReader';
import type { RunModel } from '#runs/runModel';
import {
  buildProgram,
  descendantsOf,
  isAlive,
  run,
  signalGroup,
  start,
  until,
  type Finished,
  type Running,
  type TestProgram,
} from './program';

const isLinux = process.platform === 'linux';
const configuration = {
  name: 'small',
  updates: 4,
  engine: { processes: 2, threads: 1 },
  rollout: { groupsPerUpdate: 2, branching: { globalRollouts: 4, initialRollouts: 2, minimumHistory: 2 } },
  evaluation: { tasks: 4, every: 2 },
};

let program: TestProgram;
let wholeRun: Finished;

beforeAll(async () => {
  program = buildProgram({ python: 'quick' });
  writeFileSync(join(program.folder, 'small.jsonc'), JSON.stringify(configuration));
  wholeRun = await run(program, 'train', '--config', 'small.jsonc', '--out', 'whole', '--json');
});
afterAll(() => program.remove());

function onlyRun(out: string): string {
  const folder = join(program.folder, out);
  const [name] = readdirSync(folder);
  return join(folder, name);
}

function finalWeights(runFolder: string): Buffer {
  return readFileSync(join(runFolder, 'checkpoints', 'update-000004', 'model.safetensors'));
}

async function modelOf(runFolder: string): Promise<RunModel> {
  return await (await RunReader.open(nodeFileSystem, runFolder)).model();
}

/** Complete lines of the log: each was acknowledged, or is as good as that. */
function linesOf(runFolder: string): number {
  return readFileSync(join(runFolder, 'events.jsonl'), 'utf8').split('\n').length - 1;
}

function startSmall(out: string, ...more: string[]): Running {
  return start(program, ['train', '--config', 'small.jsonc', '--out', out, ...more]);
}

describe('a whole run', () => {
  test('ends with one JSON object on stdout and shows its progress on stderr', async () => {
    expect(wholeRun.status).toBe(0);
    const lines = wholeRun.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    const share = expect.any(Number);
    const accuracy = { sampled: share, greedy: share };
    expect(JSON.parse(lines[0])).toStrictEqual({
      runDir: onlyRun('whole'),
      engine: 'onnx',
      seed: 0,
      updates: 4,
      heldOut: { before: accuracy, after: accuracy },
      toolCalls: { paid: share, inherited: share },
      generatedTokens: share,
      seconds: { rollout: share, update: share, evaluation: share, total: share },
    });
    expect(wholeRun.stderr).toMatch(/^update 0\/4 · .*held-out sampled /);
    expect(wholeRun.stderr).toContain('\nupdate 4/4 · reward ');
  });

  test('is recorded with the same figures', async () => {
    const summary = JSON.parse(wholeRun.stdout);
    const model = await modelOf(onlyRun('whole'));
    expect(model.status).toBe('finished');
    expect(model.completedUpdates).toBe(4);
    expect(model.evaluations.map(({ update }) => update)).toEqual([0, 2, 4]);
    expect(model.evaluations[2].sampled?.accuracy).toBe(summary.heldOut.after.sampled);
    const ledgers = model.updates.flatMap(({ groups }) =>
      [...groups.values()].map(({ scored }) => scored?.ledger),
    );
    const sum = (key: 'paidCalls' | 'inheritedCalls' | 'paidModelTokens'): number =>
      ledgers.reduce((total, ledger) => total + (ledger?.[key] ?? 0), 0);
    expect(summary.toolCalls).toEqual({ paid: sum('paidCalls'), inherited: sum('inheritedCalls') });
    expect(summary.generatedTokens).toBe(sum('paidModelTokens'));
  });

  test('of the same seed ends with the same weights', async () => {
    const same = await run(program, 'train', '--config', 'small.jsonc', '--out', 'same');
    expect(same.status).toBe(0);
    expect(same.stdout).toContain('\nHeld-out accuracy   sampled ');
    expect(finalWeights(onlyRun('same')).equals(finalWeights(onlyRun('whole')))).toBe(true);
  });
});

describe.runIf(isLinux)('Ctrl-C', () => {
  test('ends within a second, leaves no process, and the run goes on to the same end', async () => {
    const running = startSmall('stopped');
    await until('an update is done', () => running.output().includes('update 1/4'));
    const processes = descendantsOf(running.child.pid ?? 0);
    expect(processes).toHaveLength(2);
    const pressedAt = performance.now();
    signalGroup(running, 'SIGINT');
    const { status, stderr } = await running.finished;
    expect(performance.now() - pressedAt).toBeLessThan(1000);
    expect(status).toBe(130);
    const folder = onlyRun('stopped');
    expect(stderr).toMatch(/Stopped after update [1-3]\. Continue with: npm run train -- --resume /);
    expect(stderr).toContain(folder);
    await until('no process is left', () => !processes.some(isAlive), 1000);
    const model = await modelOf(folder);
    expect(model.status).toBe('stopped');
    const resumed = await run(program, 'train', '--resume', folder, '--json');
    expect(resumed.stderr).not.toContain('torn');
    expect(resumed.status).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ runDir: folder, updates: 4 });
    expect(finalWeights(folder).equals(finalWeights(onlyRun('whole')))).toBe(true);
    expect((await modelOf(folder)).status).toBe('finished');
  });

  test('while the run is still being opened leaves nothing behind', async () => {
    const running = startSmall('early');
    await until('processes start', () => descendantsOf(running.child.pid ?? 0).length > 0);
    const processes = descendantsOf(running.child.pid ?? 0);
    signalGroup(running, 'SIGINT');
    const { status, stderr } = await running.finished;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^Stopped (before the run began|after update 0)\./m);
    await until('no process is left', () => !processes.some(isAlive), 1000);
  });
});

describe.runIf(isLinux)('a run killed at any moment', () => {
  /** Kills the whole process group when so many lines are recorded. */
  async function killAt(running: Running, lines: number): Promise<void> {
    await until('so much is recorded', () => {
      try {
        return linesOf(onlyRun('killed')) >= lines;
      } catch {
        return false;
      }
    });
    const processes = [running.child.pid ?? 0, ...descendantsOf(running.child.pid ?? 0)];
    signalGroup(running, 'SIGKILL');
    await running.finished;
    await until('no process is left', () => !processes.some(isAlive), 2000);
  }

  test('again and again: opens, shows what was written, and goes on to the same end', async () => {
    const random = createRandom(5);
    const whole = linesOf(onlyRun('whole'));
    let lines = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      const folder = kill === 0 ? null : onlyRun('killed');
      const running =
        folder === null ? startSmall('killed') : start(program, ['train', '--resume', folder, '--json']);
      lines += 1 + Math.floor((random.next() * whole) / 4);
      await killAt(running, lines);
      const reader = await RunReader.open(nodeFileSystem, onlyRun('killed'));
      expect(reader.lines).toBeGreaterThanOrEqual(lines);
      expect(reader.damages).toEqual([]);
      expect((await reader.model()).status).toBe('running');
      lines = reader.lines;
    }
    const folder = onlyRun('killed');
    const resumed = await run(program, 'train', '--resume', folder, '--json');
    expect(resumed.status).toBe(0);
    expect(finalWeights(folder).equals(finalWeights(onlyRun('whole')))).toBe(true);
  });
});

describe.runIf(isLinux)('a rollout process that dies', () => {
  test('is named, the run is recorded as failed, and goes on to the same end', async () => {
    const running = startSmall('crashed');
    await until('an update is done', () => running.output().includes('update 1/4'));
    const processes = descendantsOf(running.child.pid ?? 0);
    process.kill(processes[1], 'SIGKILL');
    const { status, stderr } = await running.finished;
    expect(status).toBe(1);
    expect(stderr).toMatch(/The rollout [12] process ended \(signal SIGKILL\)\./);
    await until('no process is left', () => !processes.some(isAlive), 1000);
    const folder = onlyRun('crashed');
    const model = await modelOf(folder);
    expect(model.status).toBe('failed');
    expect(model.end).toMatchObject({ kind: 'runFailed', code: 'processEnded' });
    const resumed = await run(program, 'train', '--resume', folder);
    expect(resumed.status).toBe(0);
    expect(finalWeights(folder).equals(finalWeights(onlyRun('whole')))).toBe(true);
  });
});

describe('bad input', () => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(program.folder, name), content);
    return name;
  };

  /** Exit status and message; nothing may have been made. */
  async function refusal(...argumentList: string[]): Promise<{ status: number | null; message: string }> {
    const { status, stdout, stderr } = await run(program, 'train', ...argumentList);
    expect(stdout).toBe('');
    expect(stderr).not.toContain('    at ');
    expect(readdirSync(program.folder)).not.toContain('runs');
    return { status, message: stderr.trim() };
  }

  test('all problems of a configuration at once, with their places and what was meant', async () => {
    const config = file(
      'wrong.jsonc',
      `{
  // A run that cannot be.
  "updates": "many",
  "optimizr": {},
  "rollout": { "temprature": 1, "branching": { "globalRollouts": 4, "initialRollouts": 9 } }
}`,
    );
    const { status, message } = await refusal('--config', config, '--set', 'evaluation.tasks=0');
    expect(status).toBe(1);
    const [head, ...problems] = message.split('\n');
    expect(head).toBe('The run configuration cannot be used:');
    expect(problems.sort()).toEqual([
      '--set evaluation.tasks=0: evaluation.tasks: expected a whole number at least 1, got 0',
      'wrong.jsonc:3:14: updates: expected a whole number at least 1, got "many"',
      'wrong.jsonc:4:3: optimizr: unknown key; did you mean "optimizer"?',
      'wrong.jsonc:5:16: rollout.temprature: unknown key; did you mean "temperature"?',
      'wrong.jsonc:5:88: rollout.branching.initialRollouts: expected at most globalRollouts (4), got 9',
    ]);
  });

  test('a beam of one with branching', async () => {
    const config = file('beam.jsonc', '{ "rollout": { "branching": { "beamSize": 1 } } }');
    const { status, message } = await refusal('--config', config);
    expect(status).toBe(1);
    expect(message).toContain(
      'beam.jsonc:1:43: rollout.branching.beamSize: expected a whole number of at least 2, got 1',
    );
  });

  test('options that do not exist, values that do not fit, and a missing command', async () => {
    expect(await refusal('--sed', '1')).toEqual({
      status: 2,
      message: 'Unknown option --sed. Did you mean --seed?',
    });
    expect(await refusal('--seed', '1.5')).toEqual({
      status: 2,
      message: '--seed: expected an integer in 0..4294967295, got "1.5"',
    });
    expect((await refusal('--engine', 'cuda')).message).toContain(
      '--engine cuda: engine.name: expected one of "auto", "onnx", "reference", got "cuda"',
    );
    const { status, stderr } = await run(program, 'trian');
    expect(status).toBe(2);
    expect(stderr).toContain('Expected a command (train, cold-start, experiment), got "trian".');
  });

  test('a configuration that is not there', async () => {
    const { status, message } = await refusal('--config', 'nowhere.jsonc');
    expect(status).toBe(1);
    expect(message).toContain(`--config ${join(program.folder, 'nowhere.jsonc')}: the file cannot be read`);
  });

  test('a checkpoint that is missing, cut off, or of another vocabulary', async () => {
    expect((await refusal('--set', 'policy.checkpoint=nowhere')).message).toContain(
      `${join(program.folder, 'nowhere')}: expected a checkpoint folder, found none.`,
    );
    const builtin = join(import.meta.dirname, '..', '..', 'media', 'policies', 'directory-hunt');
    const cut = join(program.folder, 'cut');
    cpSync(builtin, cut, { recursive: true });
    truncateSync(join(cut, 'model.safetensors'), 100_000);
    const truncated = await refusal('--set', 'policy.checkpoint=cut');
    expect(truncated.status).toBe(1);
    expect(truncated.message).toMatch(/Checkpoint .*cut: model\.safetensors: /);
    const foreign = join(program.folder, 'foreign');
    cpSync(builtin, foreign, { recursive: true });
    const tokenizer = readFileSync(join(foreign, 'tokenizer.json'), 'utf8');
    writeFileSync(join(foreign, 'tokenizer.json'), tokenizer.replaceAll('"mentor"', '"teacher"'));
    const other = await refusal('--set', 'policy.checkpoint=foreign');
    expect(other.status).toBe(1);
    expect(other.message).toContain('its vocabulary does not fit the task directory-hunt/B.');
    expect(other.message).toContain('mentor');
  });

  test('an engine that does not load', async () => {
    // A copy of the program where none of its libraries can be found.
    const bare = join(program.folder, 'bare');
    cpSync(dirname(program.cli), join(bare, 'dist'), { recursive: true });
    cpSync(join(import.meta.dirname, '..', '..', 'media'), join(bare, 'media'), { recursive: true });
    writeFileSync(join(bare, 'package.json'), '{ "version": "0.1.0" }');
    const { status, stderr } = await run(
      { ...program, cli: join(bare, 'dist', 'cli.js') },
      'train',
      '--out',
      'bareRuns',
    );
    expect(status).toBe(1);
    expect(stderr).toContain('onnxruntime-node');
    expect(stderr).not.toContain('    at ');
    expect(readdirSync(program.folder)).not.toContain('bareRuns');
  });

  test('more held-out tasks than there are', async () => {
    const questions = Array.from({ length: 20 }, (_, index) =>
      JSON.stringify({ question: `What is ${index}?`, answer: String(index) }),
    );
    file('questions.jsonl', questions.join('\n'));
    const config = file('questions.jsonc', '{ "task": { "name": "questions", "file": "questions.jsonl" } }');
    const { status, message } = await refusal('--config', config);
    expect(status).toBe(1);
    expect(message).toContain(
      'evaluation.tasks: expected at most 2, the number of held-out tasks of questions, got 300.',
    );
  });

  test('questions or documents that are not there or cannot be read', async () => {
    file('broken.jsonl', '{ "question": 3, "answer": "4" }');
    file('one.jsonl', '{ "question": "What is 2 + 2?", "answer": "4" }');
    const config = file('user.jsonc', '{ "task": { "name": "questions", "file": "broken.jsonl" } }');
    const folder = program.folder;
    const { status, message } = await refusal('--config', config);
    expect(status).toBe(1);
    expect(message).toBe(
      `${join(folder, 'broken.jsonl')}, line 1: expected "question" to be a text that is not empty, got 3.`,
    );
    expect((await refusal('--config', config, '--set', 'task.file=gone.jsonl')).message).toBe(
      `${join(folder, 'gone.jsonl')}: expected a .jsonl file of questions, but there is no such file.`,
    );
    const settings = ['task.file=one.jsonl', 'task.documents=gone'].flatMap((text) => ['--set', text]);
    expect((await refusal('--config', config, ...settings)).message).toMatch(/gone: expected a folder of /);
  });

  test('an output folder that cannot be made', async () => {
    file('taken', 'a file');
    const { status, stderr } = await run(program, 'train', '--config', 'small.jsonc', '--out', 'taken');
    expect(status).toBe(1);
    expect(stderr).toContain(
      `${join(program.folder, 'taken')}: expected a folder, or nothing yet, but a file is there`,
    );
    expect(stderr).not.toContain('    at ');
  });

  test('a run to resume that is none, is being written, or lacks its state', async () => {
    mkdirSync(join(program.folder, 'empty'));
    expect((await refusal('--resume', 'empty')).message).toContain(
      'empty: expected a run folder, but it has no run.json. Choose a folder made by a training run.',
    );
    expect((await refusal('--resume', onlyRun('whole'), '--seed', '3')).message).toBe(
      '--seed cannot be combined with --resume: a resumed run keeps its own configuration.',
    );
    const locked = join(program.folder, 'locked');
    cpSync(onlyRun('whole'), locked, { recursive: true });
    const { hostname } = await import('node:os');
    const holder = { processId: process.pid, hostName: hostname(), since: 0 };
    writeFileSync(join(locked, 'lock.json'), JSON.stringify(holder));
    expect((await refusal('--resume', 'locked')).message).toContain(
      `process ${process.pid} is writing this run`,
    );
    const stateless = join(program.folder, 'stateless');
    cpSync(onlyRun('whole'), stateless, { recursive: true });
    const state = join(stateless, 'checkpoints', 'resume-000004');
    writeFileSync(join(state, 'trainer.json'), '{');
    expect((await refusal('--resume', 'stateless')).message).toContain('trainer.json: expected JSON');
    rmSync(join(state, 'optimizer.safetensors'));
    expect((await refusal('--resume', 'stateless')).message).toContain(
      'expected trainer.json and optimizer.safetensors',
    );
    const before = linesOf(onlyRun('whole'));
    expect(linesOf(locked)).toBe(before);
    expect(linesOf(stateless)).toBe(before);
    expect(readdirSync(stateless)).not.toContain('lock.json');
  });
});

test('help names every option', async () => {
  const { status, stdout } = await run(program, 'train', '--help');
  expect(status).toBe(0);
  for (const name of ['config', 'out', 'resume', 'engine', 'seed', 'updates', 'branching', 'json']) {
    expect(stdout).toContain(`--${name}`);
  }
  expect((await run(program, '--help')).stdout).toContain('cold-start');
});

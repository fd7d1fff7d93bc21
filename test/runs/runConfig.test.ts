import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { branchingPresets } from '#arpo/branchingOptions';
import type { JsonSchema } from '#runs/configField';
import { configNames, runConfigSchema, schemaAt } from '#runs/configSchema';
import {
  formatProblems,
  parseRunConfig,
  setBranching,
  setConfigValue,
  type ConfigOverride,
} from '#runs/configText';
import { nearestName } from '#runs/nearestName';
import { defaultRunConfig, type RunConfig } from '#runs/runConfig';

function read(text: string, ...overrides: readonly ConfigOverride[]): RunConfig {
  const { config, problems } = parseRunConfig(text, 'quick.jsonc', overrides);
  if (config === null) throw new Error(formatProblems(problems));
  return config;
}

function problemsIn(text: string, ...overrides: readonly ConfigOverride[]): string[] {
  const { problems } = parseRunConfig(text, 'quick.jsonc', overrides);
  return problems === null ? [] : formatProblems(problems).split('\n');
}

/** A configuration with one setting. */
function withSetting(path: string, value: unknown): string {
  return JSON.stringify(path.split('.').reduceRight((inner: unknown, key) => ({ [key]: inner }), value));
}

function problemOf(path: string, value: unknown): string {
  const problems = problemsIn(withSetting(path, value));
  expect(problems).toHaveLength(1);
  return problems[0].replace(/^quick\.jsonc:1:\d+: /, '');
}

describe('what is accepted', () => {
  test('an empty object is the built-in example', () => {
    const config = read('{}');
    expect(config).toEqual(defaultRunConfig);
    expect(config).toMatchObject({
      name: 'quick',
      seed: 0,
      updates: 24,
      task: { name: 'directory-hunt', level: 'B' },
      policy: { checkpoint: 'builtin:directory-hunt' },
      rollout: {
        groupsPerUpdate: 8,
        temperature: 1,
        branching: { preset: 'quantile', ...branchingPresets.quantile },
      },
      optimizer: { learningRate: 3e-4, beta2: 0.98, minibatches: 2, epochs: 1 },
    });
  });

  test('comments, trailing commas, a byte order mark and $schema', () => {
    const text = '\uFEFF// mine\n{ "$schema": "../schemas/x.json", /* low */ "seed": 3, }';
    expect(read(text)).toEqual({ ...defaultRunConfig, seed: 3 });
  });

  test('presets of branching and what departs from them', () => {
    const config = read(
      '{ "rollout": { "branching": { "preset": "paper", "tau": 0.6, "entropy": { "window": 10 } } } }',
    );
    const { paper } = branchingPresets;
    expect(config.rollout.branching).toEqual({
      ...paper,
      preset: 'paper',
      tau: 0.6,
      entropy: { ...paper.entropy, window: 10 },
    });
  });

  test('a budget for plain GRPO is that of its initial rollouts', () => {
    const config = read('{ "rollout": { "branching": { "preset": "none", "globalRollouts": 4 } } }');
    expect(config.rollout.branching).toMatchObject({ rule: 'none', globalRollouts: 4, initialRollouts: 4 });
  });

  test('an estimator that reads alternatives gets as many as it needs', () => {
    expect(read('{ "rollout": { "branching": { "preset": "released" } } }').rollout.alternatives).toBe(10);
    expect(read('{ "rollout": { "branching": { "preset": "paper" } } }').rollout.alternatives).toBe(0);
  });

  test('null where it has a meaning', () => {
    const config = read('{ "optimizer": { "maxGradientNorm": null }, "objective": { "dualClip": 3 } }');
    expect([config.optimizer.maxGradientNorm, config.objective.dualClip]).toEqual([null, 3]);
  });

  test('questions from a file', () => {
    const { task } = read('{ "task": { "name": "questions", "file": "q.jsonl" } }');
    expect(task).toMatchObject({ name: 'questions', file: 'q.jsonl', documents: null, reward: 'corrected' });
  });
});

describe('what is refused', () => {
  test('everything at once, each with path, line and column', () => {
    const text = `{
  "seeds": 1,
  "updates": 0,
  "rollout": {
    "temperature": 0,
    "branching": { "tau": "high" },
  },
  "evaluation": { "tasks": -5 }
}`;
    expect(problemsIn(text)).toEqual([
      'quick.jsonc:2:3: seeds: unknown key; did you mean "seed"?',
      'quick.jsonc:3:14: updates: expected a whole number at least 1, got 0',
      'quick.jsonc:5:20: rollout.temperature: expected a number above 0, got 0',
      'quick.jsonc:6:27: rollout.branching.tau: expected a number, got "high"',
      'quick.jsonc:8:28: evaluation.tasks: expected a whole number at least 1, got -5',
    ]);
  });

  test.each([
    [
      'name',
      'a b',
      'name: expected 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit, got "a b"',
    ],
    ['seed', 1.5, 'seed: expected a whole number at least 0 and at most 4294967295, got 1.5'],
    ['rollout.topP', 1.2, 'rollout.topP: expected a number above 0 and at most 1, got 1.2'],
    ['rollout.callLimit', 0, 'rollout.callLimit: expected a whole number at least 1 or null, got 0'],
    ['rollout.tools.cache', 'yes', 'rollout.tools.cache: expected true or false, got "yes"'],
    ['rollout', [1], 'rollout: expected an object, got [1]'],
    ['rollout.branching', null, 'rollout.branching: expected an object, got null'],
    ['task', 'hunt', 'task: expected an object, got "hunt"'],
    ['policy.checkpoint', '', 'policy.checkpoint: expected a text that is not empty, got ""'],
    ['optimizer.beta1', 1, 'optimizer.beta1: expected a number at least 0 and below 1, got 1'],
    ['objective.dualClip', 1, 'objective.dualClip: expected a number above 1 or null, got 1'],
    ['updates', 'x'.repeat(99), `updates: expected a whole number at least 1, got "${'x'.repeat(56)}...`],
    [
      'advantage.estimator',
      'ppo',
      'advantage.estimator: expected one of "grpo", "drGrpo", "rloo", got "ppo"',
    ],
    [
      'rollout.branching.preset',
      'entropy',
      'rollout.branching.preset: expected one of "paper", "released", "aepo", "quantile", "random", "none", got "entropy"',
    ],
    ['task.name', 'directory', 'task.name: expected one of "directory-hunt", "questions", got "directory"'],
    [
      'task.name',
      'question',
      'task.name: expected one of "directory-hunt", "questions", got "question"; did you mean "questions"?',
    ],
    ['task', { name: 'questions' }, 'task.file: missing; expected a text that is not empty'],
  ])('%s = %j', (path, value, message) => {
    expect(problemOf(path, value)).toBe(message);
  });

  test.each([
    ['rollot', 'rollot: unknown key; did you mean "rollout"?'],
    ['rollout.branching.quantil', 'rollout.branching.quantil: unknown key; did you mean "quantile"?'],
    ['rollout.tua', 'rollout.tua: unknown key'],
    ['rollout.tau', 'rollout.tau: unknown key; did you mean "rollout.branching.tau"?'],
    [
      'rollout.branching.entropy.windwo',
      'rollout.branching.entropy.windwo: unknown key; did you mean "window"?',
    ],
    ['frobnicate', 'frobnicate: unknown key'],
  ])('unknown key %s', (path, message) => {
    expect(problemOf(path, 1)).toBe(message);
  });

  test.each([
    [{ globalRollouts: 4 }, 'initialRollouts: expected at most globalRollouts (4), got 8'],
    [{ beamSize: 1 }, 'beamSize: expected a whole number of at least 2, got 1'],
    [
      { globalRollouts: 1, initialRollouts: 1 },
      'globalRollouts: expected at least 2, since advantages compare the trajectories of a group, got 1',
    ],
    [
      { preset: 'none', initialRollouts: 8 },
      "initialRollouts: expected globalRollouts (16), since the rule 'none' never branches, got 8",
    ],
    [{ minimumHistory: 500 }, 'minimumHistory: expected at most historyLength (400), got 500'],
    [
      { baselineScope: 'staleSlot', entropy: { difference: 'vector' } },
      "entropy.difference: expected 'scalar' when baselineScope is 'staleSlot', whose table keeps one number per slot, got 'vector'",
    ],
  ])('branching that cannot be: %j', (branching, message) => {
    expect(problemOf('rollout.branching', branching)).toBe(`rollout.branching.${message}`);
  });

  test('settings that contradict each other, unless one is wrong by itself', () => {
    const contradictions = `{ "rollout": { "groupsPerUpdate": 4 }, "updates": 2,
      "optimizer": { "minibatches": 8, "warmUpUpdates": 2 },
      "evaluation": { "sampled": false, "greedy": false } }`;
    expect(problemsIn(contradictions)).toEqual([
      'quick.jsonc:2:37: optimizer.minibatches: expected at most rollout.groupsPerUpdate (4), got 8',
      'quick.jsonc:2:57: optimizer.warmUpUpdates: expected less than updates (2), got 2',
      'quick.jsonc:3:34: evaluation.sampled: expected true when evaluation.greedy is false, since nothing would be evaluated, got false',
    ]);
    expect(problemsIn('{ "rollout": { "groupsPerUpdate": 0 }, "optimizer": { "minibatches": 99 } }')).toEqual(
      ['quick.jsonc:1:35: rollout.groupsPerUpdate: expected a whole number at least 1, got 0'],
    );
  });

  test('a setting that is missing is shown at what is around it', () => {
    const { problems } = parseRunConfig('{ "seed": 1,\n  "task": { "name": "questions" } }', 'a.jsonc');
    expect(problems).toEqual([
      {
        source: 'a.jsonc',
        line: 2,
        column: 11,
        path: 'task.file',
        message: 'missing; expected a text that is not empty',
      },
    ]);
  });

  test.each([
    ['', 'quick.jsonc:1:1: expected an object, got an empty file'],
    ['{ "seed" 1 }', 'quick.jsonc:1:10: expected ":", got "1"'],
    ['{ "seed": 1 "updates": 2 }', 'quick.jsonc:1:13: expected ",", got "\\""'],
    ['{ "seed": 1', 'quick.jsonc:1:12: expected "}", got the end of the file'],
    [
      '{ seed: 1 }',
      'quick.jsonc:1:3: expected a number, a text in double quotes, true, false, null, a list or an object, got "s"',
    ],
    ['[]', 'quick.jsonc:1:1: expected an object, got []'],
    ['{ "seed": 1, "seed": 2 }', 'quick.jsonc:1:14: seed: expected every key once, got it again'],
  ])('text that is no configuration: %s', (text, message) => {
    expect(problemsIn(text)[0]).toBe(message);
  });
});

describe('changes on the command line', () => {
  test('come before checks and defaults', () => {
    const file = '{ "optimizer": { "learningRate": 0.001 } }';
    const config = read(
      file,
      setConfigValue('seed', '7'),
      setConfigValue('optimizer.learningRate', '1e-4'),
      setConfigValue('rollout.callLimit', 'null'),
      setConfigValue('name', '5'),
      setConfigValue('engine.name', 'reference'),
      setConfigValue('evaluation.greedy', 'false'),
    );
    expect(config).toMatchObject({
      name: '5',
      seed: 7,
      engine: { name: 'reference' },
      optimizer: { learningRate: 1e-4 },
      rollout: { callLimit: null },
      evaluation: { greedy: false },
    });
  });

  test('are named when they are wrong', () => {
    const problems = problemsIn(
      '{ "updates": 5 }',
      setConfigValue('updates', 'many', '--updates many'),
      setConfigValue('rollout.temprature', '1'),
    );
    expect(problems).toEqual([
      '--updates many: updates: expected a whole number at least 1, got "many"',
      '--set rollout.temprature=1: rollout.temprature: unknown key; did you mean "temperature"?',
    ]);
  });

  test('of the branching rule take its whole preset', () => {
    const file =
      '{ "rollout": { "branching": { "preset": "released", "rule": "aepo", "initialRollouts": 4 } } }';
    expect(read(file).rollout.branching).toMatchObject({
      preset: 'released',
      rule: 'aepo',
      initialRollouts: 4,
    });
    expect(read(file, ...setBranching('paper')).rollout.branching).toMatchObject({
      ...branchingPresets.paper,
      initialRollouts: 4,
    });
    expect(read(file, ...setBranching('none')).rollout.branching).toEqual({
      ...branchingPresets.none,
      preset: 'none',
    });
    expect(problemsIn(file, ...setBranching('best'))).toEqual([
      '--branching best: rollout.branching.preset: expected one of "paper", "released", "aepo", "quantile", "random", "none", got "best"',
    ]);
  });
});

describe('the published schema', () => {
  test('is up to date (node scripts/makeSchema.mjs writes it)', () => {
    const published: unknown = JSON.parse(readFileSync('schemas/run-config.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(runConfigSchema)));
  });

  test('describes every setting, and every value of every choice', () => {
    expect(configNames.length).toBeGreaterThan(70);
    for (const name of configNames) {
      const schema = schemaAt(name.split('.')) as JsonSchema;
      expect([name, typeof schema['description'], schema['description'] === '']).toEqual([
        name,
        'string',
        false,
      ]);
      const { enum: values, enumDescriptions } = schema;
      if (Array.isArray(values)) expect(enumDescriptions).toHaveLength(values.length);
    }
  });

  test('knows the same keys as the configuration', () => {
    const paths = (value: unknown, prefix = ''): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.entries(value).flatMap(([key, member]) => [
            `${prefix}${key}`,
            ...paths(member, `${prefix}${key}.`),
          ]);
    expect(paths(defaultRunConfig).filter((path) => schemaAt(path.split('.')) === null)).toEqual([]);
  });
});

test('the nearest name allows for slips, not for other words', () => {
  const names = ['temperature', 'topP', 'topK', 'callLimit'];
  expect(nearestName('temprature', names)).toBe('temperature');
  expect(nearestName('calllimit', names)).toBe('callLimit');
  expect(nearestName('otpK', names)).toBe('topK');
  expect(nearestName('seed', names)).toBeNull();
});

import { describe, expect, test } from 'vitest';
import { formatHelp, integerOption, optionValue, parseOptions } from '#cli/arguments';
import { configOverrides, trainOptions } from '#cli/trainCommand';
import { parseRunConfig } from '#runs/configText';
import type { RunConfig } from '#runs/runConfig';

function parsed(...argumentList: string[]): ReturnType<typeof parseOptions> {
  return parseOptions(argumentList, trainOptions);
}

describe('options', () => {
  test('come with their values, switches without', () => {
    const options = parsed('--seed', '3', '--json', '--set', 'a=1', '--set=b=2');
    expect(optionValue(options, 'seed')).toBe('3');
    expect(options.has('json')).toBe(true);
    expect(options.get('set')).toEqual(['a=1', 'b=2']);
    expect(optionValue(options, 'engine')).toBeUndefined();
  });

  test.each([
    [['--sede', '3'], 'Unknown option --sede. Did you mean --seed?'],
    [['--colour'], 'Unknown option --colour. Known are --config, --out, '],
    [['stray'], "Unexpected argument 'stray'"],
    [['--seed'], "Option '--seed <value>' argument missing"],
    [['--seed', '1', '--seed', '2'], '--seed: expected once, got 2 times'],
    [['--json=yes'], "Option '--json' does not take an argument"],
  ])('%j: %s', (argumentList, message) => {
    expect(() => parsed(...argumentList)).toThrow(message);
  });

  test.each(['1.5', 'x', '', '1e3', '-1', '11'])('an integer is no "%s"', (text) => {
    const options = new Map([['updates', [text]]]);
    expect(() => integerOption(options, 'updates', { minimum: 0, maximum: 10 })).toThrow(
      `--updates: expected an integer in 0..10, got "${text}"`,
    );
  });

  test('an integer is read, its bounds included', () => {
    for (const text of ['0', '10']) {
      const options = new Map([['updates', [text]]]);
      expect(integerOption(options, 'updates', { minimum: 0, maximum: 10 })).toBe(Number(text));
    }
  });

  test('help stands in two columns', () => {
    const help = formatHelp('train', 'Trains.', [
      { name: 'out', value: 'DIR', help: 'where' },
      { name: 'json', value: null, help: 'how' },
    ]);
    expect(help).toBe(
      'Usage: npm run train -- [options]\n\nTrains.\n\nOptions:\n  --out DIR  where\n  --json     how',
    );
  });
});

describe('changes to the configuration', () => {
  function configOf(text: string, ...argumentList: string[]): RunConfig {
    const { config, problems } = parseRunConfig(text, 'file', configOverrides(parsed(...argumentList)));
    if (config === null) throw new Error(JSON.stringify(problems));
    return config;
  }

  test('take precedence over the file, and --set over all', () => {
    const text = '{ "seed": 1, "updates": 2, "engine": { "name": "onnx" } }';
    const config = configOf(
      text,
      '--seed',
      '5',
      '--updates',
      '7',
      '--engine',
      'reference',
      '--set',
      'updates=9',
    );
    expect(config).toMatchObject({ seed: 5, updates: 9, engine: { name: 'reference' } });
  });

  test('switch to a preset with everything that belongs to it', () => {
    const { branching, alternatives } = configOf('{}', '--branching', 'released').rollout;
    expect(branching).toMatchObject({ rule: 'released', measuringPoint: 'beforeResult', topUp: 'serial' });
    expect(alternatives).toBe(10);
    const text =
      '{ "rollout": { "branching": { "rule": "paper", "initialRollouts": 4, "globalRollouts": 8 } } }';
    const plain = configOf(text, '--branching', 'none').rollout.branching;
    expect(plain).toMatchObject({ rule: 'none', initialRollouts: 8, globalRollouts: 8 });
  });

  test('--set needs a value', () => {
    expect(() => configOverrides(parsed('--set', 'updates'))).toThrow(
      '--set updates: expected PATH=VALUE, for example optimizer.epochs=2',
    );
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import type { Demonstration, Response, Split, Task } from '#environment/environment';
import { ToolFailure } from '#environment/tool';
import { createPythonTool } from '#environment/tools/python';
import { DirectoryHunt } from '#environment/tasks/directoryHunt';
import {
  attributes,
  directoryHuntVocabulary,
  names,
  relations,
  wordsOf,
} from '#environment/tasks/directoryWords';
import { demonstrate } from '#environment/tasks/huntDemonstration';
import { createHuntTask, huntLevels, solveHunt } from '#environment/tasks/huntTask';
import type { HuntLevelName } from '#environment/tasks/huntTask';
import { VirtualDirectory } from '#environment/tasks/virtualDirectory';
import { arithmeticPython } from '../../fakes/arithmeticPython';

const signal = new AbortController().signal;

function huntOf(level: HuntLevelName, seed = 0): DirectoryHunt {
  return new DirectoryHunt({
    level,
    seed,
    python: createPythonTool(arithmeticPython(), { timeoutMs: 1000 }),
  });
}

const hunts = { A: huntOf('A'), B: huntOf('B') };

/** The text of a demonstration as the reward sees it. */
function demonstrationText({ turns }: Demonstration): string {
  return turns.map(({ text }) => text).join(' ');
}

function responseOf(task: Task, text: string, changes: Partial<Response> = {}): Response {
  const toolCalls = text.split(/<\/(?:search|python)>/).length - 1;
  const totalTokens = wordsOf(task.prompt).length + wordsOf(text).length + 1;
  return { text, isEnded: true, toolCalls, totalTokens, ...changes };
}

function responseTo(demonstration: Demonstration): Response {
  return responseOf(demonstration.task, demonstrationText(demonstration));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('vocabulary', () => {
  test('has 117 different words in the order of the specification', () => {
    expect(directoryHuntVocabulary).toHaveLength(117);
    expect(new Set(directoryHuntVocabulary).size).toBe(117);
    const at = (word: string): number => directoryHuntVocabulary.indexOf(word);
    expect(
      ['<pad>', '<eos>', '</answer>', 'find', 'of', 'error', 'boss', 'age', '+', '*', 'Ann', '0', '59'].map(
        at,
      ),
    ).toEqual([0, 1, 11, 12, 19, 27, 28, 31, 34, 36, 37, 57, 116]);
  });

  test.each(['A', 'B'] as const)('covers everything that level %s says', (level) => {
    const random = createRandom(5);
    const known = new Set(directoryHuntVocabulary);
    for (let index = 0; index < 200; index += 1) {
      const task = hunts[level].task('coldStart', index);
      const attempt = hunts[level].demonstrations.attempt(task, random);
      const words = wordsOf(
        `${task.prompt} ${attempt === null ? '' : demonstrationText(attempt)} ${task.gold}`,
      );
      expect(words.filter((word) => !known.has(word))).toEqual([]);
    }
  });
});

/**
 * The example of the specification: the prompt asks for the desk of Sue's friend, whose record has
 * moved to Gus.
 */
describe('the golden example', () => {
  const text =
    '<think> find </think> <search> friend of Sue </search> <result> see Gus </result> <think> moved </think> ' +
    '<search> friend of Gus </search> <result> Pam </result> <think> find </think> <search> desk of Pam </search> ' +
    '<result> 39 </result> <think> compute </think> <python> 39 + 1 </python> <result> 40 </result> ' +
    '<think> done </think> <answer> 40 </answer>';
  const [sue, gus, pam] = ['Sue', 'Gus', 'Pam'].map((name) => names.indexOf(name));
  const friend = relations.indexOf('friend');
  const desk = attributes.indexOf('desk');

  /** The first directory seed with these records: found once, by trying seeds in order. */
  const golden = findGoldenDirectory();

  function findGoldenDirectory(): VirtualDirectory {
    for (let seed = 0; seed < 5_000_000; seed += 1) {
      const directory = new VirtualDirectory(seed, huntLevels.A.rates);
      const first = directory.relation(friend, sue);
      if (first.kind !== 'see' || first.person !== gus) continue;
      const second = directory.relation(friend, gus);
      if (second.kind !== 'plain' || second.person !== pam) continue;
      const third = directory.attribute(desk, pam);
      if (third.kind === 'plain' && third.shown === 39) return directory;
    }
    throw new Error('no directory with the records of the example');
  }

  test('the directory answers as in the example', () => {
    expect(golden.search('friend of Sue')).toBe('see Gus');
    expect(golden.search('friend of Gus')).toBe('Pam');
    expect(golden.search('desk of Pam')).toBe('39');
  });

  test('the way through needs four calls and meets one exception', () => {
    const question = {
      person: sue,
      relations: [friend],
      attribute: desk,
      operator: '+',
      operand: 1,
    } as const;
    expect(solveHunt(question, golden)).toEqual({ calls: 4, exceptions: 1, answer: 40 });
  });

  test('the response is well-formed; with its answer it earns 1.1, with another 0', () => {
    const withAnswer = (answer: string): Task => {
      for (let index = 0; ; index += 1) {
        const task = hunts.A.task('train', index);
        if (task.gold === answer) return task;
      }
    };
    const right = withAnswer('40');
    expect(hunts.A.score(right, responseOf(right, text))).toMatchObject({
      total: 1.1,
      isCorrect: true,
      answer: '40',
    });
    const other = withAnswer('41');
    expect(hunts.A.score(other, responseOf(other, text))).toMatchObject({
      total: 0,
      isCorrect: false,
      answer: '40',
    });
  });
});

describe('records', () => {
  /** Worked out by an independent implementation of the hash (Python, unsigned 32-bit arithmetic). */
  test.each([
    [
      1,
      'A',
      [
        'Dan, Ray, see Dan, Ida, new Ray old Fay, Ned, Pam, Eve, Ned, see Ann, see Fay, Ned, 25, none, 34, none, none, 40, twice 23, 35, 42, 12, none, 31',
      ],
    ],
    [
      123456789,
      'A',
      [
        'Ray, none, none, Fay, Tom, Kim, none, Oli, none, none, Dan, Mia, twice 17, none, none, 21, twice 11, none, 36, twice 21, 12, twice 11, twice 21, twice 23',
      ],
    ],
    [
      4000000000,
      'B',
      [
        'Tom, Hal, Sue, Tom, Cy, Oli, Kim, Ned, Bob, Ida, Ida, Pam, twice 21, none, none, twice 10, none, twice 20, none, twice 18, none, none, twice 12, none',
      ],
    ],
  ] as const)('of seed %d, level %s', (seed, level, [expected]) => {
    const directory = new VirtualDirectory(seed, huntLevels[level].rates);
    const queries = [...relations, ...attributes].flatMap((subject) =>
      names.slice(0, 4).map((name) => `${subject} of ${name}`),
    );
    expect(queries.map((query) => directory.search(query)).join(', ')).toBe(expected);
  });

  test.each(['A', 'B'] as const)('level %s: deep answers exactly the records that are "none"', (level) => {
    let noneCount = 0;
    for (let index = 0; index < 30; index += 1) {
      const { directory } = createHuntTask(huntLevels[level], 0, 'train', index);
      for (const subject of [...relations, ...attributes]) {
        for (const name of names) {
          const query = `${subject} of ${name}`;
          if (directory.search(query) === 'none') {
            noneCount += 1;
            expect(directoryHuntVocabulary).toContain(directory.search(`deep ${query}`));
          } else {
            expect(() => directory.search(`deep ${query}`)).toThrow(ToolFailure);
          }
        }
      }
    }
    expect(noneCount).toBeGreaterThan(100);
  });

  test.each([
    'boss of',
    'boss Tom',
    'boss of Zoe',
    'age of 7',
    'uncle of Tom',
    'deep deep boss of Tom',
    'boss of Tom now',
    'deep',
    'boss of boss of Tom',
  ])('the malformed query %j is an error', (query) => {
    const { directory } = createHuntTask(huntLevels.A, 0, 'train', 0);
    expect(() => directory.search(query)).toThrow(/^error$/);
  });

  test('a person is never their own boss, and the outdated entry is a third person', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const directory = new VirtualDirectory(seed, huntLevels.A.rates);
      names.forEach((_, person) => {
        const record = directory.relation(seed % 3, person);
        expect(new Set([record.person, record.decoy, person]).size).toBe(3);
      });
    }
  });

  test('exceptions are as frequent as the level says', () => {
    const kinds = new Map<string, number>();
    for (let seed = 0; seed < 300; seed += 1) {
      const directory = new VirtualDirectory(seed, huntLevels.A.rates);
      names.forEach((_, person) => {
        for (const kind of [
          directory.relation(0, person).kind,
          `attribute ${directory.attribute(0, person).kind}`,
        ]) {
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        }
      });
    }
    const share = (kind: string): number => (kinds.get(kind) ?? 0) / 6000;
    for (const kind of ['see', 'newer', 'none']) expect(share(kind)).toBeCloseTo(0.4 / 3, 1);
    for (const kind of ['attribute twice', 'attribute none']) expect(share(kind)).toBeCloseTo(0.2, 1);
  });
});

describe('tasks', () => {
  const count = 2000;
  const samples = {
    A: Array.from({ length: count }, (_, index) => createHuntTask(huntLevels.A, 0, 'train', index)),
    B: Array.from({ length: count }, (_, index) => createHuntTask(huntLevels.B, 0, 'train', index)),
  };

  test('level A needs 3 to 6 calls, 4.5 on average, and meets one or two exceptions', () => {
    const calls = samples.A.map((task) => task.oracleCalls);
    expect([Math.min(...calls), Math.max(...calls)]).toEqual([3, 6]);
    expect(mean(calls)).toBeGreaterThan(4.35);
    expect(mean(calls)).toBeLessThan(4.65);
    expect(new Set(samples.A.map((task) => task.exceptions))).toEqual(new Set([1, 2]));
    expect(mean(samples.A.map((task) => task.relations.length))).toBeCloseTo(1.4, 1);
  });

  test('level B always has three hops, six calls and one exception at the end', () => {
    expect(new Set(samples.B.map((task) => task.oracleCalls))).toEqual(new Set([6]));
    expect(new Set(samples.B.map((task) => task.exceptions))).toEqual(new Set([1]));
    expect(new Set(samples.B.map((task) => task.relations.length))).toEqual(new Set([3]));
  });

  test.each(['A', 'B'] as const)('answers of level %s fit the vocabulary', (level) => {
    const answers = samples[level].map((task) => task.answer);
    expect(Math.min(...answers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...answers)).toBeLessThanOrEqual(59);
  });

  test('the prompt reads from the outside in', () => {
    const task = samples.B[0];
    const [first, second, third] = task.relations.map((relation) => relations[relation]);
    expect(task.prompt).toBe(
      `${attributes[task.attribute]} of ${third} of ${second} of ${first} of ${names[task.person]} ${task.operator} ${task.operand} ?`,
    );
  });

  test.each(['A', 'B'] as const)('splits of level %s share no directory, let alone a task', (level) => {
    const seeds = new Map<number, Split>();
    for (const split of ['train', 'heldOut', 'coldStart'] as const) {
      for (let index = 0; index < 3000; index += 1) {
        const { seed } = createHuntTask(huntLevels[level], 0, split, index);
        expect(seeds.get(seed) ?? split).toBe(split);
        seeds.set(seed, split);
      }
    }
    expect(seeds.size).toBeGreaterThan(8990);
  });

  test('the same split and index give the same task, other seeds other tasks', () => {
    expect(huntOf('A').task('train', 3)).toEqual(hunts.A.task('train', 3));
    expect(huntOf('A', 1).task('train', 3)).not.toEqual(hunts.A.task('train', 3));
    expect(hunts.A.task('train', 3).id).toBe('directory-hunt/A/train/3');
    expect(hunts.A.taskCount('train')).toBe(Infinity);
  });

  test('a task read from a stored run works like the original', () => {
    const stored: Task = JSON.parse(JSON.stringify(hunts.B.task('heldOut', 5)));
    const { answer } = huntOf('B').huntTask(stored);
    expect(String(answer)).toBe(stored.gold);
  });

  test.each([
    'directory-hunt/A/train/1',
    'directory-hunt/B/test/1',
    'directory-hunt/B/train/x',
    'questions/1',
  ])('level B refuses the task id %s', (id) => {
    expect(() => hunts.B.tools({ id, prompt: '', gold: '' })).toThrow('directory-hunt/B/train/17');
  });

  test.each([-1, 0.5, Number.NaN])('there is no task %d', (index) => {
    expect(() => hunts.A.task('train', index)).toThrow(RangeError);
  });
});

describe('tools', () => {
  const task = hunts.B.task('train', 0);

  test('python is asked for the operation alone, and its result must fit the vocabulary', async () => {
    const runner = arithmeticPython();
    const hunt = new DirectoryHunt({ level: 'B', python: createPythonTool(runner, { timeoutMs: 1000 }) });
    const python = hunt.tools(task)[1];
    expect(await python.call(' 39  + 1 ', signal)).toBe('40');
    expect(await python.call('7 * 8', signal)).toBe('56');
    expect(runner.asked).toEqual(['39 + 1', '7 * 8']);
    for (const query of ['59 + 1', '1 - 2', '8 * 8']) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(python.call(query, signal)).rejects.toMatchObject({
        message: 'error',
        isTransient: false,
      });
    }
  });

  test.each(['1 / 2', '60 + 1', '01 + 1', '1 +', '1 + 2 + 3', 'print 1 2', '-1 + 2', '1.5 + 2', 'x'])(
    'python refuses %j without running it',
    async (query) => {
      const runner = arithmeticPython();
      const hunt = new DirectoryHunt({ level: 'B', python: createPythonTool(runner, { timeoutMs: 1000 }) });
      await expect(hunt.tools(task)[1].call(query, signal)).rejects.toThrow(/^error$/);
      expect(runner.asked).toEqual([]);
    },
  );

  test('a failure of Python itself is the word error too; the record says what it was', async () => {
    const python = createPythonTool(
      { run: async () => ({ stdout: '', stderr: 'stopped after 1 s', isError: true, isTimeout: true }) },
      { timeoutMs: 1000 },
    );
    const tool = new DirectoryHunt({ level: 'B', python }).tools(task)[1];
    await expect(tool.call('1 + 1', signal)).rejects.toMatchObject({
      message: 'error',
      summary: 'stopped after 1 s',
    });
  });

  test('search asks the directory of its own task', async () => {
    const [first, second] = [0, 1].map((index) => hunts.A.tools(hunts.A.task('train', index))[0]);
    const answers = async (tool: typeof first): Promise<string[]> =>
      Promise.all(names.map((name) => tool.call(`age of ${name}`, signal)));
    expect(await answers(first)).not.toEqual(await answers(second));
  });
});

describe('demonstrations', () => {
  test.each(['A', 'B'] as const)('the flawless response of level %s always earns 1.1', (level) => {
    const hunt = hunts[level];
    for (let index = 0; index < 1000; index += 1) {
      const task = hunt.task('coldStart', index);
      const solution = hunt.demonstrations.solve(task);
      expect(solution.toolCalls).toBe(hunt.huntTask(task).oracleCalls);
      expect(hunt.score(task, responseTo(solution))).toMatchObject({ total: 1.1, isCorrect: true });
    }
  });

  test('tool results in a flawless response are what the tools answer', async () => {
    for (let index = 0; index < 50; index += 1) {
      const task = hunts.A.task('coldStart', index);
      const tools = hunts.A.tools(task);
      const { turns } = hunts.A.demonstrations.solve(task);
      for (let turn = 0; turn + 1 < turns.length; turn += 2) {
        const call = /<(search|python)> (.*) <\/\1>$/.exec(turns[turn].text);
        const tool = tools.find(({ tag }) => tag === call?.[1]);
        // oxlint-disable-next-line no-await-in-loop
        const output = await tool?.call(call?.[2] ?? '', signal);
        expect(turns[turn + 1]).toEqual({ author: 'tool', text: `<result> ${output} </result>` });
      }
    }
  });

  /**
   * The specification's pass rates, 37–38 % and 31–32 %, count what fits into 7 calls. Of level B, where the
   * flawless response has 86 of the 96 tokens, a single repeated query does not fit; what remains passes
   * less often (prototype: 27.1 %).
   */
  test.each([
    ['A', 0.435],
    ['B', 0.315],
  ] as const)('of level %s, noisy and of any length, pass in about %d', (level, passRate) => {
    const { exceptionSkill, newerSkill, plainSkill } = huntLevels[level];
    const skill = {
      exception: exceptionSkill,
      newer: newerSkill,
      plain: plainSkill,
      random: createRandom(12),
    };
    const passes: number[] = [];
    for (let index = 0; index < 6000; index += 1) {
      const task = createHuntTask(huntLevels[level], 0, 'coldStart', index);
      const attempt = demonstrate(task, skill, { toolCalls: 7, totalTokens: Infinity });
      if (attempt !== null) passes.push(attempt.answer === String(task.answer) ? 1 : 0);
    }
    expect(Math.abs(mean(passes) - passRate)).toBeLessThan(0.02);
  });

  describe.each([
    ['A', 0.435],
    ['B', 0.27],
  ] as const)('noisy ones of level %s within the limits', (level, passRate) => {
    const hunt = hunts[level];
    const attempts: (Demonstration | null)[] = [];

    beforeAll(() => {
      const random = createRandom(11);
      for (let index = 0; index < 6000; index += 1) {
        attempts.push(hunt.demonstrations.attempt(hunt.task('coldStart', index), random));
      }
    });

    test(`pass in about ${passRate}`, () => {
      const finished = attempts.filter((attempt) => attempt !== null);
      const share = mean(finished.map(({ isCorrect }) => (isCorrect ? 1 : 0)));
      expect(Math.abs(share - passRate)).toBeLessThan(0.02);
    });

    test('are always well-formed: their reward is 1.1, 1 or 0', () => {
      for (const attempt of attempts) {
        if (attempt === null) continue;
        const reward = hunt.score(attempt.task, responseTo(attempt));
        expect(reward.isCorrect).toBe(attempt.isCorrect);
        expect(reward.total).toBeGreaterThanOrEqual(0);
      }
    });
  });

  test('contain every kind of mistake and slip', () => {
    const random = createRandom(3);
    const seen = new Set<string>();
    for (let index = 0; index < 4000; index += 1) {
      const task = hunts.A.task('coldStart', index);
      const attempt = hunts.A.demonstrations.attempt(task, random);
      if (attempt === null) {
        seen.add('out of calls');
        continue;
      }
      for (const kind of mistakesIn(hunts.A.huntTask(task), demonstrationText(attempt))) seen.add(kind);
    }
    expect([...seen].sort()).toEqual(
      [
        'add two',
        'double',
        'forgot arithmetic',
        'gave up on none',
        'ignored twice',
        'moved',
        'newer',
        'out of calls',
        'pointer as answer',
        'pointless deep',
        'repeated query',
        'retry deep',
        'took old',
        'wrong attribute',
        'wrong hops',
        'wrong operator',
      ].sort(),
    );
  });
});

function mistakesIn(task: ReturnType<DirectoryHunt['huntTask']>, text: string): string[] {
  const found: string[] = [];
  const note = (kind: string, isSeen: boolean): void => void (isSeen && found.push(kind));
  note('moved', /see (\w+) <\/result> <think> moved <\/think> <search> \w+ of \1 /.test(text));
  note('newer', /new (\w+).{0,8} <\/result> <think> newer <\/think> <search> \w+ of \1 /.test(text));
  note('double', /twice (\d+) <\/result> <think> double <\/think> <python> \1 \* 2 /.test(text));
  note('retry deep', /none <\/result> <think> retry <\/think> <search> deep /.test(text));
  note(
    'pointer as answer',
    /(\w+) of \w+ <\/search> <result> see (\w+) <\/result> <think> find <\/think> <search> (?!\1)\w+ of \2 /.test(
      text,
    ),
  );
  note('took old', /old (\w+)(?: new \w+)? <\/result> <think> find <\/think> <search> \w+ of \1 /.test(text));
  note('add two', /twice (\d+) <\/result> <think> compute <\/think> <python> \1 \+ 2 .*<python>/.test(text));
  note(
    'ignored twice',
    /twice (\d+) <\/result> <think> compute <\/think> <python> \1 [+-] \d+ <\/python> <result> \w+ <\/result> <think> done/.test(
      text,
    ),
  );
  note(
    'repeated query',
    /<search> (\w+ of \w+) <\/search> <result> [a-z ]+ ?\w* ?\w* ?\w* <\/result> <think> find <\/think> <search> \1 /.test(
      text,
    ),
  );
  note(
    'pointless deep',
    /deep \w+ of \w+ <\/search> <result> error <\/result> <think> done <\/think> <answer> none/.test(text),
  );
  note('gave up on none', /<result> none <\/result> <think> done <\/think> <answer> none/.test(text));
  const asked = [...text.matchAll(/<search> (?:deep )?(\w+) of/g)].map((match) => match[1]);
  const right = task.relations.map((relation) => relations[relation]);
  const hops = asked
    .filter((subject) => relations.includes(subject))
    .filter((hop, index, all) => hop !== all[index - 1]);
  note(
    'wrong hops',
    hops.some((hop) => !right.includes(hop)),
  );
  note(
    'wrong attribute',
    asked.some((subject) => attributes.includes(subject) && subject !== attributes[task.attribute]),
  );
  const wrongOperator = task.operator === '+' ? '-' : '\\+';
  note(
    'wrong operator',
    new RegExp(`<python> \\d+ ${wrongOperator} ${task.operand} </python> .{0,40} done`).test(text),
  );
  note('forgot arithmetic', !text.includes('<python>') && /<answer> \d/.test(text));
  return found;
}

describe('reward', () => {
  const task = hunts.B.task('train', 1);
  const good = demonstrationText(hunts.B.demonstrations.solve(task));
  const totalOf = (text: string, changes: Partial<Response> = {}): number =>
    hunts.B.score(task, responseOf(task, text, changes)).total;

  test('its parts add up and it gives a reason', () => {
    const reward = hunts.B.score(task, responseOf(task, good));
    expect(reward.parts).toEqual({ answer: 1, bothTools: 0.1 });
    expect(reward.reason).toBe(`The answer ${task.gold} is right, and both tools were used.`);
  });

  test('a right guess with one tool or none earns 1', () => {
    const answer = `<think> done </think> <answer> ${task.gold} </answer>`;
    const call = '<think> find </think> <search> age of Tom </search> <result> none </result>';
    expect(totalOf(answer)).toBe(1);
    expect(totalOf(`${call} ${answer}`)).toBe(1);
  });

  test('"none" is a well-formed wrong answer', () => {
    expect(totalOf('<think> done </think> <answer> none </answer>')).toBe(0);
  });

  test('the layout of the result does not matter', () => {
    expect(totalOf(good.replaceAll('<result> ', '<result>\n').replaceAll(' </result>', '\n</result>'))).toBe(
      1.1,
    );
  });

  test.each([
    ['nothing', ''],
    ['no plan', '<answer> 4 </answer>'],
    ['an unknown plan', '<think> maybe </think> <answer> 4 </answer>'],
    ['a plan of two words', '<think> find done </think> <answer> 4 </answer>'],
    ['an answer out of range', '<think> done </think> <answer> 60 </answer>'],
    ['an answer of two words', '<think> done </think> <answer> 4 4 </answer>'],
    ['an answer that is not closed', '<think> done </think> <answer> 4'],
    ['something after the answer', '<think> done </think> <answer> 4 </answer> done'],
    [
      'a call without result',
      '<think> find </think> <search> age of Tom </search> <think> done </think> <answer> 4 </answer>',
    ],
    [
      'a tag inside a query',
      '<think> find </think> <search> <think> </search> <result> 4 </result> <think> done </think> <answer> 4 </answer>',
    ],
    [
      'tags of two tools',
      '<think> find </think> <search> x </python> <result> 4 </result> <think> done </think> <answer> 4 </answer>',
    ],
    ['a plan without end', '<think> find </think> <think> done </think> <answer> 4 </answer>'],
  ])('%s is outside the grammar', (_name, text) => {
    const reward = hunts.B.score(task, responseOf(task, text));
    expect(reward).toMatchObject({ total: -1, parts: { format: -1 }, isCorrect: false, answer: null });
    expect(reward.reason).toMatch(/^Expected .* at word \d+ of the response, got /);
  });

  test.each([
    ['no end token', { isEnded: false }, 'does not end'],
    ['97 tokens', { totalTokens: 97 }, '97 tokens; 96'],
    ['8 calls', { toolCalls: 8 }, '8 tool calls; 7'],
  ])('%s is outside the limits', (_name, changes, reason) => {
    const reward = hunts.B.score(task, responseOf(task, good, changes));
    expect(reward).toMatchObject({ total: -1, parts: { limit: -1 } });
    expect(reward.reason).toContain(reason);
  });

  test('exactly 96 tokens and 7 calls are within the limits', () => {
    expect(totalOf(good, { totalTokens: 96, toolCalls: 7 })).toBe(1.1);
  });
});

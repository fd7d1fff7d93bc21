import { describe, expect, test } from 'vitest';
import type { Environment, Response, Task } from '#environment/environment';
import type { QuestionsConfig } from '#environment/tasks/questions';
import { loadQuestions } from '#environment/tasks/questions';
import { createPythonTool } from '#environment/tools/python';
import { arithmeticPython } from '../../fakes/arithmeticPython';
import { memoryReader } from '../../fakes/documentReader';

const python = createPythonTool(arithmeticPython(), { timeoutMs: 1000 });
const signal = new AbortController().signal;

function load(lines: readonly unknown[], config: Partial<QuestionsConfig> = {}): Promise<Environment> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const reader = memoryReader({ 'q.jsonl': text, 'docs/a.txt': 'Paris is the capital of France.' });
  return loadQuestions({ name: 'questions', questions: 'q.jsonl', ...config }, { reader, python });
}

function numbered(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => ({
    question: `What is ${index}?`,
    answer: String(index),
  }));
}

function promptsOf(environment: Environment, split: 'train' | 'heldOut'): string[] {
  return Array.from(
    { length: environment.taskCount(split) },
    (_, index) => environment.task(split, index).prompt,
  );
}

function answering(text: string): Response {
  return { text: `<think>a</think><answer>${text}</answer>`, isEnded: true, toolCalls: 0, totalTokens: 10 };
}

describe('splits', () => {
  test('the held-out fraction is kept from training, and nothing is lost', async () => {
    const environment = await load(numbered(50), { heldOutFraction: 0.2 });
    const [train, heldOut] = [promptsOf(environment, 'train'), promptsOf(environment, 'heldOut')];
    expect([train.length, heldOut.length, environment.taskCount('coldStart')]).toEqual([40, 10, 0]);
    expect(new Set([...train, ...heldOut]).size).toBe(50);
  });

  test('depend on the seed and on nothing else', async () => {
    const heldOut = async (seed: number): Promise<string[]> =>
      promptsOf(await load(numbered(50), { seed }), 'heldOut');
    expect(await heldOut(1)).toEqual(await heldOut(1));
    expect(await heldOut(1)).not.toEqual(await heldOut(2));
  });

  test('equal questions stay on one side', async () => {
    const environment = await load([...numbered(20), ...numbered(20)], { heldOutFraction: 0.5 });
    const train = new Set(promptsOf(environment, 'train'));
    expect(promptsOf(environment, 'heldOut').filter((prompt) => train.has(prompt))).toEqual([]);
    expect(environment.taskCount('train')).toBe(20);
  });

  test.each([-0.1, 1, Number.NaN])('refuse the fraction %d', async (heldOutFraction) => {
    await expect(load(numbered(3), { heldOutFraction })).rejects.toThrow('heldOutFraction');
  });
});

describe('tasks', () => {
  test('carry the protocol, the tools that there are, and the question', async () => {
    const environment = await load([{ question: 'Is $& it?', answer: 'yes' }], { heldOutFraction: 0 });
    const task = environment.task('train', 0);
    expect(task).toMatchObject({ id: 'questions/train/0', gold: 'yes' });
    expect(task.prompt).toContain('\\boxed{}');
    expect(task.prompt).toContain('between <python> and </python>');
    expect(task.prompt).not.toContain('<search>');
    expect(task.prompt).toMatch(/Question: Is \$& it\?\n$/);
  });

  test('have the search tool when there are documents', async () => {
    const environment = await load(numbered(1), { documents: 'docs', heldOutFraction: 0 });
    const task = environment.task('train', 0);
    const tools = environment.tools(task);
    expect(tools.map(({ tag }) => tag)).toEqual(['search', 'python']);
    expect(await tools[0].call('capital', signal)).toBe('Page 1: a: Paris is the capital of France.');
    expect(task.prompt).toContain('between <search> and </search>');
  });

  test('a template of the user is filled in, and must have a place for the question', async () => {
    const environment = await load(numbered(1), { promptTemplate: 'Q={question}', heldOutFraction: 0 });
    expect(environment.task('train', 0).prompt).toBe('Q=What is 0?');
    await expect(load(numbered(1), { promptTemplate: 'Q' })).rejects.toThrow('{question}');
  });

  test('there are no others', async () => {
    const environment = await load(numbered(10));
    expect(() => environment.task('train', 9)).toThrow('expected 0..8 in split train, got 9');
    const foreign: Task = { id: 'directory-hunt/A/train/1', prompt: '', gold: '' };
    expect(() => environment.score(foreign, answering('x'))).toThrow('questions/train/17');
  });
});

describe('reward', () => {
  const lines = [{ question: 'q', answer: '5' }];

  test('is the corrected rule unless the released one is asked for', async () => {
    const total = async (reward?: 'released' | 'corrected'): Promise<number> => {
      const environment = await load(lines, {
        heldOutFraction: 0,
        ...(reward === undefined ? {} : { reward }),
      });
      return environment.score(environment.task('train', 0), answering('\\boxed{-5}')).total;
    };
    expect([await total(), await total('corrected'), await total('released')]).toEqual([0, 0, 1]);
  });

  test('several answers: the best counts; a number is a text', async () => {
    const environment = await load(
      [
        { question: 'a', answer: ['x', 'y'] },
        { question: 'b', answer: 7 },
      ],
      {
        heldOutFraction: 0,
      },
    );
    expect(environment.task('train', 0).gold).toBe('x | y');
    expect(environment.score(environment.task('train', 0), answering('\\boxed{y}')).total).toBe(1);
    expect(environment.score(environment.task('train', 1), answering('\\boxed{7.0}')).total).toBe(1);
  });

  test('is −1 beyond the limits', async () => {
    const environment = await load(lines, { heldOutFraction: 0, limits: { toolCalls: 2, totalTokens: 100 } });
    const task = environment.task('train', 0);
    const right = answering('\\boxed{5}');
    expect(environment.score(task, { ...right, toolCalls: 2, totalTokens: 100 }).total).toBe(1);
    expect(environment.score(task, { ...right, toolCalls: 3 }).total).toBe(-1);
    expect(environment.score(task, { ...right, totalTokens: 101 }).total).toBe(-1);
  });
});

test.each([
  ['not JSON', ['{"question"'], 'q.jsonl, line 1: expected one JSON object per line, but it is not JSON'],
  [
    'no question',
    [{ answer: 'x' }],
    'q.jsonl, line 1: expected "question" to be a text that is not empty, got nothing.',
  ],
  [
    'no answer',
    [...numbered(2), { question: 'q' }],
    'q.jsonl, line 3: expected "answer" to be a text or a list of texts, got nothing.',
  ],
  ['an empty answer', [{ question: 'q', answer: '' }], 'q.jsonl, line 1: expected "answer" to be'],
  ['an empty list', [{ question: 'q', answer: [] }], 'q.jsonl, line 1: expected "answer" to be'],
  [
    'a list of numbers',
    [{ question: 'q', answer: ['a', 2] }],
    'q.jsonl, line 1: expected every "answer" to be a text that is not empty, got 2.',
  ],
  ['nothing', [], 'q.jsonl: expected at least one question, but there is none.'],
])('%s in the file is reported with its place', async (_name, lines, message) => {
  await expect(load(lines)).rejects.toThrow(message);
});

test('a missing file and missing documents are reported', async () => {
  await expect(load(numbered(1), { questions: 'other.jsonl' })).rejects.toThrow(
    'other.jsonl: expected a .jsonl file',
  );
  await expect(load(numbered(1), { documents: 'nowhere' })).rejects.toThrow('nowhere: expected a folder');
});

import { expect, test } from 'vitest';
import { createEnvironment } from '#environment/createEnvironment';
import { arithmeticPython } from '../fakes/arithmeticPython';
import { memoryReader } from '../fakes/documentReader';

const ports = {
  python: arithmeticPython(),
  reader: memoryReader({ 'q.jsonl': '{"question": "q", "answer": "a"}' }),
};

test('builds the directory hunt with its seed', async () => {
  const promptOf = async (seed?: number): Promise<string> => {
    const config = { name: 'directory-hunt', level: 'B', ...(seed === undefined ? {} : { seed }) } as const;
    const environment = await createEnvironment(config, ports);
    expect(environment.name).toBe('directory-hunt/B');
    expect(environment.limits).toEqual({ toolCalls: 7, totalTokens: 96 });
    return environment.task('train', 0).prompt;
  };
  expect(await promptOf()).toBe(await promptOf(0));
  expect(await promptOf(1)).not.toBe(await promptOf(0));
});

test('builds the questions of a file', async () => {
  const environment = await createEnvironment(
    { name: 'questions', questions: 'q.jsonl', heldOutFraction: 0 },
    ports,
  );
  expect(environment.task('train', 0).gold).toBe('a');
  expect(environment.demonstrations).toBeUndefined();
});

test('what a hand-written configuration got wrong is named', async () => {
  const level = JSON.parse('{"name": "directory-hunt", "level": "C"}');
  await expect(createEnvironment(level, ports)).rejects.toThrow('level: expected one of A, B, got C');
  const name = JSON.parse('{"name": "maze"}');
  await expect(createEnvironment(name, ports)).rejects.toThrow(
    'expected "directory-hunt" or "questions", got {"name":"maze"}',
  );
});

/**
 * Questions of the user: a JSON-lines file of `{question, answer}`, played with ARPO's protocol over the
 * user's documents and Python.
 */
import type { Random } from '#base/random';
import { createRandom } from '#base/random';
import { DataFileError, describe, parseJsonLines, readText } from '#environment/dataFile';
import type { DataLine } from '#environment/dataFile';
import type { DocumentReader } from '#environment/documentReader';
import { readDocuments } from '#environment/documentSource';
import type { Environment, EnvironmentLimits, Response, Split, Task } from '#environment/environment';
import type { Reward } from '#environment/reward';
import { correctedReward } from '#environment/rewards/correctedReward';
import { malformed, releasedReward } from '#environment/rewards/releasedReward';
import type { Tool } from '#environment/tool';
import type { SearchToolOptions } from '#environment/tools/search';
import { createSearchTool, releasedSearchOptions } from '#environment/tools/search';

export interface QuestionsConfig {
  readonly name: 'questions';
  /** JSON lines `{"question": "…", "answer": "…" or ["…", …]}`. */
  readonly questions: string;
  /** See `readDocuments`; without it there is no search tool. */
  readonly documents?: string;
  /** Share of the questions kept from training, in [0, 1). Default 0.1. */
  readonly heldOutFraction?: number;
  /** Of the split. Default 0. */
  readonly seed?: number;
  /** Default `corrected`. */
  readonly reward?: 'released' | 'corrected';
  /** Must contain `{question}`; the tools' part is `{tools}`. Default `defaultPromptTemplate`. */
  readonly promptTemplate?: string;
  readonly search?: Partial<SearchToolOptions>;
  /** Default 6 calls and 4,096 tokens. */
  readonly limits?: Partial<EnvironmentLimits>;
}

/** One line of the file. */
export interface Question {
  readonly question: string;
  /** Accepted answers, at least one; a text is kept as it was. */
  readonly answer: string | readonly string[];
  readonly line: number;
}

/**
 * ARPO's system prompt, with an intact `\boxed` (the released training data has a damaged one) and the
 * tools that are really there.
 */
export const defaultPromptTemplate = String.raw`You are a helpful assistant that solves the question step by step with the help of tools.
Think inside <think> and </think>. {tools} The result of a call appears between <result> and </result>; think again after every result.
When you know the answer, write it between <answer> and </answer>, with the final answer inside \boxed{}.
For example: <think> This is the reasoning process. </think> <answer> The final answer is \[ \boxed{answer here} \] </answer>

Question: {question}
`;

const toolSentences: Readonly<Record<string, string>> = {
  search: 'To search the documents, write a query between <search> and </search>.',
  python: 'To run a Python program, write it between <python> and </python>.',
};

export interface QuestionsSources {
  readonly reader: DocumentReader;
  readonly python: Tool;
}

/**
 * Reads the files of `config` and builds the environment.
 *
 * @throws DataFileError for problems in a file; RangeError for a setting out of range.
 */
export async function loadQuestions(
  config: QuestionsConfig,
  sources: QuestionsSources,
): Promise<Environment> {
  const questions = await readQuestions(sources.reader, config.questions);
  const tools: Tool[] = [sources.python];
  if (config.documents !== undefined) {
    const documents = await readDocuments(sources.reader, config.documents);
    tools.unshift(createSearchTool(documents, { ...releasedSearchOptions, ...config.search }));
  }
  return new QuestionsEnvironment(config, questions, tools);
}

/** @throws DataFileError with the line of the first problem. */
export async function readQuestions(reader: DocumentReader, path: string): Promise<Question[]> {
  if ((await reader.kindOf(path)) !== 'file') {
    throw new DataFileError(path, null, 'expected a .jsonl file of questions, but there is no such file');
  }
  const questions = parseJsonLines(path, await readText(reader, path)).map(parseQuestion);
  if (questions.length === 0)
    throw new DataFileError(path, null, 'expected at least one question, but there is none');
  return questions;
}

function parseQuestion(line: DataLine): Question {
  const question = line.text('question').trim();
  const answer = line.field('answer');
  if (typeof answer === 'number') return { question, answer: String(answer), line: line.number };
  if (typeof answer === 'string' && answer.trim() !== '') return { question, answer, line: line.number };
  if (Array.isArray(answer) && answer.length > 0) {
    const golds = answer.map((gold: unknown) => {
      if (typeof gold === 'string' && gold.trim() !== '') return gold;
      throw line.problem(`expected every "answer" to be a text that is not empty, got ${describe(gold)}`);
    });
    return { question, answer: golds, line: line.number };
  }
  throw line.problem(`expected "answer" to be a text or a list of texts, got ${describe(answer)}`);
}

class QuestionsEnvironment implements Environment {
  readonly name = 'questions';
  readonly limits: EnvironmentLimits;
  readonly #config: QuestionsConfig;
  readonly #tools: readonly Tool[];
  readonly #splits: Readonly<Record<Split, readonly Question[]>>;
  readonly #template: string;

  constructor(config: QuestionsConfig, questions: readonly Question[], tools: readonly Tool[]) {
    this.#config = config;
    this.#tools = tools;
    this.limits = { toolCalls: 6, totalTokens: 4096, ...config.limits };
    const sentences = tools.map((tool) => toolSentences[tool.tag]).join(' ');
    this.#template = checkTemplate(config.promptTemplate ?? defaultPromptTemplate).replace(
      '{tools}',
      () => sentences,
    );
    const random = createRandom(config.seed ?? 0, 0x5911);
    this.#splits = splitQuestions(questions, config.heldOutFraction ?? 0.1, random);
  }

  taskCount(split: Split): number {
    return this.#splits[split].length;
  }

  task(split: Split, index: number): Task {
    const question = this.#splits[split][index];
    if (question === undefined) {
      throw new RangeError(`index: expected 0..${this.taskCount(split) - 1} in split ${split}, got ${index}`);
    }
    const prompt = this.#template.replace('{question}', () => question.question);
    const gold = typeof question.answer === 'string' ? question.answer : question.answer.join(' | ');
    return { id: `questions/${split}/${index}`, prompt, gold };
  }

  tools(_task: Task): readonly Tool[] {
    return this.#tools;
  }

  score(task: Task, response: Response): Reward {
    const { answer } = this.#questionOf(task);
    if (response.toolCalls > this.limits.toolCalls || response.totalTokens > this.limits.totalTokens) {
      return malformed(
        `bad format: the response exceeds ${this.limits.toolCalls} tool calls or ${this.limits.totalTokens} tokens`,
      );
    }
    const rule = this.#config.reward ?? 'corrected';
    return rule === 'released'
      ? releasedReward(response.text, answer)
      : correctedReward(response.text, answer);
  }

  #questionOf(task: Task): Question {
    const match = /^questions\/(train|heldOut|coldStart)\/(\d+)$/.exec(task.id);
    const split = (['train', 'heldOut', 'coldStart'] as const).find((name) => name === match?.[1]);
    const question = split === undefined ? undefined : this.#splits[split][Number(match?.[2])];
    if (question === undefined)
      throw new RangeError(`task: expected an id like questions/train/17, got ${task.id}`);
    return question;
  }
}

function checkTemplate(template: string): string {
  if (template.includes('{question}')) return template;
  throw new RangeError('promptTemplate: expected a text with {question} in it, but that is missing');
}

/** Equal questions stay together, so that none is both trained on and held out. There is no cold start. */
function splitQuestions(
  questions: readonly Question[],
  heldOutFraction: number,
  random: Random,
): Record<Split, readonly Question[]> {
  if (!(heldOutFraction >= 0 && heldOutFraction < 1)) {
    throw new RangeError(`heldOutFraction: expected a number in [0, 1), got ${heldOutFraction}`);
  }
  const texts = shuffled([...new Set(questions.map(({ question }) => question))], random);
  const heldOutTexts = new Set(texts.slice(0, Math.round(texts.length * heldOutFraction)));
  const isHeldOut = ({ question }: Question): boolean => heldOutTexts.has(question);
  return {
    train: questions.filter((question) => !isHeldOut(question)),
    heldOut: questions.filter(isHeldOut),
    coldStart: [],
  };
}

/** A copy in random order (Fisher and Yates). */
function shuffled<T>(values: readonly T[], random: Random): T[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random.next() * (index + 1));
    [result[index], result[other]] = [result[other], result[index]];
  }
  return result;
}

/** The reward of the directory hunt: −1 outside the grammar or the limits, 0 wrong, 1 right, 0.1 for both tools. */
import type { EnvironmentLimits, Response } from '#environment/environment';
import type { Reward } from '#environment/reward';
import { isNumberWord, planWords, wordsOf } from '#environment/tasks/directoryWords';

/** What a well-formed response says. */
interface ParsedResponse {
  readonly answer: string;
  readonly tools: ReadonlySet<string>;
  readonly calls: number;
}

/** Scores one response against the right answer. */
export function huntReward(answer: number, response: Response, limits: EnvironmentLimits): Reward {
  const problem = findLimitProblem(response, limits);
  if (problem !== null) return rejected('limit', problem);
  const parsed = parseResponse(wordsOf(response.text));
  if (typeof parsed === 'string') return rejected('format', parsed);
  if (parsed.calls > limits.toolCalls) {
    return rejected('limit', `The response has ${parsed.calls} tool calls; ${limits.toolCalls} are allowed.`);
  }
  if (parsed.answer !== String(answer)) {
    const reason = `The answer ${parsed.answer} is wrong; ${answer} is right.`;
    return { total: 0, parts: { answer: 0 }, reason, isCorrect: false, answer: parsed.answer };
  }
  const base = { isCorrect: true, answer: parsed.answer };
  if (parsed.tools.size < 2) {
    return { ...base, total: 1, parts: { answer: 1 }, reason: `The answer ${answer} is right.` };
  }
  const reason = `The answer ${answer} is right, and both tools were used.`;
  return { ...base, total: 1.1, parts: { answer: 1, bothTools: 0.1 }, reason };
}

function findLimitProblem(response: Response, limits: EnvironmentLimits): string | null {
  if (response.totalTokens > limits.totalTokens) {
    return `Prompt and response have ${response.totalTokens} tokens; ${limits.totalTokens} are allowed.`;
  }
  if (response.toolCalls > limits.toolCalls) {
    return `The response has ${response.toolCalls} tool calls; ${limits.toolCalls} are allowed.`;
  }
  return response.isEnded ? null : 'The response does not end by itself.';
}

function rejected(part: 'format' | 'limit', reason: string): Reward {
  return { total: -1, parts: { [part]: -1 }, reason, isCorrect: false, answer: null };
}

/**
 * Reads `(plan call result)* plan answer`, where a plan is one plan word, a query is any words that are
 * no tags, and an answer is a number or `none`.
 *
 * @returns what it says, or a sentence on the first word that does not fit.
 */
function parseResponse(words: readonly string[]): ParsedResponse | string {
  const reader = new WordReader(words);
  const tools = new Set<string>();
  for (let calls = 0; ; calls += 1) {
    if (!reader.takePlan()) return reader.problem('a plan, "<think> word </think>"');
    const tool = reader.takeCall();
    if (tool === null) {
      const answer = reader.takeAnswer();
      if (answer === null)
        return reader.problem('a complete call with its result, or "<answer> number </answer>"');
      return reader.isAtEnd ? { answer, tools, calls } : reader.problem('the end');
    }
    tools.add(tool);
  }
}

class WordReader {
  readonly #words: readonly string[];
  #position = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#words.length;
  }

  problem(expected: string): string {
    const found = this.isAtEnd ? 'the end' : `"${this.#words[this.#position]}"`;
    return `Expected ${expected} at word ${this.#position + 1} of the response, got ${found}.`;
  }

  takePlan(): boolean {
    return this.#take('<think>', (word) => planWords.includes(word), '</think>') !== null;
  }

  takeAnswer(): string | null {
    return this.#take('<answer>', (word) => word === 'none' || isNumberWord(word), '</answer>');
  }

  /** The tool of a call with its result; does not move when there is none. */
  takeCall(): string | null {
    const start = this.#position;
    for (const tool of ['search', 'python']) {
      if (this.#takeSpan(`<${tool}>`, `</${tool}>`) && this.#takeSpan('<result>', '</result>')) return tool;
      this.#position = start;
    }
    return null;
  }

  #take(open: string, fits: (word: string) => boolean, close: string): string | null {
    const [first, word, last] = this.#words.slice(this.#position, this.#position + 3);
    if (first !== open || last !== close || !fits(word)) return null;
    this.#position += 3;
    return word;
  }

  /** Words without tags between two tags. */
  #takeSpan(open: string, close: string): boolean {
    if (this.#words[this.#position] !== open) return false;
    let end = this.#position + 1;
    while (end < this.#words.length && !this.#words[end].startsWith('<')) end += 1;
    if (this.#words[end] !== close) return false;
    this.#position = end + 1;
    return true;
  }
}

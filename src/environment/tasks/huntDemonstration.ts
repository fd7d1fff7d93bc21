/**
 * Demonstrations of the directory hunt: the flawless response, and noisy ones that react wrongly to
 * exceptional results most of the time, so that reinforcement learning has something to improve.
 */
import type { Random } from '#base/random';
import type { DemonstrationTurn } from '#environment/environment';
import { ToolFailure } from '#environment/tool';
import { attributes, isNumberWord, names, relations, wordsOf } from '#environment/tasks/directoryWords';
import { computeInRange } from '#environment/tasks/huntTools';
import type { HuntTask } from '#environment/tasks/huntTask';
import { drawIndex } from '#environment/tasks/huntTask';

export interface HuntDemonstration {
  readonly turns: readonly DemonstrationTurn[];
  readonly toolCalls: number;
  readonly answer: string;
}

export interface HuntSkill {
  /** Probability of reacting rightly to an exceptional result. */
  readonly exception: number;
  /** The same for `new … old …`. */
  readonly newer: number;
  /** Probability of no slip, each at: the chain of hops, the attribute, the arithmetic. */
  readonly plain: number;
  readonly random: Random;
}

export interface HuntBounds {
  readonly toolCalls: number;
  /** Words of prompt and response, end token included. */
  readonly totalTokens: number;
}

/** Raised to leave a response from anywhere inside it: the demonstrator gives up with `none`. */
const giveUp = Symbol('give up');
type Step<T> = T | typeof giveUp;

/** The flawless response; every accepted task has one. */
export function solveByOracle(task: HuntTask, bounds: HuntBounds): HuntDemonstration {
  const random: Random = { next: () => 0 };
  const response = demonstrate(task, { exception: 1, newer: 1, plain: 1, random }, bounds);
  if (response === null) throw new Error(`${task.id}: the flawless response exceeds the limits`);
  return response;
}

/** One response of the given skill; `null` when it exceeds the limits. */
export function demonstrate(task: HuntTask, skill: HuntSkill, bounds: HuntBounds): HuntDemonstration | null {
  const writer = new ResponseWriter(task, skill, bounds.toolCalls);
  const answer = writer.playToAnswer();
  if (answer === null) return null;
  const response = writer.finish(answer);
  const wordCount =
    wordsOf(task.prompt).length + response.turns.flatMap((turn) => wordsOf(turn.text)).length + 1;
  return wordCount > bounds.totalTokens ? null : response;
}

class OutOfCalls extends Error {}

class ResponseWriter {
  readonly #task: HuntTask;
  readonly #skill: HuntSkill;
  readonly #maxCalls: number;
  readonly #turns: DemonstrationTurn[] = [];
  /** The plan of the next look-up; `moved`, `newer` or `retry` right after the exception it answers. */
  #plan = 'find';
  #calls = 0;

  constructor(task: HuntTask, skill: HuntSkill, maxCalls: number) {
    this.#task = task;
    this.#skill = skill;
    this.#maxCalls = maxCalls;
  }

  /** @returns the answer, `none` when it gave up, `null` when the calls ran out. */
  playToAnswer(): string | null {
    try {
      const person = this.#walkHops(this.#chooseHops());
      if (person === giveUp) return 'none';
      const value = this.#lookUpValue(this.#chooseAttribute(), person);
      return value === giveUp ? 'none' : this.#compute(value);
    } catch (error) {
      if (error instanceof OutOfCalls) return null;
      throw error;
    }
  }

  finish(answer: string): HuntDemonstration {
    const text = `<think> done </think> <answer> ${answer} </answer>`;
    return { turns: [...this.#turns, { author: 'policy', text }], toolCalls: this.#calls, answer };
  }

  /** Slip: a hop skipped, or swapped for another relation. */
  #chooseHops(): string[] {
    const hops = this.#task.relations.map((relation) => relations[relation]);
    if (!this.#slips()) return hops;
    const place = this.#draw(hops.length);
    if (this.#draw(2) === 0 && hops.length > 1) return hops.filter((_, index) => index !== place);
    const others = relations.filter((relation) => relation !== hops[place]);
    return hops.map((hop, index) => (index === place ? others[this.#draw(others.length)] : hop));
  }

  /** Slip: another attribute. */
  #chooseAttribute(): string {
    const right = attributes[this.#task.attribute];
    if (!this.#slips()) return right;
    const others = attributes.filter((attribute) => attribute !== right);
    return others[this.#draw(others.length)];
  }

  #walkHops(hops: readonly string[]): Step<string> {
    let person = names[this.#task.person];
    for (const hop of hops) {
      const next = this.#lookUpPerson(hop, person);
      if (next === giveUp) return giveUp;
      person = next;
    }
    return person;
  }

  /** Asks until there is a person: rightly or wrongly the next one. */
  #lookUpPerson(hop: string, start: string): Step<string> {
    let person = start;
    for (;;) {
      const result = this.#act(this.#takePlan(), 'search', `${hop} of ${person}`);
      const [first, second, , fourth] = wordsOf(result);
      if (names.includes(first)) return first;
      const isNewer = first === 'new' || first === 'old';
      const isRight = this.#reactsRightly(isNewer ? this.#skill.newer : this.#skill.exception);
      if (first === 'see') {
        if (isRight) this.#plan = 'moved';
        const mistake = isRight ? 'follow' : this.#pick(['takePointer', 'repeat', 'deep'] as const);
        if (mistake === 'takePointer') return second;
        if (mistake === 'deep') return this.#pointlessDeep(hop, person);
        if (mistake === 'follow') person = second;
      } else if (first === 'none') {
        if (isRight) return this.#act('retry', 'search', `deep ${hop} of ${person}`);
        if (this.#pick(['repeat', 'giveUp'] as const) === 'giveUp') return giveUp;
      } else {
        return this.#chooseOfTwo(first === 'new' ? [second, fourth] : [fourth, second], isRight);
      }
    }
  }

  /** Of `new … old …`. The plan of the next look-up says what was understood. */
  #chooseOfTwo([newer, older]: readonly [string, string], isRight: boolean): string {
    if (isRight) this.#plan = 'newer';
    return isRight ? newer : older;
  }

  #lookUpValue(attribute: string, person: string): Step<string> {
    for (;;) {
      const result = this.#act(this.#takePlan(), 'search', `${attribute} of ${person}`);
      const [first, shown] = wordsOf(result);
      if (isNumberWord(first)) return first;
      const isRight = this.#reactsRightly(this.#skill.exception);
      if (first === 'none') {
        if (isRight) return this.#act('retry', 'search', `deep ${attribute} of ${person}`);
        if (this.#pick(['repeat', 'giveUp'] as const) === 'giveUp') return giveUp;
        continue;
      }
      if (isRight) return this.#act('double', 'python', `${shown} * 2`);
      const mistake = this.#pick(['addTwo', 'ignore', 'repeat', 'deep'] as const);
      if (mistake === 'addTwo') return this.#act('compute', 'python', `${shown} + 2`);
      if (mistake === 'ignore') return shown;
      if (mistake === 'deep') return this.#pointlessDeep(attribute, person);
    }
  }

  /** Slip: the arithmetic forgotten, or the wrong operator. */
  #compute(value: string): string {
    const { operator, operand } = this.#task;
    const other = operator === '+' ? '-' : '+';
    const slips = this.#slips();
    if (slips && this.#draw(2) === 0) return value;
    const result = this.#act('compute', 'python', `${value} ${slips ? other : operator} ${operand}`);
    return isNumberWord(result) ? result : 'none';
  }

  /** `deep` where it does not apply answers `error`, and the demonstrator gives up. */
  #pointlessDeep(subject: string, person: string): typeof giveUp {
    this.#act('retry', 'search', `deep ${subject} of ${person}`);
    return giveUp;
  }

  #act(plan: string, tool: 'search' | 'python', query: string): string {
    if (this.#calls >= this.#maxCalls) throw new OutOfCalls();
    this.#calls += 1;
    const result = tool === 'search' ? this.#search(query) : (computeInRange(query) ?? 'error');
    const call = `<think> ${plan} </think> <${tool}> ${query} </${tool}>`;
    this.#turns.push(
      { author: 'policy', text: call },
      { author: 'tool', text: `<result> ${result} </result>` },
    );
    return result;
  }

  #search(query: string): string {
    try {
      return this.#task.directory.search(query);
    } catch (error) {
      if (error instanceof ToolFailure) return error.message;
      throw error;
    }
  }

  #takePlan(): string {
    const plan = this.#plan;
    this.#plan = 'find';
    return plan;
  }

  #reactsRightly(skill: number): boolean {
    return this.#skill.random.next() < skill;
  }

  #slips(): boolean {
    return this.#skill.random.next() >= this.#skill.plain;
  }

  #draw(count: number): number {
    return drawIndex(this.#skill.random, count);
  }

  #pick<T>(options: readonly T[]): T {
    return options[this.#draw(options.length)];
  }
}

/** The tasks of the directory hunt: levels, generation and the flawless way through. */
import { createRandom, mixSeed } from '#base/random';
import type { Random } from '#base/random';
import type { Split } from '#environment/environment';
import { attributes, names, numberCount, relations } from '#environment/tasks/directoryWords';
import type { RecordRates } from '#environment/tasks/virtualDirectory';
import { VirtualDirectory } from '#environment/tasks/virtualDirectory';

export type HuntLevelName = 'A' | 'B';

/** What makes a level. */
export interface HuntLevel {
  readonly name: HuntLevelName;
  readonly rates: RecordRates;
  /** Probability of 1, 2 and 3 hops. */
  readonly hopShares: readonly [number, number, number];
  readonly minExceptions: number;
  readonly maxExceptions: number;
  /** Calls that the flawless response may need. */
  readonly maxOracleCalls: number;
  /** Demonstrations: probability of reacting rightly to an exceptional result. */
  readonly exceptionSkill: number;
  /** The same for `new … old …`, which people get right more often. */
  readonly newerSkill: number;
  /** Demonstrations: probability of making no slip at each of the three places where one can happen. */
  readonly plainSkill: number;
}

/** A is the full level, B the quick one with a single, late critical point. */
export const huntLevels: Readonly<Record<HuntLevelName, HuntLevel>> = {
  A: {
    name: 'A',
    rates: { relation: 0.4, attribute: 0.4 },
    hopShares: [0.6, 0.4, 0],
    minExceptions: 1,
    maxExceptions: 2,
    maxOracleCalls: 6,
    exceptionSkill: 0.4,
    newerSkill: 0.75,
    plainSkill: 0.96,
  },
  B: {
    name: 'B',
    rates: { relation: 0, attribute: 1 },
    hopShares: [0, 0, 1],
    minExceptions: 1,
    maxExceptions: 1,
    maxOracleCalls: 6,
    exceptionSkill: 0.25,
    newerSkill: 0.25,
    plainSkill: 0.98,
  },
};

/** A generated task. People, relations and attributes are indices. */
export interface HuntTask {
  readonly id: string;
  /** Seed of the virtual directory; its two low bits tell the split, so splits never share a directory. */
  readonly seed: number;
  readonly person: number;
  /** In the order of asking. */
  readonly relations: readonly number[];
  readonly attribute: number;
  readonly operator: '+' | '-';
  /** The number at the end of the question, 1–9. */
  readonly operand: number;
  readonly directory: VirtualDirectory;
  /** For example `age of boss of friend of Tom + 8 ?`. */
  readonly prompt: string;
  readonly answer: number;
  /** Calls of the flawless response. */
  readonly oracleCalls: number;
  /** Exceptional results on its way. */
  readonly exceptions: number;
}

/** The way to the answer. */
export interface HuntSolution {
  readonly calls: number;
  readonly exceptions: number;
  /** May lie outside 0–59. */
  readonly answer: number;
}

type HuntQuestion = Pick<HuntTask, 'person' | 'relations' | 'attribute' | 'operator' | 'operand'>;

const splitCodes: Readonly<Record<Split, number>> = { train: 0, heldOut: 1, coldStart: 2 };
const fieldStream = 0xa11ce;
/** No accepted task needs nearly as many; ends chains of `see` that run in a circle. */
const maxFollowedCalls = 12;

/**
 * Task `index` of a split: the question from a seeded stream, the directory from the first attempt that
 * the level accepts and whose seed belongs to the split.
 */
export function createHuntTask(level: HuntLevel, seed: number, split: Split, index: number): HuntTask {
  const code = splitCodes[split];
  const taskSeed = mixSeed(seed, code, index);
  const question = drawQuestion(level, createRandom(taskSeed, fieldStream));
  for (let attempt = 0; ; attempt += 1) {
    const directorySeed = mixSeed(taskSeed, attempt);
    if ((directorySeed & 3) !== code) continue;
    const directory = new VirtualDirectory(directorySeed, level.rates);
    const solution = solveHunt(question, directory);
    if (solution === null || !isAccepted(level, solution)) continue;
    return {
      ...question,
      id: `directory-hunt/${level.name}/${split}/${index}`,
      seed: directorySeed,
      directory,
      prompt: promptOf(question),
      answer: solution.answer,
      oracleCalls: solution.calls,
      exceptions: solution.exceptions,
    };
  }
}

/** Follows a question through a directory; `null` when pointers run in a circle. */
export function solveHunt(question: HuntQuestion, directory: VirtualDirectory): HuntSolution | null {
  let calls = 0;
  let exceptions = 0;
  let person = question.person;
  for (const relation of question.relations) {
    let record = directory.relation(relation, person);
    calls += 1;
    while (record.kind === 'see') {
      if (calls > maxFollowedCalls) return null;
      exceptions += 1;
      person = record.person;
      record = directory.relation(relation, person);
      calls += 1;
    }
    if (record.kind !== 'plain') exceptions += 1;
    if (record.kind === 'none') calls += 1;
    person = record.person;
  }
  const { kind, shown } = directory.attribute(question.attribute, person);
  // The look-up, one more call when it is exceptional, and the final computation.
  calls += kind === 'plain' ? 2 : 3;
  if (kind !== 'plain') exceptions += 1;
  const value = kind === 'twice' ? 2 * shown : shown;
  const answer = question.operator === '+' ? value + question.operand : value - question.operand;
  return { calls, exceptions, answer };
}

function isAccepted(level: HuntLevel, { calls, exceptions, answer }: HuntSolution): boolean {
  const isShort = calls <= level.maxOracleCalls;
  const hasExceptions = exceptions >= level.minExceptions && exceptions <= level.maxExceptions;
  return isShort && hasExceptions && answer >= 0 && answer < numberCount;
}

function drawQuestion(level: HuntLevel, random: Random): HuntQuestion {
  const person = drawIndex(random, names.length);
  const share = random.next();
  const [one, two] = level.hopShares;
  const hops = share < one ? 1 : share < one + two ? 2 : 3;
  return {
    person,
    relations: Array.from({ length: hops }, () => drawIndex(random, relations.length)),
    attribute: drawIndex(random, attributes.length),
    operator: drawIndex(random, 2) === 0 ? '+' : '-',
    operand: 1 + drawIndex(random, 9),
  };
}

/** Uniform in 0 … count − 1. */
export function drawIndex(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}

/** The innermost relation stands last. */
function promptOf({ person, relations: asked, attribute, operator, operand }: HuntQuestion): string {
  const chain = [...asked].reverse().map((relation) => `of ${relations[relation]}`);
  return `${attributes[attribute]} ${chain.join(' ')} of ${names[person]} ${operator} ${operand} ?`;
}

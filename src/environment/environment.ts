/**
 * What an agent acts in: text in, text out. An environment knows nothing of tokens or policies, so
 * any policy (or a person) can play it.
 */
import type { Random } from '#base/random';
import type { Tool } from '#environment/tool';
import type { Reward } from '#environment/reward';

/** Training tasks, tasks never seen in training, or tasks for demonstrations; the three never overlap. */
export type Split = 'train' | 'heldOut' | 'coldStart';

/** One question. The same (environment, split, index) always gives the same task. */
export interface Task {
  /** Stable, readable, unique within the environment: `directory-hunt/B/train/17`. */
  readonly id: string;
  readonly prompt: string;
  /** The expected answer, for people. */
  readonly gold: string;
}

/** The response of one finished trajectory, as the reward sees it. */
export interface Response {
  /** All text after the prompt, tool results included, end token excluded. */
  readonly text: string;
  /** Whether the policy ended it itself (end token). */
  readonly isEnded: boolean;
  readonly toolCalls: number;
  /** Tokens of prompt and response, end token included. */
  readonly totalTokens: number;
}

/** The limits that belong to the task rather than to the algorithm. */
export interface EnvironmentLimits {
  /** Tool calls a trajectory may make. */
  readonly toolCalls: number;
  /** Tokens of prompt and response together. */
  readonly totalTokens: number;
}

/** A stretch of a demonstration. Only what the policy writes is learnt. */
export interface DemonstrationTurn {
  readonly author: 'policy' | 'tool';
  /** Trimmed; turns are joined by one space. A tool's turn includes its result tags. */
  readonly text: string;
}

/** A worked response for the cold start (end token not included; the policy is to write it last). */
export interface Demonstration {
  readonly task: Task;
  readonly turns: readonly DemonstrationTurn[];
  readonly toolCalls: number;
  readonly answer: string;
  readonly isCorrect: boolean;
}

/** For environments that can show how they are played. */
export interface DemonstrationSource {
  /** The flawless response. */
  solve(task: Task): Demonstration;
  /** A human-like response with mistakes; `null` when it ran into the limits of the task. */
  attempt(task: Task, random: Random): Demonstration | null;
}

export interface Environment {
  /** For example `directory-hunt/B`. */
  readonly name: string;
  readonly limits: EnvironmentLimits;
  /** Number of tasks of a split; `Infinity` when they are generated. */
  taskCount(split: Split): number;
  /** @throws RangeError when there is no such task. */
  task(split: Split, index: number): Task;
  /** The tools as this task sees them (its own virtual directory, for example). */
  tools(task: Task): readonly Tool[];
  score(task: Task, response: Response): Reward;
  /** Not given when there are no demonstrations; then `coldStart` has no tasks. */
  readonly demonstrations?: DemonstrationSource;
  /** Every word that can occur, in id order, when the language is closed: the built-in policy's tokenizer. */
  readonly vocabulary?: readonly string[];
}

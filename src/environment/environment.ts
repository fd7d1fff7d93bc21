/**
 * What an agent acts in: text in, text out. An environment knows nothing of tokens or policies, so
 * any policy (or a person) can play it.
 */
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
  /** Tokens of prompt and response. */
  readonly totalTokens: number;
}

/** The limits that belong to the task rather than to the algorithm. */
export interface EnvironmentLimits {
  /** Tool calls a trajectory may make. */
  readonly toolCalls: number;
  /** Tokens of prompt and response together. */
  readonly totalTokens: number;
}

export interface Environment {
  /** For example `directory-hunt/B`. */
  readonly name: string;
  readonly limits: EnvironmentLimits;
  /** Number of tasks of a split; `Infinity` when they are generated. */
  taskCount(split: Split): number;
  task(split: Split, index: number): Task;
  /** The tools as this task sees them (its own virtual directory, for example). */
  tools(task: Task): readonly Tool[];
  score(task: Task, response: Response): Reward;
}

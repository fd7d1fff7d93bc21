/**
 * Directory hunt: the built-in task. A question about people in a directory that exists only for this
 * task is answered by searching and computing; some records are exceptional and need the right reaction.
 * A small policy learns it in about a minute, and entropy really rises after exceptional results.
 */
import type { Random } from '#base/random';
import type {
  Demonstration,
  DemonstrationSource,
  Environment,
  EnvironmentLimits,
  Response,
  Split,
  Task,
} from '#environment/environment';
import type { Reward } from '#environment/reward';
import type { Tool } from '#environment/tool';
import { directoryHuntVocabulary } from '#environment/tasks/directoryWords';
import type { HuntDemonstration } from '#environment/tasks/huntDemonstration';
import { demonstrate, solveByOracle } from '#environment/tasks/huntDemonstration';
import { huntReward } from '#environment/tasks/huntReward';
import type { HuntLevel, HuntLevelName, HuntTask } from '#environment/tasks/huntTask';
import { createHuntTask, huntLevels } from '#environment/tasks/huntTask';
import { createHuntPythonTool, createHuntSearchTool } from '#environment/tasks/huntTools';

export interface DirectoryHuntOptions {
  readonly level: HuntLevelName;
  /** Environments of different seeds share no task. Default 0. */
  readonly seed?: number;
  /** The real python tool; the task restricts what it is asked. */
  readonly python: Tool;
}

/** Generated tasks kept, so that a group's tools and rewards do not generate its task again. */
const rememberedTasks = 1024;

export class DirectoryHunt implements Environment {
  readonly name: string;
  readonly limits: EnvironmentLimits = { toolCalls: 7, totalTokens: 96 };
  readonly vocabulary = directoryHuntVocabulary;
  readonly demonstrations: DemonstrationSource;
  readonly #level: HuntLevel;
  readonly #seed: number;
  readonly #python: Tool;
  readonly #tasks = new Map<string, HuntTask>();

  constructor(options: DirectoryHuntOptions) {
    this.#level = huntLevels[options.level];
    this.#seed = options.seed ?? 0;
    this.#python = createHuntPythonTool(options.python);
    this.name = `directory-hunt/${options.level}`;
    this.demonstrations = {
      solve: (task) => this.#solve(task),
      attempt: (task, random) => this.#attempt(task, random),
    };
  }

  /** Tasks are generated without end. */
  taskCount(_split: Split): number {
    return Infinity;
  }

  /** @throws RangeError unless `index` is an integer of at least 0. */
  task(split: Split, index: number): Task {
    if (!Number.isSafeInteger(index) || index < 0) {
      throw new RangeError(`index: expected an integer of at least 0, got ${index}`);
    }
    const { id, prompt, answer } = this.#remember(split, index);
    return { id, prompt, gold: String(answer) };
  }

  tools(task: Task): readonly Tool[] {
    return [createHuntSearchTool(this.huntTask(task).directory), this.#python];
  }

  score(task: Task, response: Response): Reward {
    return huntReward(this.huntTask(task).answer, response, this.limits);
  }

  /**
   * The generated task behind `task`, found by its id, so that tasks read from a stored run work too.
   *
   * @throws RangeError when the id is not one of this environment.
   */
  huntTask(task: Task): HuntTask {
    const match = /^(.*)\/(train|heldOut|coldStart)\/(\d+)$/.exec(task.id);
    const split = match === null ? undefined : splitNamed(match[2]);
    if (match === null || match[1] !== this.name || split === undefined) {
      throw new RangeError(`task: expected an id like ${this.name}/train/17, got ${task.id}`);
    }
    return this.#remember(split, Number(match[3]));
  }

  #remember(split: Split, index: number): HuntTask {
    const key = `${split}/${index}`;
    const known = this.#tasks.get(key);
    if (known !== undefined) return known;
    const task = createHuntTask(this.#level, this.#seed, split, index);
    if (this.#tasks.size >= rememberedTasks) this.#tasks.clear();
    this.#tasks.set(key, task);
    return task;
  }

  #solve(task: Task): Demonstration {
    return describe(task, solveByOracle(this.huntTask(task), this.limits));
  }

  #attempt(task: Task, random: Random): Demonstration | null {
    const { exceptionSkill, newerSkill, plainSkill } = this.#level;
    const skill = { exception: exceptionSkill, newer: newerSkill, plain: plainSkill, random };
    const response = demonstrate(this.huntTask(task), skill, this.limits);
    return response === null ? null : describe(task, response);
  }
}

function splitNamed(name: string): Split | undefined {
  return (['train', 'heldOut', 'coldStart'] as const).find((split) => split === name);
}

function describe(task: Task, response: HuntDemonstration): Demonstration {
  return { ...response, task, isCorrect: response.answer === task.gold };
}

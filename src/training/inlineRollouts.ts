import type { BranchingOptions } from '#arpo/branchingOptions';
import type { ToolCall } from '#arpo/rolloutTree';
import { SlotBaselines } from '#arpo/slotBaselines';
import type { Random } from '#base/random';
import type { NamedTensors, Policy, Sampler, Sampling } from '#engine/policy';
import type { Environment, Task } from '#environment/environment';
import { stopTags } from '#environment/tagProtocol';
import type { Tool } from '#environment/tool';
import type { RunConfig } from '#runs/runConfig';
import { rollOutGroups } from '#training/adaptiveRollout';
import type { AdaptiveRolloutOptions } from '#training/adaptiveRollout';
import { GroupRollout } from '#training/groupRollout';
import type {
  EvaluatedTask,
  EvaluationJob,
  EvaluationResult,
  RolloutEvent,
  RolloutJob,
  RolloutResult,
  RolloutService,
  SampledGroup,
  SamplerState,
  SamplingCounters,
} from '#training/rolloutService';
import { branchStream, evaluationStream, tokenStream } from '#training/seedStreams';
import { createStopDetector } from '#training/stopDetector';
import { evaluationBranching, evaluationSampling, trainingSampling } from '#training/trainerOptions';
import { splitEvenly } from '#training/updatePolicy';

/** What sampling in this thread needs. */
export interface InlineRolloutOptions {
  readonly config: RunConfig;
  readonly policy: Policy;
  readonly environment: Environment;
  /** Runs one tool call of a task; failed calls are results. */
  readonly runTool: (task: Task, tool: Tool, query: string, signal: AbortSignal) => Promise<ToolCall>;
}

/** Most trajectories that are evaluated together; bounds the memory of key-value caches. */
const evaluationBatch = 128;

/** How one group of a batch differs from the others. */
interface GroupPlan {
  readonly groupIndex: number;
  readonly task: Task;
  readonly branching: BranchingOptions;
  readonly entropyHistory: readonly number[];
  readonly tokenRandom: (slot: number) => Random;
  readonly branchRandom: Random;
}

/** How all groups of a batch are sampled. */
interface BatchPlan {
  readonly update: number;
  readonly sampling: Sampling;
  readonly onEvents: (events: readonly RolloutEvent[]) => void;
}

/** Samples in the calling thread: the whole of a rollout process, and all there is in tests. */
export class InlineRollouts implements RolloutService {
  readonly parallelism = 1;
  readonly #options: InlineRolloutOptions;
  #sampler: Sampler | null = null;
  #slotBaselines = new SlotBaselines();

  constructor(options: InlineRolloutOptions) {
    this.#options = options;
  }

  async setWeights(weights: NamedTensors): Promise<void> {
    this.#options.policy.importWeights(weights);
  }

  async rollOut(
    job: RolloutJob,
    onEvents: (events: readonly RolloutEvent[]) => void,
    signal: AbortSignal,
  ): Promise<RolloutResult> {
    const { config, environment } = this.#options;
    const { seed } = config;
    this.#slotBaselines.beginBatch();
    const plans = job.groups.map(({ groupIndex, taskIndex }) => ({
      groupIndex,
      task: environment.task('train', taskIndex),
      branching: config.rollout.branching,
      entropyHistory: job.entropyHistory,
      tokenRandom: (slot: number) => tokenStream(seed, job.update, groupIndex, slot),
      branchRandom: branchStream(seed, job.update, groupIndex),
    }));
    const sampling = trainingSampling(config);
    const batch = { update: job.update, sampling, onEvents };
    const { results, counters } = await this.#sample(plans, batch, describeGroup, signal);
    const groups = results.map((group, index) => ({ ...group, taskIndex: job.groups[index].taskIndex }));
    return { groups, counters };
  }

  async evaluate(job: EvaluationJob, signal: AbortSignal): Promise<EvaluationResult> {
    const { config } = this.#options;
    // The released code numbers and remembers the slots of validation passes, too.
    this.#slotBaselines.beginBatch();
    const sampling = evaluationSampling(config, job.isGreedy);
    const tasks: EvaluatedTask[] = [];
    const counters: SamplingCounters[] = [];
    const batches = Math.ceil(job.taskIndices.length / evaluationBatch);
    // Batches of equal size: a small last one would cost nearly as many runs of the model as a full one.
    for (const indices of splitEvenly(job.taskIndices, batches)) {
      const plans = indices.map((taskIndex) => this.#evaluationPlan(job, taskIndex));
      const batch = { update: 0, sampling, onEvents: () => undefined };
      const sampled = await this.#sample(plans, batch, describeEvaluation, signal);
      tasks.push(...sampled.results.map((task, index) => ({ ...task, taskIndex: indices[index] })));
      counters.push(sampled.counters);
    }
    return { tasks, counters: addCounters(counters) };
  }

  async exportState(): Promise<readonly SamplerState[]> {
    return [{ slotBaselines: this.#slotBaselines.entries() }];
  }

  async importState([state]: readonly SamplerState[]): Promise<void> {
    this.#slotBaselines = new SlotBaselines(state?.slotBaselines ?? []);
  }

  async dispose(): Promise<void> {
    await this.#options.policy.dispose();
  }

  #evaluationPlan(job: EvaluationJob, taskIndex: number): GroupPlan {
    const { config, environment } = this.#options;
    const random = evaluationStream(config.seed, taskIndex);
    return {
      groupIndex: taskIndex,
      task: environment.task(job.split, taskIndex),
      branching: evaluationBranching(config),
      entropyHistory: [],
      tokenRandom: () => random,
      branchRandom: random,
    };
  }

  /** Rolls out a batch of groups and describes each of them before it is closed. */
  async #sample<Result>(
    plans: readonly GroupPlan[],
    batch: BatchPlan,
    describe: (group: GroupRollout) => Result,
    signal: AbortSignal,
  ): Promise<{ results: Result[]; counters: SamplingCounters }> {
    const { policy } = this.#options;
    const sampler = (this.#sampler ??= await policy.createSampler());
    const before = { ...sampler.counters };
    const groups: GroupRollout[] = [];
    try {
      for (const plan of plans) groups.push(this.#open(plan, sampler));
      await rollOutGroups(groups, this.#rolloutOptions(groups, batch, sampler), signal);
      const results = groups.map(describe);
      return { results, counters: countersSince(sampler.counters, before) };
    } finally {
      for (const group of groups) group.dispose();
    }
  }

  #open(plan: GroupPlan, sampler: Sampler): GroupRollout {
    const { config, policy, environment } = this.#options;
    const limit = config.rollout.tokenLimit ?? environment.limits.totalTokens;
    return new GroupRollout({
      ...plan,
      environment,
      sampler,
      tokenizer: policy.tokenizer,
      slotBaselines: this.#slotBaselines,
      callLimit: config.rollout.callLimit ?? environment.limits.toolCalls,
      totalTokens: Math.min(limit, policy.contextLength),
    });
  }

  #rolloutOptions(
    groups: readonly GroupRollout[],
    batch: BatchPlan,
    sampler: Sampler,
  ): AdaptiveRolloutOptions {
    const { config, policy, runTool } = this.#options;
    const tags = new Set(groups.flatMap((group) => [...group.tools.keys()]));
    return {
      ...batch,
      sampler,
      tokenizer: policy.tokenizer,
      isToolCallComplete: createStopDetector(policy.tokenizer, stopTags([...tags])),
      queryExtraction: config.rollout.queryExtraction,
      runTool: ({ task }, tool, query, toolSignal) => runTool(task, tool, query, toolSignal),
    };
  }
}

function describeGroup(group: GroupRollout): Omit<SampledGroup, 'taskIndex'> {
  const { scheduler, options } = group;
  return {
    groupIndex: options.groupIndex,
    taskId: options.task.id,
    prompt: options.task.prompt,
    gold: options.task.gold,
    nodes: scheduler.tree.nodes,
    trajectories: scheduler.tree.trajectories,
    decisions: scheduler.decisions,
    rewards: group.score(),
    turns: scheduler.turn,
    entropyChanges: scheduler.entropyChanges,
  };
}

function describeEvaluation(group: GroupRollout): Omit<EvaluatedTask, 'taskIndex'> {
  const [reward] = group.score();
  const { calls, modelTokens } = group.scheduler.tree.costOf(0);
  return { isCorrect: reward.isCorrect, reward: reward.total, toolCalls: calls, tokens: modelTokens };
}

function countersSince(now: SamplingCounters, before: SamplingCounters): SamplingCounters {
  return {
    sampledTokens: now.sampledTokens - before.sampledTokens,
    fedTokens: now.fedTokens - before.fedTokens,
    decodeSteps: now.decodeSteps - before.decodeSteps,
  };
}

/** Adds up work that was done one after the other. */
function addCounters(all: readonly SamplingCounters[]): SamplingCounters {
  const sum = (key: keyof SamplingCounters): number =>
    all.reduce((total, counters) => total + counters[key], 0);
  return {
    sampledTokens: sum('sampledTokens'),
    fedTokens: sum('fedTokens'),
    decodeSteps: sum('decodeSteps'),
  };
}

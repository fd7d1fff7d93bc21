/** One question while it is being rolled out: its scheduler, open sequences and random streams. */
import type { BranchingOptions } from '#arpo/branchingOptions';
import { readEntropy } from '#arpo/entropyMeasure';
import { padAlternatives } from '#arpo/rolloutTree';
import type { Alternatives, NodeContent, RolloutNode, Trajectory } from '#arpo/rolloutTree';
import { GroupScheduler } from '#arpo/scheduler';
import type { SlotBaselines } from '#arpo/slotBaselines';
import { assert } from '#base/assert';
import type { Random } from '#base/random';
import { EngineError } from '#engine/engineError';
import type { GeneratedSegment, Sampler, SequenceId, Tokenizer } from '#engine/policy';
import type { Environment, Task } from '#environment/environment';
import type { Tool } from '#environment/tool';
import type { Reward } from '#environment/reward';
import type { NewNode, TrajectoryStart } from '#runs/groupEvent';
import { tokenTextEnds } from '#runs/tokenText';

/** What a group is sampled with. */
export interface GroupRolloutOptions {
  readonly groupIndex: number;
  readonly task: Task;
  readonly environment: Environment;
  readonly tokenizer: Tokenizer;
  readonly sampler: Sampler;
  readonly branching: BranchingOptions;
  readonly entropyHistory: readonly number[];
  readonly slotBaselines: SlotBaselines;
  /** Tool calls a trajectory may make. */
  readonly callLimit: number;
  /** Most tokens of prompt and response: what task and model both allow. */
  readonly totalTokens: number;
  /** The stream of a trajectory slot. */
  readonly tokenRandom: (slot: number) => Random;
  readonly branchRandom: Random;
}

/** See the module comment. The loop over turns is in `adaptiveRollout`. */
export class GroupRollout {
  readonly scheduler: GroupScheduler;
  readonly options: GroupRolloutOptions;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly promptTokens: Int32Array;
  readonly #prompt: SequenceId;
  readonly #sequences = new Map<number, SequenceId>();
  readonly #randoms = new Map<number, Random>();

  /** @throws EngineError `contextOverflow` when the prompt leaves no room, `unknownToken`. */
  constructor(options: GroupRolloutOptions) {
    const { environment, task, tokenizer, sampler } = options;
    this.options = options;
    this.tools = new Map(environment.tools(task).map((tool) => [tool.tag, tool]));
    this.promptTokens = tokenizer.encode(task.prompt);
    if (this.promptTokens.length >= options.totalTokens) {
      throw new EngineError(
        'contextOverflow',
        `task ${task.id}: expected a prompt of fewer than ${options.totalTokens} tokens, got ` +
          `${this.promptTokens.length}. Raise the limit or shorten the prompt.`,
      );
    }
    this.#prompt = sampler.open(this.promptTokens);
    this.scheduler = new GroupScheduler({
      promptTokens: this.promptTokens,
      options: options.branching,
      callLimit: options.callLimit,
      vocabularySize: tokenizer.vocabularySize,
      entropyHistory: options.entropyHistory,
      slotBaselines: options.slotBaselines,
    });
  }

  /** Starts the initial trajectories. */
  start(): readonly TrajectoryStart[] {
    return this.#openAll(this.scheduler.start());
  }

  sequenceOf(slot: number): SequenceId {
    const sequence = this.#sequences.get(slot);
    assert(sequence !== undefined, `slot ${slot} has no open sequence`);
    return sequence;
  }

  randomOf(slot: number): Random {
    const random = this.#randoms.get(slot);
    assert(random !== undefined, `slot ${slot} has no random stream`);
    return random;
  }

  /** Tokens a slot may still add. */
  roomOf(slot: number): number {
    return this.options.totalTokens - this.options.sampler.lengthOf(this.sequenceOf(slot));
  }

  /** Records one step. `segment` is what was sampled, without tool result and forced end. */
  recordStep(slot: number, content: NodeContent, segment: GeneratedSegment): NewNode {
    const { branching, tokenizer } = this.options;
    const reading = readEntropy(segment, branching.entropy, tokenizer.vocabularySize);
    const alternatives = padAlternatives(content.alternatives, content.tokens.length);
    return this.#describe(this.scheduler.recordStep(slot, { ...content, alternatives }, reading));
  }

  /** Copies trajectories where the rule says so. */
  branch(): { decisions: ReturnType<GroupScheduler['considerBranches']>; started: TrajectoryStart[] } {
    const decisions = this.scheduler.considerBranches(this.options.branchRandom);
    const created = decisions.flatMap(({ createdSlot }) =>
      createdSlot === null ? [] : [this.scheduler.tree.trajectory(createdSlot)],
    );
    return { decisions, started: this.#openAll(created) };
  }

  /** Fills unused budget with fresh trajectories, when it is time. */
  topUp(): TrajectoryStart[] {
    return this.#openAll(this.scheduler.topUp());
  }

  /** Closes the sequences that nothing can branch from any more. */
  releaseFinished(): void {
    for (const [slot, sequence] of this.#sequences) {
      if (!this.scheduler.tree.trajectory(slot).isFinished) continue;
      this.options.sampler.release(sequence);
      this.#sequences.delete(slot);
    }
  }

  /** Closes everything that is still open, also after a failure. */
  dispose(): void {
    for (const sequence of this.#sequences.values()) this.options.sampler.release(sequence);
    this.#sequences.clear();
    this.options.sampler.release(this.#prompt);
  }

  /** The rewards by slot of a complete group. */
  score(): readonly Reward[] {
    const { environment, task, tokenizer } = this.options;
    const { tree } = this.scheduler;
    return tree.trajectories.map(({ lastNodeId }) => {
      const tokens = tree.pathTokens(lastNodeId);
      const isEnded = tree.node(lastNodeId).stopReason === 'end';
      const end = tokens[tokens.length - 1] === tokenizer.endTokenId ? tokens.length - 1 : tokens.length;
      return environment.score(task, {
        text: tokenizer.decode(tokens.subarray(this.promptTokens.length, end)),
        isEnded,
        toolCalls: tree.callsOnPath(lastNodeId),
        totalTokens: tokens.length,
      });
    });
  }

  #openAll(trajectories: readonly Trajectory[]): TrajectoryStart[] {
    const { sampler, tokenRandom } = this.options;
    return trajectories.map(({ slot, origin, forkNodeId, sourceSlot }) => {
      const source = sourceSlot === null ? this.#prompt : this.sequenceOf(sourceSlot);
      this.#sequences.set(slot, sampler.fork(source, this.scheduler.tree.pathLength(forkNodeId)));
      this.#randoms.set(slot, tokenRandom(slot));
      return { slot, origin, forkNodeId, sourceSlot };
    });
  }

  /** The node as the record wants it: with its text cut into what the policy wrote and the rest. */
  #describe(node: RolloutNode): NewNode {
    const { tokenizer } = this.options;
    const { parentId, stopReason } = node;
    assert(parentId !== null && stopReason !== null, 'a recorded step has a parent and a stop reason');
    const decode = (tokens: Int32Array): string => tokenizer.decode(tokens);
    const text = decode(node.tokens);
    const resultStart = node.toolCall === null ? node.tokens.length : node.mask.indexOf(0);
    const modelLength =
      resultStart === -1 ? text.length : decode(node.tokens.subarray(0, resultStart)).length;
    return {
      ...node,
      parentId,
      stopReason,
      alternatives: withAllRows(node, tokenizer.padTokenId),
      modelText: text.slice(0, modelLength),
      resultText: text.slice(modelLength),
      tokenEnds: tokenTextEnds(node.tokens, decode),
    };
  }
}

/** The record has a row of alternatives for every token; those of tokens that were not sampled say nothing. */
function withAllRows({ tokens, alternatives }: RolloutNode, padTokenId: number): Alternatives | null {
  if (alternatives === null || alternatives.ids.length === tokens.length * alternatives.count)
    return alternatives;
  const ids = new Int32Array(tokens.length * alternatives.count).fill(padTokenId);
  const logProbs = new Float32Array(ids.length).fill(-Infinity);
  ids.set(alternatives.ids);
  logProbs.set(alternatives.logProbs);
  return { count: alternatives.count, ids, logProbs };
}

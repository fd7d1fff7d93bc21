/**
 * The rollout tree of one group: all trajectories sampled for one task in one update, sharing the
 * prefixes they were branched from. A node is one *step*: what the policy wrote in one turn and the
 * tool result it caused. A node stores only the tokens it adds, so the concatenation of a path from
 * the root is exactly what the model saw.
 *
 * Pure data and bookkeeping: who samples, when to branch and what it is worth live elsewhere.
 */

/** Why a turn of the policy ended. */
export type StopReason =
  /** A complete tool call; the tool's result follows in the same node. */
  | 'toolCall'
  /** The model ended its response (end-of-sequence token). */
  | 'end'
  /** The response limit was reached. */
  | 'length'
  /** A tool was requested after the last allowed call; the trajectory dies. */
  | 'callLimit'
  /** A tool tag was closed around nothing; the trajectory silently ends. */
  | 'emptyCall'
  /** The rollout failed for a technical reason; its siblings go on. */
  | 'error';

/** One execution (or cache hit) of a tool. A failed call is data, not an exception. */
export interface ToolCall {
  readonly tool: string;
  readonly input: string;
  /** What was shown to the model between the result tags. */
  readonly output: string;
  /** `null` when the call succeeded, else what went wrong (time-out, exception text, …). */
  readonly failure: string | null;
  readonly latencyMs: number;
  readonly cached: boolean;
  /** Number of attempts made, retries included; 0 for a cache hit. */
  readonly attempts: number;
}

/**
 * The most probable tokens at every sampled position, for inspection and truncated entropies. Tokens
 * of the node that were not sampled (tool result, forced end) have rows of id −1 and −∞.
 */
export interface Alternatives {
  /** Alternatives kept per token. */
  readonly count: number;
  /** `[T, count]` token ids, most probable first; row `t` belongs to token `t` of the node. */
  readonly ids: Int32Array;
  /** `[T, count]` log-probabilities in nats; −∞ for tokens that top-k or top-p excluded. */
  readonly logProbs: Float32Array;
}

/** Alternatives of the first tokens of a node, with rows for the `length − T` tokens behind them. */
export function padAlternatives(alternatives: Alternatives | null, length: number): Alternatives | null {
  if (alternatives === null || alternatives.ids.length === length * alternatives.count) return alternatives;
  const { count } = alternatives;
  const ids = new Int32Array(length * count).fill(-1);
  const logProbs = new Float32Array(length * count).fill(-Infinity);
  ids.set(alternatives.ids);
  logProbs.set(alternatives.logProbs);
  return { count, ids, logProbs };
}

/** What a turn adds to its parent. All arrays have the length `T` of `tokens`. */
export interface NodeContent {
  /** Model tokens of the turn, then the tokens of the tool result (if any). */
  readonly tokens: Int32Array;
  /** 1 = written by the policy, 0 = prompt or tool result. */
  readonly mask: Uint8Array;
  /** Log-prob under the sampling distribution, nats; 0 where `mask` is 0. */
  readonly logProbs: Float32Array;
  /** Full-vocabulary entropy of the sampling distribution, nats; 0 where `mask` is 0. */
  readonly entropies: Float32Array;
  readonly alternatives: Alternatives | null;
  readonly toolCall: ToolCall | null;
  /** `null` only for the root. */
  readonly stopReason: StopReason | null;
}

/** One node of a rollout tree. */
export interface RolloutNode extends NodeContent {
  /** Dense, in order of creation; the root is 0. */
  readonly id: number;
  /** `null` only for the root. */
  readonly parentId: number | null;
  /** Steps from the root; the root has depth 0. */
  readonly depth: number;
  /** The trajectory slot that sampled this node; −1 for the root. */
  readonly slot: number;
}

/** How a trajectory came to be. */
export type TrajectoryOrigin = 'initial' | 'branch' | 'topUp';

/** One trajectory of the group: a path that its own sampling started at `forkNodeId`. */
export interface Trajectory {
  /** Dense, in order of creation: the slot number of the released code. */
  readonly slot: number;
  readonly origin: TrajectoryOrigin;
  /** The last inherited node: the root (0) for initial and top-up trajectories. */
  readonly forkNodeId: number;
  /** The slot this trajectory was copied from; `null` unless `origin` is `branch`. */
  readonly sourceSlot: number | null;
  /** The newest node of the path; the leaf once the trajectory is finished. */
  readonly lastNodeId: number;
  readonly isFinished: boolean;
}

/**
 * Tool calls and tokens of a whole trajectory, and the part of them it inherited through its fork
 * and therefore did not pay for. The prompt counts as neither.
 */
export interface TrajectoryCost {
  readonly calls: number;
  readonly inheritedCalls: number;
  readonly modelTokens: number;
  readonly inheritedModelTokens: number;
  /** Tokens of tool results. */
  readonly toolTokens: number;
  readonly inheritedToolTokens: number;
}

/** A growing rollout tree. Nodes and trajectories are only ever added. */
export class RolloutTree {
  readonly #nodes: RolloutNode[] = [];
  readonly #children: number[][] = [];
  readonly #trajectories: Trajectory[] = [];

  /** @param promptTokens `[T]` the prompt; kept, not copied. */
  constructor(promptTokens: Int32Array) {
    const length = promptTokens.length;
    this.#nodes.push({
      id: 0,
      parentId: null,
      depth: 0,
      slot: -1,
      tokens: promptTokens,
      mask: new Uint8Array(length),
      logProbs: new Float32Array(length),
      entropies: new Float32Array(length),
      alternatives: null,
      toolCall: null,
      stopReason: null,
    });
    this.#children.push([]);
  }

  /**
   * Rebuilds a tree from the `nodes` and `trajectories` of another one, sharing its arrays.
   *
   * @throws RangeError when ids are not dense or a parent comes after its child.
   */
  static restore(nodes: readonly RolloutNode[], trajectories: readonly Trajectory[]): RolloutTree {
    const [root, ...others] = nodes;
    if (root === undefined) throw new RangeError('nodes: expected at least the root, got none');
    const tree = new RolloutTree(root.tokens);
    for (const node of others) {
      if (node.id !== tree.#nodes.length || node.parentId === null || node.parentId >= node.id) {
        throw new RangeError(`nodes: expected node ${tree.#nodes.length} behind its parent, got ${node.id}`);
      }
      tree.#nodes.push(node);
      tree.#children.push([]);
      tree.#children[node.parentId].push(node.id);
    }
    tree.#trajectories.push(...trajectories);
    return tree;
  }

  get nodes(): readonly RolloutNode[] {
    return this.#nodes;
  }

  get trajectories(): readonly Trajectory[] {
    return this.#trajectories;
  }

  /** @throws RangeError when there is no such node. */
  node(id: number): RolloutNode {
    const node = this.#nodes[id];
    if (node === undefined) throw new RangeError(`node: expected 0..${this.#nodes.length - 1}, got ${id}`);
    return node;
  }

  childrenOf(id: number): readonly number[] {
    this.node(id);
    return this.#children[id];
  }

  /** Starts a trajectory at the bare prompt. */
  startTrajectory(origin: 'initial' | 'topUp'): Trajectory {
    return this.#addTrajectory({ origin, forkNodeId: 0, sourceSlot: null });
  }

  /** Starts a trajectory that inherits the path to `forkNodeId`, which `sourceSlot` walked. */
  branchTrajectory(sourceSlot: number, forkNodeId: number): Trajectory {
    const source = this.trajectory(sourceSlot);
    if (!this.pathTo(source.lastNodeId).some((node) => node.id === forkNodeId)) {
      throw new RangeError(
        `forkNodeId: expected a node on the path of slot ${sourceSlot}, got ${forkNodeId}`,
      );
    }
    return this.#addTrajectory({ origin: 'branch', forkNodeId, sourceSlot });
  }

  /** @throws RangeError when there is no such slot. */
  trajectory(slot: number): Trajectory {
    const trajectory = this.#trajectories[slot];
    if (trajectory === undefined) {
      throw new RangeError(`slot: expected 0..${this.#trajectories.length - 1}, got ${slot}`);
    }
    return trajectory;
  }

  /**
   * Appends one step to the path of a live trajectory. A stop reason other than `toolCall`
   * finishes the trajectory.
   *
   * @throws RangeError when the arrays differ in length, or the trajectory is finished.
   */
  appendStep(slot: number, content: NodeContent): RolloutNode {
    const trajectory = this.trajectory(slot);
    if (trajectory.isFinished)
      throw new RangeError(`slot ${slot}: expected a live trajectory, it is finished`);
    const length = content.tokens.length;
    for (const key of ['mask', 'logProbs', 'entropies'] as const) {
      if (content[key].length !== length) {
        throw new RangeError(`${key}: expected [${length}], got [${content[key].length}]`);
      }
    }
    const parent = this.node(trajectory.lastNodeId);
    const node: RolloutNode = {
      ...content,
      id: this.#nodes.length,
      parentId: parent.id,
      depth: parent.depth + 1,
      slot,
    };
    this.#nodes.push(node);
    this.#children.push([]);
    this.#children[parent.id].push(node.id);
    const isFinished = content.stopReason !== 'toolCall';
    this.#trajectories[slot] = { ...trajectory, lastNodeId: node.id, isFinished };
    return node;
  }

  /** The nodes from the root to `id`, both included. */
  pathTo(id: number): readonly RolloutNode[] {
    const path: RolloutNode[] = [];
    for (let node: RolloutNode | null = this.node(id); node !== null;) {
      path.push(node);
      node = node.parentId === null ? null : this.node(node.parentId);
    }
    return path.reverse();
  }

  /** Tokens from the root to `id`, prompt included: where a sampler's cache has to be cut for a fork. */
  pathLength(id: number): number {
    return this.pathTo(id).reduce((length, node) => length + node.tokens.length, 0);
  }

  /** Tool calls that ran on the path to `id`; a branch that starts there has them behind it. */
  callsOnPath(id: number): number {
    return this.pathTo(id).reduce((calls, node) => calls + (node.toolCall === null ? 0 : 1), 0);
  }

  /** The tokens from the root to `id`: exactly what the model saw and wrote. */
  pathTokens(id: number): Int32Array {
    const path = this.pathTo(id);
    const tokens = new Int32Array(this.pathLength(id));
    let offset = 0;
    for (const node of path) {
      tokens.set(node.tokens, offset);
      offset += node.tokens.length;
    }
    return tokens;
  }

  /** Own and inherited tool calls and tokens of a trajectory. */
  costOf(slot: number): TrajectoryCost {
    const trajectory = this.trajectory(slot);
    const total = this.#sumPath(trajectory.lastNodeId);
    const inherited = this.#sumPath(trajectory.forkNodeId);
    return {
      calls: total.calls,
      inheritedCalls: inherited.calls,
      modelTokens: total.modelTokens,
      inheritedModelTokens: inherited.modelTokens,
      toolTokens: total.toolTokens,
      inheritedToolTokens: inherited.toolTokens,
    };
  }

  /** Calls and tokens of the steps from the root (left out) to `id`. */
  #sumPath(id: number): { calls: number; modelTokens: number; toolTokens: number } {
    const sums = { calls: 0, modelTokens: 0, toolTokens: 0 };
    for (const node of this.pathTo(id)) {
      if (node.parentId === null) continue;
      const written = node.mask.reduce((sum, bit) => sum + bit, 0);
      sums.calls += node.toolCall === null ? 0 : 1;
      sums.modelTokens += written;
      sums.toolTokens += node.tokens.length - written;
    }
    return sums;
  }

  #addTrajectory(start: Pick<Trajectory, 'origin' | 'forkNodeId' | 'sourceSlot'>): Trajectory {
    const slot = this.#trajectories.length;
    const trajectory: Trajectory = { ...start, slot, lastNodeId: start.forkNodeId, isFinished: false };
    this.#trajectories.push(trajectory);
    return trajectory;
  }
}

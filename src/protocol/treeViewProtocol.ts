/**
 * What the extension host and the rollout-tree view say to each other, over a `Peer`.
 *
 * The view starts by asking for a `snapshot`; that is its ready message. Everything later comes as
 * `patched` events numbered without gaps from the snapshot's `sequence`. A view that sees a gap asks
 * for a new snapshot. Texts in snapshots and patches are clipped (see `clippedTextLength`); the whole
 * text, tokens and tool input and output of a node come on request.
 *
 * All numbers are as recorded: entropies in nats, advantages dimensionless, rewards in the unit of the
 * environment. `null` is "known to be absent", never 0.
 */
import type { BranchDecision } from '#arpo/branchDecision';
import type { StopReason, TrajectoryOrigin } from '#arpo/rolloutTree';

/** Longest text of a segment, a tool input or a tool output in snapshots and patches, in UTF-16 units. */
export const clippedTextLength = 160;

/** What a stretch of a step is, by its tags; `text` is everything outside of known tags. */
export type SegmentKind = 'think' | 'call' | 'result' | 'answer' | 'text';

/** One typed stretch of a step, in the order of the text. */
export interface TreeSegment {
  readonly kind: SegmentKind;
  /** Without the tags, trimmed, at most `clippedTextLength` long. */
  readonly text: string;
  /** Length before clipping, in UTF-16 units. */
  readonly fullLength: number;
}

/** The tool call of a step, without its texts. */
export interface TreeToolCall {
  readonly tool: string;
  /** `null` when the call succeeded, else what went wrong, clipped. */
  readonly failure: string | null;
  readonly latencyMs: number;
  readonly isCached: boolean;
}

/** One step of a tree (node 0 is the prompt). */
export interface TreeNode {
  /** Dense within the group, in order of creation; a parent comes before its children. */
  readonly id: number;
  /** `null` only for the prompt. */
  readonly parentId: number | null;
  /** Steps from the prompt, which has depth 0. */
  readonly depth: number;
  /** The trajectory that sampled it; −1 for the prompt. */
  readonly slot: number;
  readonly segments: readonly TreeSegment[];
  readonly toolCall: TreeToolCall | null;
  /** `null` for the prompt. */
  readonly stopReason: StopReason | null;
  /** Tokens written by the policy. */
  readonly modelTokens: number;
  /**
   * Mean entropy of the first k model tokens of this step, nats, when it follows a tool result;
   * `null` when it follows the prompt or nothing was recorded.
   */
  readonly postToolEntropy: number | null;
}

/** One trajectory: the path from the prompt to `lastNodeId`, its own from below `forkNodeId` on. */
export interface TreeTrajectory {
  readonly slot: number;
  readonly origin: TrajectoryOrigin;
  /** Sampled later from a recorded prefix, to look at; never trained on. */
  readonly isReroll: boolean;
  /** The last inherited node; 0 unless `origin` is `branch`. */
  readonly forkNodeId: number;
  /** The slot it was copied from, or `null`. */
  readonly sourceSlot: number | null;
  /** The newest node of the path; the leaf once it is finished. */
  readonly lastNodeId: number;
  readonly isFinished: boolean;
}

/** What a scored group is worth. Absent numbers are NaN; see `packNumbers`. */
export interface GroupScores {
  /** `[M]` by slot. */
  readonly rewards: Float32Array;
  /** `[M]` by slot: 1 = right, 0 = wrong, 255 = not rewarded. */
  readonly isCorrect: Uint8Array;
  /** `[M]` by slot: reward standardized within the group. */
  readonly softAdvantages: Float32Array;
  /** `[nodes]` by node id: mean advantage of the trajectories through the node. */
  readonly hardAdvantages: Float32Array;
  /** `[nodes]` by node id: value of the node minus value of its parent. */
  readonly stepAdvantages: Float32Array;
  /** `[nodes]` by node id: mean reward of the trajectories through the node. */
  readonly values: Float32Array;
}

/** What the group cost: own work was paid for, inherited prefixes were not. */
export interface TreeLedger {
  /** M: trajectories finally kept. */
  readonly trajectories: number;
  /** N: trajectories started from the prompt at the beginning. */
  readonly initialTrajectories: number;
  readonly branches: number;
  readonly topUps: number;
  readonly paidCalls: number;
  readonly inheritedCalls: number;
  readonly paidModelTokens: number;
  readonly inheritedModelTokens: number;
}

/** Whether a group still grows. */
export type GroupStatus = 'sampling' | 'scored' | 'failed';

/** The facts of a group that are not its tree. */
export interface TreeGroupHeader {
  /** Unique in the view. */
  readonly groupId: string;
  /** The update it was sampled for, from 1. */
  readonly update: number;
  readonly taskId: string;
  /** Clipped to 2,000 UTF-16 units. */
  readonly prompt: string;
  /** The expected answer, for people. */
  readonly gold: string;
  readonly status: GroupStatus;
  /** All rewards are equal: the group teaches nothing. */
  readonly isZeroVariance: boolean;
  /** As far as known; counts may still grow while `status` is `sampling`. */
  readonly ledger: TreeLedger | null;
}

/** A group with its tree. */
export interface TreeGroup extends TreeGroupHeader {
  readonly nodes: readonly TreeNode[];
  readonly trajectories: readonly TreeTrajectory[];
  readonly decisions: readonly BranchDecision[];
  /** `null` until the group is scored. */
  readonly scores: GroupScores | null;
}

/** What is shown, in words for the title: one group, all groups of an update, or one task over updates. */
export interface TreeScope {
  readonly kind: 'group' | 'update' | 'task';
  readonly title: string;
}

/** What the run is doing, for the empty and the live state. */
export type RunState = 'starting' | 'running' | 'paused' | 'stopped' | 'finished' | 'failed';

/** Something the host can do with a node; the view shows a button for it. */
export interface NodeAction {
  readonly id: string;
  readonly title: string;
}

/** Everything the view needs to draw. */
export interface TreeSnapshot {
  readonly sequence: number;
  readonly scope: TreeScope;
  readonly runState: RunState;
  readonly groups: readonly TreeGroup[];
  readonly actions: readonly NodeAction[];
  /** Translations by key of `webview/shared/strings.ts`; keys that are missing stay English. */
  readonly strings: Readonly<Record<string, string>>;
}

/** One fact of a patch. */
export type TreeChange =
  | { readonly kind: 'groupAdded'; readonly group: TreeGroup }
  | { readonly kind: 'groupsRemoved'; readonly groupIds: readonly string[] }
  | { readonly kind: 'headerChanged'; readonly header: TreeGroupHeader }
  /** In order of ids. */
  | { readonly kind: 'nodesAdded'; readonly groupId: string; readonly nodes: readonly TreeNode[] }
  /** New trajectories, and new states of known ones (by slot). */
  | {
      readonly kind: 'trajectoriesChanged';
      readonly groupId: string;
      readonly trajectories: readonly TreeTrajectory[];
    }
  | {
      readonly kind: 'decisionsAdded';
      readonly groupId: string;
      readonly decisions: readonly BranchDecision[];
    }
  | { readonly kind: 'groupScored'; readonly header: TreeGroupHeader; readonly scores: GroupScores }
  | { readonly kind: 'runStateChanged'; readonly runState: RunState };

/** Changes in order. `sequence` is one more than that of the patch (or snapshot) before. */
export interface TreePatch {
  readonly sequence: number;
  readonly changes: readonly TreeChange[];
}

/** Names a node of the view. */
export interface NodeReference {
  readonly groupId: string;
  readonly nodeId: number;
}

/** The tokens of a node. All arrays have the length `T`. */
export interface DetailTokens {
  /** `[T]` where the text of each token ends, UTF-16 units from the start of `NodeDetail.text`. */
  readonly ends: Int32Array;
  /** `[T]` 1 = written by the policy, 0 = prompt or tool result. */
  readonly mask: Uint8Array;
  /** `[T]` nats; 0 where `mask` is 0. */
  readonly entropies: Float32Array;
  /** `[T]` nats; 0 where `mask` is 0. */
  readonly logProbs: Float32Array;
}

/** The reward of the trajectory that ends at a leaf. */
export interface DetailReward {
  readonly total: number;
  /** The summands by name; they add up to `total`. */
  readonly parts: Readonly<Record<string, number>>;
  readonly reason: string;
  readonly answer: string | null;
  readonly isCorrect: boolean;
}

/** Everything about one node. */
export interface NodeDetail {
  /** What the policy wrote, then the tool result, tags included. */
  readonly text: string;
  /** `null` when token boundaries were not recorded. */
  readonly tokens: DetailTokens | null;
  readonly toolCall: {
    readonly tool: string;
    readonly input: string;
    readonly output: string;
    readonly failure: string | null;
    readonly latencyMs: number;
    readonly isCached: boolean;
    readonly attempts: number;
  } | null;
  /** Of leaves of scored groups, else `null`. */
  readonly reward: DetailReward | null;
}

/** What the view asks of the host. */
export type TreeViewRequests = {
  /** The whole state; asked first, and after a gap. */
  snapshot: { params: null; result: TreeSnapshot };
  nodeDetail: { params: NodeReference; result: NodeDetail };
  /** Nodes whose unclipped text contains the query, letter case ignored; at most `limit`. */
  findText: {
    params: { readonly query: string; readonly limit: number };
    result: { readonly matches: readonly NodeReference[]; readonly isComplete: boolean };
  };
};

/** What the view reports. */
export type TreeViewReports = {
  selectionChanged: NodeReference | null;
  /** The user pressed the button (or Enter: the first action) of a `NodeAction`. */
  actionInvoked: NodeReference & { readonly actionId: string };
};

/** What the host reports to the view. */
export type TreeHostReports = {
  patched: TreePatch;
  /** Select this node and bring it into sight. */
  revealed: NodeReference;
  /** The view can no longer be fed; the text says what happened and what to do. */
  failed: { readonly message: string };
};

/** The connection seen from the view; the host swaps `calls`/`serves` and `emits`/`hears`. */
export interface TreeViewConnection {
  readonly calls: TreeViewRequests;
  readonly serves: Record<never, never>;
  readonly emits: TreeViewReports;
  readonly hears: TreeHostReports;
}

/** The connection seen from the host. */
export interface TreeHostConnection {
  readonly calls: Record<never, never>;
  readonly serves: TreeViewRequests;
  readonly emits: TreeHostReports;
  readonly hears: TreeViewReports;
}

/** Numbers for transport: `null` becomes NaN. */
export function packNumbers(values: readonly (number | null)[]): Float32Array {
  return Float32Array.from(values, (value) => value ?? Number.NaN);
}

/** One number of a packed array: `null` for NaN and for what lies outside of the array. */
export function unpackNumber(values: Float32Array, index: number): number | null {
  const value = values[index];
  return value === undefined || Number.isNaN(value) ? null : value;
}

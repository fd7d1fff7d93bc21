/** The trees as the view knows them: a snapshot, then patches in order. Knows no DOM. */
import type { BranchDecision } from '#arpo/branchDecision';
import type {
  GroupScores,
  NodeReference,
  RunState,
  TreeChange,
  TreeGroup,
  TreeGroupHeader,
  TreeNode,
  TreePatch,
  TreeSnapshot,
  TreeTrajectory,
} from '#protocol/treeViewProtocol';

/** What a patch did: `gap` means that one was lost and a snapshot must be asked for. */
export type PatchOutcome = 'applied' | 'ignored' | 'gap';

/** One group and what can be looked up about its tree. Grows in place; `version` counts the changes. */
export interface GroupModel {
  header: TreeGroupHeader;
  readonly nodes: TreeNode[];
  /** Child ids by node id, in order of creation. */
  readonly children: number[][];
  /** By slot. */
  readonly trajectories: TreeTrajectory[];
  readonly decisions: Map<number, BranchDecision[]>;
  scores: GroupScores | null;
  version: number;
  /** Changes of the tree's shape only. */
  shapeVersion: number;
}

const noDecisions: readonly BranchDecision[] = [];

/** The decisions made at a node, in order. */
export function decisionsAt(group: GroupModel, nodeId: number): readonly BranchDecision[] {
  return group.decisions.get(nodeId) ?? noDecisions;
}

/** Node ids from the prompt to `nodeId`, both included. */
export function pathTo(group: GroupModel, nodeId: number): number[] {
  const path: number[] = [];
  for (let node = group.nodes[nodeId]; node !== undefined;) {
    path.push(node.id);
    node = node.parentId === null ? undefined : group.nodes[node.parentId];
  }
  return path.reverse();
}

/** The trajectory a node is read as part of: the one that ends there, else the one that sampled it. */
export function trajectoryOf(group: GroupModel, nodeId: number): TreeTrajectory | null {
  const ending = group.trajectories.find((trajectory) => trajectory.lastNodeId === nodeId && nodeId !== 0);
  return ending ?? group.trajectories[group.nodes[nodeId]?.slot ?? -1] ?? null;
}

/** Slots of all trajectories whose path leads through the node, ascending. */
export function slotsThrough(group: GroupModel, nodeId: number): number[] {
  return group.trajectories
    .filter(({ lastNodeId }) => pathTo(group, lastNodeId).includes(nodeId))
    .map(({ slot }) => slot);
}

/** See the module comment. */
export class TreeState {
  readonly #groups = new Map<string, GroupModel>();
  #sequence = -1;
  #runState: RunState = 'starting';
  #order: GroupModel[] = [];

  /** In order of arrival. */
  get groups(): readonly GroupModel[] {
    return this.#order;
  }

  get runState(): RunState {
    return this.#runState;
  }

  get nodeCount(): number {
    return this.#order.reduce((sum, { nodes }) => sum + nodes.length, 0);
  }

  group(groupId: string): GroupModel | undefined {
    return this.#groups.get(groupId);
  }

  node({ groupId, nodeId }: NodeReference): TreeNode | undefined {
    return this.#groups.get(groupId)?.nodes[nodeId];
  }

  /** Forgets everything and starts from a snapshot. @throws RangeError when its trees are not whole. */
  replace(snapshot: TreeSnapshot): void {
    this.#groups.clear();
    for (const group of snapshot.groups) this.#add(group);
    this.#order = [...this.#groups.values()];
    this.#sequence = snapshot.sequence;
    this.#runState = snapshot.runState;
  }

  /** @throws RangeError when the patch names groups or parents that are not there. */
  apply(patch: TreePatch): PatchOutcome {
    if (patch.sequence <= this.#sequence) return 'ignored';
    if (patch.sequence !== this.#sequence + 1) return 'gap';
    this.#sequence = patch.sequence;
    for (const change of patch.changes) this.#change(change);
    return 'applied';
  }

  #change(change: TreeChange): void {
    switch (change.kind) {
      case 'groupAdded':
        this.#add(change.group);
        this.#order = [...this.#groups.values()];
        return;
      case 'groupsRemoved':
        for (const groupId of change.groupIds) this.#groups.delete(groupId);
        this.#order = [...this.#groups.values()];
        return;
      case 'headerChanged':
        this.#touch(change.header.groupId).header = change.header;
        return;
      case 'nodesAdded':
        addNodes(this.#touch(change.groupId), change.nodes);
        return;
      case 'trajectoriesChanged':
        putTrajectories(this.#touch(change.groupId), change.trajectories);
        return;
      case 'decisionsAdded':
        addDecisions(this.#touch(change.groupId), change.decisions);
        return;
      case 'groupScored':
        Object.assign(this.#touch(change.header.groupId), { header: change.header, scores: change.scores });
        return;
      case 'runStateChanged':
        this.#runState = change.runState;
    }
  }

  #touch(groupId: string): GroupModel {
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new RangeError(`groupId: expected a group of the view, got "${groupId}"`);
    group.version += 1;
    return group;
  }

  #add({ nodes, trajectories, decisions, scores, ...header }: TreeGroup): void {
    const group: GroupModel = {
      header,
      nodes: [],
      children: [],
      trajectories: [],
      decisions: new Map(),
      scores,
      version: 0,
      shapeVersion: 0,
    };
    addNodes(group, nodes);
    putTrajectories(group, trajectories);
    addDecisions(group, decisions);
    this.#groups.set(header.groupId, group);
  }
}

function addNodes(group: GroupModel, nodes: readonly TreeNode[]): void {
  for (const node of nodes) {
    const expected = group.nodes.length;
    const isWhole = node.parentId === null ? expected === 0 : node.parentId < expected;
    if (node.id !== expected || !isWhole) {
      throw new RangeError(
        `nodes of ${group.header.groupId}: expected id ${expected} below an earlier node, ` +
          `got id ${node.id} below ${node.parentId}`,
      );
    }
    group.nodes.push(node);
    group.children.push([]);
    if (node.parentId !== null) group.children[node.parentId]?.push(node.id);
  }
  group.shapeVersion += 1;
}

function putTrajectories(group: GroupModel, trajectories: readonly TreeTrajectory[]): void {
  for (const trajectory of trajectories) group.trajectories[trajectory.slot] = trajectory;
}

function addDecisions(group: GroupModel, decisions: readonly BranchDecision[]): void {
  for (const decision of decisions) {
    const known = group.decisions.get(decision.nodeId);
    if (known === undefined) group.decisions.set(decision.nodeId, [decision]);
    else known.push(decision);
  }
}

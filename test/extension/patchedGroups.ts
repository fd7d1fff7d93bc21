/** The least a view has to do with snapshots and patches, to check that they lead to the same state. */
import type { RunState, TreeChange, TreeGroup, TreePatch, TreeSnapshot } from '#protocol/treeViewProtocol';

export class PatchedGroups {
  groups: TreeGroup[] = [];
  runState: RunState = 'starting';
  #sequence = -1;

  replace(snapshot: TreeSnapshot): void {
    this.groups = [...snapshot.groups];
    this.runState = snapshot.runState;
    this.#sequence = snapshot.sequence;
  }

  apply(patch: TreePatch): void {
    if (patch.sequence !== this.#sequence + 1) {
      throw new Error(`expected patch ${this.#sequence + 1}, got ${patch.sequence}`);
    }
    this.#sequence = patch.sequence;
    for (const change of patch.changes) this.#apply(change);
  }

  get groupIds(): string[] {
    return this.groups.map(({ groupId }) => groupId);
  }

  get nodeCount(): number {
    return this.groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
  }

  #apply(change: TreeChange): void {
    switch (change.kind) {
      case 'groupAdded':
        this.groups.push(change.group);
        return;
      case 'groupsRemoved':
        this.groups = this.groups.filter(({ groupId }) => !change.groupIds.includes(groupId));
        return;
      case 'headerChanged':
        return this.#update(change.header.groupId, () => change.header);
      case 'nodesAdded':
        return this.#update(change.groupId, ({ nodes }) => ({ nodes: [...nodes, ...change.nodes] }));
      case 'trajectoriesChanged':
        return this.#update(change.groupId, ({ trajectories }) => {
          const changed = [...trajectories];
          for (const trajectory of change.trajectories) changed[trajectory.slot] = trajectory;
          return { trajectories: changed };
        });
      case 'decisionsAdded':
        return this.#update(change.groupId, ({ decisions }) => ({
          decisions: [...decisions, ...change.decisions],
        }));
      case 'groupScored':
        return this.#update(change.header.groupId, () => ({ ...change.header, scores: change.scores }));
      case 'runStateChanged':
        this.runState = change.runState;
    }
  }

  #update(groupId: string, change: (group: TreeGroup) => Partial<TreeGroup>): void {
    if (!this.groupIds.includes(groupId)) throw new Error(`expected a known group, got ${groupId}`);
    this.groups = this.groups.map((group) =>
      group.groupId === groupId ? { ...group, ...change(group) } : group,
    );
  }
}

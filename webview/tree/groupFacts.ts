/** What follows from a group's trajectories for each of its nodes; computed once per version. Pure. */
import type { GroupModel } from './treeState';

export interface GroupFacts {
  /** `[nodes]` trajectories whose path leads through the node. */
  readonly passes: Uint16Array;
  /** `[nodes]` the only trajectory through the node, or −1 when there are none or several. */
  readonly onlySlot: Int32Array;
  /** `[nodes]` the finished trajectory that ends at the node, or −1. */
  readonly endSlot: Int32Array;
}

const known = new WeakMap<GroupModel, { readonly version: number; readonly facts: GroupFacts }>();

export function factsOf(group: GroupModel): GroupFacts {
  const cached = known.get(group);
  if (cached !== undefined && cached.version === group.version) return cached.facts;
  const facts = computeFacts(group);
  known.set(group, { version: group.version, facts });
  return facts;
}

function computeFacts({ nodes, trajectories }: GroupModel): GroupFacts {
  const passes = new Uint16Array(nodes.length);
  const onlySlot = new Int32Array(nodes.length).fill(-1);
  const endSlot = new Int32Array(nodes.length).fill(-1);
  for (const { slot, lastNodeId, isFinished } of trajectories) {
    if (isFinished) endSlot[lastNodeId] = slot;
    for (let node = nodes[lastNodeId]; node !== undefined;) {
      const count = (passes[node.id] ?? 0) + 1;
      passes[node.id] = count;
      onlySlot[node.id] = count === 1 ? slot : -1;
      node = node.parentId === null ? undefined : nodes[node.parentId];
    }
  }
  return { passes, onlySlot, endSlot };
}

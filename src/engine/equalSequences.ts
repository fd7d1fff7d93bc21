import type { Sequence } from '#engine/sequence';

/**
 * Finds sequences with the same tokens, of which only one need be computed.
 *
 * @returns Each of the others → the one that is computed: the one with the longest cached prefix.
 */
export function findLeaders(sequences: readonly Sequence[]): ReadonlyMap<Sequence, Sequence> {
  const leaders = new Map<Sequence, Sequence>();
  for (const group of groupEqual(sequences)) {
    const leader = group.reduce((best, sequence) => (sequence.cached > best.cached ? sequence : best));
    for (const sequence of group) if (sequence !== leader) leaders.set(sequence, leader);
  }
  return leaders;
}

function groupEqual(sequences: readonly Sequence[]): Sequence[][] {
  const groupsByHash = new Map<number, Sequence[][]>();
  for (const sequence of sequences) {
    const hash = sequence.hash();
    const groups = groupsByHash.get(hash) ?? [];
    const group = groups.find(([first]) => isEqual(first, sequence));
    if (group === undefined) groups.push([sequence]);
    else group.push(sequence);
    groupsByHash.set(hash, groups);
  }
  return [...groupsByHash.values()].flat();
}

function isEqual(first: Sequence, second: Sequence): boolean {
  return first.length === second.length && first.commonLength(second, first.length) === first.length;
}

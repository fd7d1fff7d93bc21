import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '#base/random';
import type { TreeChange } from '#protocol/treeViewProtocol';
import { ForestLayout, measures } from '../../webview/tree/forestLayout';
import type { LayoutKind, TreeShape } from '../../webview/tree/layout';
import { layoutTree } from '../../webview/tree/layout';
import { cardBox } from '../../webview/tree/viewModel';
import { TreeState } from '../../webview/tree/treeState';
import { createDemo, snapshotOf } from './demoGroups';

const kinds: readonly LayoutKind[] = ['lanes', 'tidy'];
const unfolded: ReadonlySet<number> = new Set();

/** A random tree: the parent of node i is any earlier node, the slot sometimes changes. */
function randomShape(seed: number, size: number, folded: ReadonlySet<number> = unfolded): TreeShape {
  const random = createRandom(seed);
  const children: number[][] = [[]];
  const depths = [0];
  const slots = [-1];
  for (let id = 1; id < size; id += 1) {
    const parent = Math.floor(random.next() * id);
    children[parent].push(id);
    children.push([]);
    depths.push(depths[parent] + 1);
    slots.push(parent !== 0 && random.next() < 0.6 ? slots[parent] : id);
  }
  return { children, folded, slotOf: (id) => slots[id], depthOf: (id) => depths[id] };
}

test('a straight trajectory stays in its lane and a branch goes below', () => {
  // 0 prompt; 1-2-3 slot 0; 4 branches from 1 (slot 1), added before 5, the next step of slot 0 after 2.
  const children = [[1, 6], [4, 2], [3], [5], [], [], []];
  const slots = [-1, 0, 0, 0, 1, 0, 2];
  const depths = [0, 1, 2, 3, 2, 4, 1];
  const layout = layoutTree(
    { children, folded: unfolded, slotOf: (id) => slots[id], depthOf: (id) => depths[id] },
    'lanes',
  );
  expect([...layout.rows]).toEqual([0, 0, 0, 0, 1, 0, 2]);
  expect(layout.rowCount).toBe(3);
  expect(layout.children[1]).toEqual([2, 4]);
  expect(layout.columns).toEqual([[0], [1, 6], [2, 4], [3], [5]]);
});

test('no two visible nodes of a column are closer than a row, for any tree', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 120 }),
      fc.constantFrom(...kinds),
      (seed, size, kind) => {
        const layout = layoutTree(randomShape(seed, size), kind);
        for (const column of layout.columns) {
          for (let index = 1; index < column.length; index += 1) {
            expect(layout.rows[column[index]] - layout.rows[column[index - 1]]).toBeGreaterThan(1 - 1e-4);
          }
        }
        expect(Math.min(...layout.rows)).toBe(0);
        expect(Math.max(...layout.rows)).toBeCloseTo(layout.rowCount - 1, 3);
      },
    ),
    { numRuns: 60, seed: 11 },
  );
});

test('edges do not cross: the subtrees of a column are disjoint and in order', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 120 }),
      fc.constantFrom(...kinds),
      (seed, size, kind) => {
        const layout = layoutTree(randomShape(seed, size), kind);
        for (const column of layout.columns) {
          const parents = column.filter((id) => layout.children[id].length > 0);
          const lowest = parents.map((id) =>
            Math.max(layout.rows[id], layout.rows[layout.children[id].at(-1) ?? id]),
          );
          const highest = parents.map((id) => Math.min(layout.rows[id], layout.rows[layout.children[id][0]]));
          for (let index = 1; index < parents.length; index += 1) {
            expect(highest[index]).toBeGreaterThan(lowest[index - 1]);
          }
        }
      },
    ),
    { numRuns: 60, seed: 12 },
  );
});

test('the same tree gives the same layout; folded descendants are hidden', () => {
  const shape = randomShape(5, 80);
  for (const kind of kinds) {
    expect(layoutTree(shape, kind)).toEqual(layoutTree(randomShape(5, 80), kind));
    const folded = layoutTree(randomShape(5, 80, new Set([0])), kind);
    expect(folded.rowCount).toBe(1);
    expect(folded.columns).toEqual([[0]]);
    expect([...folded.rows].filter((row) => !Number.isNaN(row))).toEqual([0]);
  }
});

test('a tree 50,000 steps deep is laid out in lanes without exhausting the stack', () => {
  const size = 50_000;
  const children = Array.from({ length: size }, (_unused, id) => (id + 1 < size ? [id + 1] : []));
  const layout = layoutTree({ children, folded: unfolded, slotOf: () => 0, depthOf: (id) => id }, 'lanes');
  expect(layout.rowCount).toBe(1);
});

function forestOf(groups: number) {
  const demo = createDemo({ seed: 9, groups, trajectories: 16, initialTrajectories: 8 });
  const state = new TreeState();
  state.replace(snapshotOf(demo));
  const forest = new ForestLayout();
  forest.update(state.groups, 'lanes', () => unfolded);
  return { demo, state, forest };
}

test('cards of a whole view do not overlap, and each is found at its place', () => {
  const { state, forest } = forestOf(5);
  const boxes = state.groups.flatMap((group) =>
    group.nodes.map(({ id }) => {
      const placed = forest.place(group, id);
      if (placed === null) throw new Error('hidden');
      expect(forest.nodeAt(placed.x + 5, placed.y + 5)).toEqual(placed);
      expect(forest.nodeAt(placed.x - 5, placed.y + 5)).toBeNull();
      return cardBox(placed);
    }),
  );
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const isApart = a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;
      expect(isApart).toBe(true);
    }
  }
});

test('growth lays out only the tree that grew', () => {
  const { state, forest } = forestOf(6);
  expect(forest.laidOutTrees).toBe(6);
  const group = state.groups[2];
  const last = group.nodes[group.nodes.length - 1];
  const node = { ...last, id: group.nodes.length, parentId: last.id, depth: last.depth + 1 };
  const changes: TreeChange[] = [{ kind: 'nodesAdded', groupId: group.header.groupId, nodes: [node] }];
  state.apply({ sequence: 1, changes });
  forest.update(state.groups, 'lanes', () => unfolded);
  expect(forest.laidOutTrees).toBe(7);
  expect(forest.place(group, node.id)?.y).toBe(forest.place(group, last.id)?.y);
  expect((forest.place(group, node.id)?.x ?? 0) - (forest.place(group, last.id)?.x ?? 0)).toBe(
    measures.columnWidth,
  );
});

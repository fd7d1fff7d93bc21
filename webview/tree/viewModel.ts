/**
 * What the view shows and how it got there: trees, folding, selection, filter, search, camera. All
 * changes go through here; whoever draws or describes asks for the result. Knows no DOM.
 */
import type { NodeReference, TreePatch, TreeSnapshot } from '#protocol/treeViewProtocol';
import type { Theme } from '../shared/theme';
import type { Camera, Size } from './camera';
import { bringIntoSight, fitBox, visibleBox, zoomAt } from './camera';
import type { Palette, Scale } from './colourScale';
import { createPalette } from './colourScale';
import type { Filter } from './filter';
import { filterGroup, searchGroup } from './filter';
import type { Box, PlacedNode } from './forestLayout';
import { columnLeft, ForestLayout, measures } from './forestLayout';
import type { LayoutKind } from './layout';
import type { ColourBy } from './nodeAppearance';
import { scaleFor } from './nodeAppearance';
import type { HighlightedPath, Scene } from './scene';
import type { GroupModel, PatchOutcome } from './treeState';
import { pathTo, trajectoryOf, TreeState } from './treeState';
import type { ViewState } from './viewState';

const nothingFolded: ReadonlySet<number> = new Set();

/** See the module comment. */
export class ViewModel {
  readonly state = new TreeState();
  readonly forest = new ForestLayout();
  readonly freshFrom = new Map<GroupModel, number>();
  hovered: NodeReference | null = null;
  #view: ViewState;
  #theme: Theme;
  #palette: Palette;
  #size: Size = { width: 800, height: 600 };
  #folded = new Map<string, ReadonlySet<number>>();
  #scale: Scale = { kind: 'sequential', minimum: 0, maximum: 1 };
  #kept = new Map<GroupModel, Uint8Array>();
  #hits = new Map<GroupModel, ReadonlySet<number>>();
  #matches: readonly NodeReference[] = [];
  /** Matches that the host found in texts that are clipped here. */
  #hostMatches: readonly NodeReference[] = [];
  #path: HighlightedPath | null = null;
  /** Where the camera is while the user has left it alone. */
  #fitted: Camera = { x: 24, y: 24, scale: 1 };

  constructor(view: ViewState, theme: Theme) {
    this.#view = view;
    this.#theme = theme;
    this.#palette = createPalette(theme.card);
    for (const [groupId, nodes] of Object.entries(view.folded)) this.#folded.set(groupId, new Set(nodes));
  }

  get view(): ViewState {
    return this.#view;
  }

  get theme(): Theme {
    return this.#theme;
  }

  get palette(): Palette {
    return this.#palette;
  }

  get scale(): Scale {
    return this.#scale;
  }

  get matches(): readonly NodeReference[] {
    return this.#matches;
  }

  /** Until the user moves it or selects something, it shows the trees from their beginning. */
  get camera(): Camera {
    return this.#view.camera ?? this.#fitted;
  }

  get selectedGroup(): GroupModel | undefined {
    const groupId = this.#view.selected?.groupId;
    return groupId === undefined ? undefined : this.state.group(groupId);
  }

  /** Steps that the filter keeps; `null` without a filter. */
  get keptCount(): number | null {
    if (this.#kept.size === 0) return null;
    let count = 0;
    for (const kept of this.#kept.values()) count += kept.reduce((sum, bit) => sum + bit, 0);
    return count;
  }

  get scene(): Scene {
    return {
      forest: this.forest,
      theme: this.#theme,
      palette: this.#palette,
      colourBy: this.#view.colourBy,
      scale: this.#scale,
      camera: this.camera,
      size: this.#size,
      selected: this.#view.selected,
      hovered: this.hovered,
      path: this.#path,
      kept: this.#kept,
      hits: this.#hits,
      freshFrom: this.freshFrom,
    };
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#palette = createPalette(theme.card);
  }

  /** Fits the trees unless the user has chosen a camera. */
  resize(size: Size): void {
    this.#size = size;
    if (this.#view.camera === null && this.forest.trees.length > 0) this.fitFirst();
  }

  /** @throws RangeError when the trees are not whole. */
  replace(snapshot: TreeSnapshot): void {
    this.state.replace(snapshot);
    this.freshFrom.clear();
    this.#relayout();
    this.#refresh();
  }

  /** @throws RangeError when the patch does not fit the trees. */
  apply(patch: TreePatch): PatchOutcome {
    const before = new Map(this.state.groups.map((group) => [group, group.nodes.length]));
    const outcome = this.state.apply(patch);
    if (outcome !== 'applied') return outcome;
    for (const group of this.state.groups) {
      const known = before.get(group) ?? 0;
      if (group.nodes.length > known && !this.freshFrom.has(group)) this.freshFrom.set(group, known);
    }
    this.#relayout();
    this.#refresh();
    const isOther = before.size > 0 && !this.state.groups.some((group) => before.has(group));
    if (isOther && this.#view.camera !== null) this.#showStart();
    return outcome;
  }

  select(reference: NodeReference | null): void {
    const isThere = reference !== null && this.state.node(reference) !== undefined;
    // What is selected stays where it is, however the trees grow.
    const camera = isThere ? this.camera : this.#view.camera;
    this.#view = { ...this.#view, selected: isThere ? reference : null, camera };
    this.#updatePath();
  }

  /** Unfolds what hides the node, and moves the camera as little as needed. */
  reveal(reference: NodeReference): void {
    const group = this.state.group(reference.groupId);
    if (group === undefined) return;
    const folded = this.#foldedOf(group);
    const hiding = pathTo(group, reference.nodeId)
      .slice(0, -1)
      .filter((nodeId) => folded.has(nodeId));
    if (hiding.length > 0)
      this.#setFolded(
        group,
        [...folded].filter((nodeId) => !hiding.includes(nodeId)),
      );
    const placed = this.forest.place(group, reference.nodeId);
    if (placed !== null) this.#moveTo(bringIntoSight(this.camera, cardBox(placed), this.#size));
  }

  setColourBy(colourBy: ColourBy): void {
    this.#view = { ...this.#view, colourBy };
    this.#scale = scaleFor(this.state.groups, colourBy);
  }

  setLayout(layout: LayoutKind): void {
    this.#view = { ...this.#view, layout };
    this.#relayout();
  }

  setFilter(filter: Filter): void {
    this.#view = { ...this.#view, filter };
    this.#refresh();
  }

  setQuery(query: string): void {
    this.#view = { ...this.#view, query };
    this.#hostMatches = [];
    this.#updateMatches();
  }

  setHostMatches(matches: readonly NodeReference[]): void {
    this.#hostMatches = matches;
    this.#updateMatches();
  }

  showDetails(showsDetails: boolean): void {
    this.#view = { ...this.#view, showsDetails };
  }

  isFolded({ groupId, nodeId }: NodeReference): boolean {
    return this.#folded.get(groupId)?.has(nodeId) === true;
  }

  toggleFold({ groupId, nodeId }: NodeReference): void {
    const group = this.state.group(groupId);
    if (group === undefined || (group.children[nodeId]?.length ?? 0) === 0) return;
    const folded = [...this.#foldedOf(group)];
    this.#setFolded(
      group,
      folded.includes(nodeId) ? folded.filter((id) => id !== nodeId) : [...folded, nodeId],
    );
  }

  /** Folds every tree at its prompt, or unfolds everything. */
  foldAll(isFolded: boolean): void {
    this.#folded = new Map(
      isFolded ? this.state.groups.map(({ header }) => [header.groupId, new Set([0])]) : [],
    );
    this.#storeFolded();
    this.#relayout();
  }

  pan(x: number, y: number): void {
    const { camera } = this;
    this.#moveTo({ ...camera, x: camera.x + x, y: camera.y + y });
  }

  zoom(factor: number, point = { x: this.#size.width / 2, y: this.#size.height / 2 }): void {
    this.#moveTo(zoomAt(this.camera, factor, point, this.#minimalScale()));
  }

  fit(): void {
    this.#moveTo(fitBox(this.forest.extent, this.#size));
  }

  /** Everything when that is readable, else the top left at a readable size. */
  fitFirst(): void {
    const all = fitBox(this.forest.extent, this.#size);
    this.#fitted = all.scale >= 0.36 ? all : { x: 24, y: 16, scale: 0.55 };
  }

  /** Other trees have come in place of all that were there: their beginning, as large as before. */
  #showStart(): void {
    this.#moveTo({ x: 24, y: 16, scale: this.camera.scale });
  }

  showAtFullSize(reference: NodeReference): void {
    const group = this.state.group(reference.groupId);
    const placed = group === undefined ? null : this.forest.place(group, reference.nodeId);
    if (placed === null) return;
    const centre = { x: placed.x + measures.cardWidth / 2, y: placed.y + measures.cardHeight / 2 };
    this.#moveTo({ scale: 1, x: this.#size.width / 2 - centre.x, y: this.#size.height / 2 - centre.y });
  }

  /** Centres the camera on a world point. */
  centreOn(x: number, y: number): void {
    const { scale } = this.camera;
    this.#moveTo({ scale, x: this.#size.width / 2 - x * scale, y: this.#size.height / 2 - y * scale });
  }

  #moveTo(camera: Camera): void {
    const { extent } = this.forest;
    const margin = 80;
    const clamp = (offset: number, length: number, low: number, high: number): number =>
      Math.min(length - margin - low * camera.scale, Math.max(margin - high * camera.scale, offset));
    const x = clamp(camera.x, this.#size.width, extent.left, extent.right);
    const y = clamp(camera.y, this.#size.height, extent.top, extent.bottom);
    this.#view = { ...this.#view, camera: { x, y, scale: camera.scale } };
  }

  #minimalScale(): number {
    return Math.min(0.2, fitBox(this.forest.extent, this.#size).scale / 2);
  }

  #foldedOf(group: GroupModel): ReadonlySet<number> {
    return this.#folded.get(group.header.groupId) ?? nothingFolded;
  }

  #setFolded(group: GroupModel, nodeIds: readonly number[]): void {
    this.#folded.set(group.header.groupId, new Set(nodeIds));
    this.#storeFolded();
    this.#relayout();
  }

  #storeFolded(): void {
    const entries = [...this.#folded].filter(([, nodes]) => nodes.size > 0);
    this.#view = {
      ...this.#view,
      folded: Object.fromEntries(entries.map(([groupId, nodes]) => [groupId, [...nodes]])),
    };
  }

  /** Lays out anew and keeps what the user looks at where it is on screen. */
  #relayout(): void {
    const anchor = this.#anchor();
    this.forest.update(this.state.groups, this.#view.layout, (group) => this.#foldedOf(group));
    if (this.#view.camera === null) this.fitFirst();
    if (anchor === null) return;
    const group = this.state.group(anchor.group.header.groupId);
    const moved = group === undefined ? null : this.forest.place(group, anchor.nodeId);
    if (moved === null) return;
    const { scale } = this.camera;
    this.pan((anchor.x - moved.x) * scale, (anchor.y - moved.y) * scale);
  }

  /** The selected card if it is in sight, else the first card in the middle of the screen. */
  #anchor(): PlacedNode | null {
    if (this.#view.camera === null) return null;
    const box = visibleBox(this.camera, this.#size);
    const { selected } = this.#view;
    const selectedTree = this.forest.trees.find(({ group }) => group.header.groupId === selected?.groupId);
    const placed = selectedTree && selected && this.forest.place(selectedTree.group, selected.nodeId);
    if (placed && meets(cardBox(placed), box)) return placed;
    const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
    const trees = this.forest.treesWithin(box);
    const tree = trees.find(({ right, bottom }) => right >= middle.x && bottom >= middle.y) ?? trees.at(-1);
    if (tree === undefined) return null;
    const column = tree.layout.columns.findLast((_nodes, depth) => columnLeft(tree, depth) <= middle.x);
    const candidates = (column ?? []).map((nodeId) => this.forest.place(tree.group, nodeId));
    return candidates.find((card) => card !== null && card.y >= middle.y) ?? candidates.at(-1) ?? null;
  }

  /** Whatever follows from the trees' contents. */
  #refresh(): void {
    this.#scale = scaleFor(this.state.groups, this.#view.colourBy);
    this.#kept = new Map();
    for (const group of this.state.groups) {
      const kept = filterGroup(group, this.#view.filter);
      if (kept !== null) this.#kept.set(group, kept);
    }
    this.#updateMatches();
    const { selected } = this.#view;
    if (selected !== null && this.state.nodeCount > 0 && this.state.node(selected) === undefined)
      this.select(null);
    else this.#updatePath();
  }

  #updateMatches(): void {
    const hits = new Map<GroupModel, Set<number>>();
    if (this.#view.query.trim() !== '') {
      for (const group of this.state.groups) {
        const found = searchGroup(group, this.#view.query);
        if (found.length > 0) hits.set(group, new Set(found));
      }
    }
    for (const { groupId, nodeId } of this.#hostMatches) {
      const group = this.state.group(groupId);
      if (group?.nodes[nodeId] === undefined) continue;
      hits.set(group, (hits.get(group) ?? new Set()).add(nodeId));
    }
    this.#hits = hits;
    this.#matches = [...hits].flatMap(([group, nodes]) =>
      [...nodes].sort((a, b) => a - b).map((nodeId) => ({ groupId: group.header.groupId, nodeId })),
    );
  }

  #updatePath(): void {
    const { selected } = this.#view;
    const group = this.selectedGroup;
    this.#path = null;
    if (selected === null || group === undefined) return;
    const trajectory = trajectoryOf(group, selected.nodeId);
    const nodeIds = pathTo(group, selected.nodeId);
    const isForeign = (nodeId: number): boolean =>
      nodeId !== 0 && trajectory !== null && group.nodes[nodeId]?.slot !== trajectory.slot;
    this.#path = { group, nodeIds: new Set(nodeIds), inherited: new Set(nodeIds.filter(isForeign)) };
  }
}

/** The card of a node as a box. */
export function cardBox({ x, y }: PlacedNode): Box {
  return { left: x, top: y, right: x + measures.cardWidth, bottom: y + measures.cardHeight };
}

function meets(a: Box, b: Box): boolean {
  return a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
}

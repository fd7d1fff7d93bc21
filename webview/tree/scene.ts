/** Everything one frame is drawn from. */
import type { NodeReference } from '#protocol/treeViewProtocol';
import type { Theme } from '../shared/theme';
import type { Camera, Size } from './camera';
import type { Palette, Scale } from './colourScale';
import type { ForestLayout } from './forestLayout';
import type { ColourBy } from './nodeAppearance';
import type { GroupModel } from './treeState';

/** The path from the prompt to the selected node. */
export interface HighlightedPath {
  readonly group: GroupModel;
  readonly nodeIds: ReadonlySet<number>;
  /** Nodes of the path that the selected trajectory took over from another one. */
  readonly inherited: ReadonlySet<number>;
}

export interface Scene {
  readonly forest: ForestLayout;
  readonly theme: Theme;
  readonly palette: Palette;
  readonly colourBy: ColourBy;
  readonly scale: Scale;
  readonly camera: Camera;
  readonly size: Size;
  readonly selected: NodeReference | null;
  readonly hovered: NodeReference | null;
  readonly path: HighlightedPath | null;
  /** `[nodes]` by group, 1 = kept by the filter; no entry: all are kept. */
  readonly kept: ReadonlyMap<GroupModel, Uint8Array>;
  /** Nodes by group that the search found. */
  readonly hits: ReadonlyMap<GroupModel, ReadonlySet<number>>;
  /** First node id by group that came a moment ago. */
  readonly freshFrom: ReadonlyMap<GroupModel, number>;
}

/** How much of a node is drawn. */
export type DetailLevel = 'near' | 'middle' | 'far';

export function detailLevel(scale: number): DetailLevel {
  if (scale >= 0.66) return 'near';
  return scale >= 0.2 ? 'middle' : 'far';
}

export function isKept(scene: Scene, group: GroupModel, nodeId: number): boolean {
  return scene.kept.get(group)?.[nodeId] !== 0;
}

export function isSame(reference: NodeReference | null, group: GroupModel, nodeId: number): boolean {
  return reference !== null && reference.nodeId === nodeId && reference.groupId === group.header.groupId;
}

/** What of the view outlives a reload, and how it is read back from an untrusted source. Pure. */
import type { NodeReference } from '#protocol/treeViewProtocol';
import type { Camera } from './camera';
import type { Filter, OutcomeFilter, RuleFilter } from './filter';
import { noFilter } from './filter';
import type { LayoutKind } from './layout';
import type { ColourBy } from './nodeAppearance';
import { colourings } from './nodeAppearance';

export interface ViewState {
  readonly colourBy: ColourBy;
  readonly layout: LayoutKind;
  readonly filter: Filter;
  readonly query: string;
  /** Folded node ids by group. */
  readonly folded: Readonly<Record<string, readonly number[]>>;
  readonly selected: NodeReference | null;
  /** `null`: fit on the first draw. */
  readonly camera: Camera | null;
  readonly showsDetails: boolean;
}

export const initialViewState: ViewState = {
  colourBy: 'entropy',
  layout: 'lanes',
  filter: noFilter,
  query: '',
  folded: {},
  selected: null,
  camera: null,
  showsDetails: true,
};

/** The stored state with everything that does not fit replaced by its default. */
export function readViewState(stored: unknown): ViewState {
  if (!isRecord(stored)) return initialViewState;
  const { colourBy, layout, query, showsDetails } = stored;
  return {
    colourBy: colourings.find(({ value }) => value === colourBy)?.value ?? initialViewState.colourBy,
    layout: layout === 'tidy' ? 'tidy' : 'lanes',
    filter: readFilter(stored['filter']),
    query: typeof query === 'string' ? query : '',
    folded: readFolded(stored['folded']),
    selected: readReference(stored['selected']),
    camera: readCamera(stored['camera']),
    showsDetails: showsDetails !== false,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function readFilter(value: unknown): Filter {
  if (!isRecord(value)) return noFilter;
  const outcomes: readonly OutcomeFilter[] = ['right', 'wrong', 'negative'];
  const rules: readonly RuleFilter[] = ['taken', 'refused', 'exhausted'];
  const { tool, depth } = value;
  return {
    outcome: outcomes.find((outcome) => outcome === value['outcome']) ?? 'any',
    tool: typeof tool === 'string' ? tool : null,
    depth: isCount(depth) ? depth : null,
    rule: rules.find((rule) => rule === value['rule']) ?? 'any',
  };
}

function readFolded(value: unknown): Record<string, readonly number[]> {
  if (!isRecord(value)) return {};
  const entries = Object.entries(value).map(([groupId, nodes]): [string, readonly number[]] => [
    groupId,
    Array.isArray(nodes) ? nodes.filter(isCount) : [],
  ]);
  return Object.fromEntries(entries);
}

function readReference(value: unknown): NodeReference | null {
  if (!isRecord(value)) return null;
  const { groupId, nodeId } = value;
  return typeof groupId === 'string' && isCount(nodeId) ? { groupId, nodeId } : null;
}

function readCamera(value: unknown): Camera | null {
  if (!isRecord(value)) return null;
  const { x, y, scale } = value;
  const isFinite = [x, y, scale].every((part) => typeof part === 'number' && Number.isFinite(part));
  return isFinite && Number(scale) > 0 ? { x: Number(x), y: Number(y), scale: Number(scale) } : null;
}

/** What of the view outlives a reload, and how it is read back from an untrusted source. Pure. */
import type { AxisName } from '#protocol/metricsViewProtocol';
import { axisNames } from '#protocol/metricsViewProtocol';
import { charts } from './chartCatalogue';
import type { Domain } from './chartModel';

export interface ViewState {
  /** Run ids in their order; the host reads them to show the same runs again. */
  readonly runs: readonly string[];
  readonly hidden: readonly string[];
  readonly axis: AxisName;
  readonly zoom: Domain | null;
  /** Ids of the charts that are shown as tables. */
  readonly tables: readonly string[];
  /** CSS pixels. */
  readonly scrollTop: number;
}

export const initialViewState: ViewState = {
  runs: [],
  hidden: [],
  axis: 'updates',
  zoom: null,
  tables: [],
  scrollTop: 0,
};

/** The stored state with everything that does not fit replaced by its default. */
export function readViewState(stored: unknown): ViewState {
  if (typeof stored !== 'object' || stored === null) return initialViewState;
  const state: Readonly<Record<string, unknown>> = { ...stored };
  const { scrollTop } = state;
  return {
    runs: readTexts(state['runs']),
    hidden: readTexts(state['hidden']),
    axis: axisNames.find((axis) => axis === state['axis']) ?? initialViewState.axis,
    zoom: readDomain(state['zoom']),
    tables: readTexts(state['tables']).filter((id) => charts.some((chart) => chart.id === id)),
    scrollTop: isNumber(scrollTop) && scrollTop > 0 ? scrollTop : 0,
  };
}

function readTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === 'string') : [];
}

function readDomain(value: unknown): Domain | null {
  if (!Array.isArray(value)) return null;
  const [low, high]: unknown[] = value;
  return isNumber(low) && isNumber(high) && low < high ? [low, high] : null;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

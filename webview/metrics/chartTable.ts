/** The numbers of a chart as a table, for screen readers and for reading exact values. */
import { element } from '../shared/dom';
import type { ChartModel } from './chartModel';
import { text } from './metricsText';
import { axisText, valueText } from './numberText';

/** More rows are not shown at once. */
export const maximalRows = 500;

/** The newest rows last. Cells of positions where a line has no point are empty. */
export function createChartTable(model: ChartModel): HTMLElement {
  const { xs, lines, axis, definition } = model;
  const hasRuns = new Set(lines.map(({ runId }) => runId)).size > 1;
  const header = element(
    'tr',
    {},
    element('th', { attributes: { scope: 'col' } }, text(`axis_${axis}`)),
    ...lines.map(({ metric, runTitle }) =>
      element(
        'th',
        { attributes: { scope: 'col' } },
        hasRuns ? `${text(metric)} · ${runTitle}` : text(metric),
      ),
    ),
  );
  const first = Math.max(0, xs.length - maximalRows);
  const rows = xs.slice(first).map((x, at) =>
    element(
      'tr',
      {},
      element('th', { attributes: { scope: 'row' } }, axisText(x, axis)),
      ...lines.map(({ values }) => {
        const value = values[first + at];
        return element('td', {}, typeof value === 'number' ? valueText(value, definition.unit) : '');
      }),
    ),
  );
  const table = element(
    'table',
    {},
    element('caption', {}, text('tableCaption', text(definition.title), text(`axisLabel_${axis}`))),
    element('thead', {}, header),
    element('tbody', {}, ...rows),
  );
  const note = first === 0 ? null : element('p', {}, text('tableClipped', maximalRows, xs.length));
  return element(
    'div',
    {
      className: 'chart-table',
      attributes: { tabindex: '0', role: 'region', 'aria-label': text(definition.title) },
    },
    table,
    note,
  );
}

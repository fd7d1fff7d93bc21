/** The values above a chart: a row per metric, a column per run. */
import type { Rgb } from '../shared/colour';
import { element } from '../shared/dom';
import type { Theme } from '../shared/theme';
import type { ChartModel } from './chartModel';
import type { LineValue } from './chartValues';
import { positionText, sampleText, valuesAt } from './chartValues';
import { linePalette } from './lineStyle';
import { text } from './metricsText';
import { valueText } from './numberText';
import { createSwatch } from './swatch';

/** See the module comment. */
export class Readout {
  readonly element = element('dl', { className: 'readout' });
  readonly #place: HTMLElement;

  /** @param place Where it says which position the values belong to. */
  constructor(place: HTMLElement) {
    this.#place = place;
  }

  show(model: ChartModel, crosshair: number | null, theme: Theme): void {
    this.#place.textContent = crosshair === null ? text('latest') : positionText(model, crosshair);
    const values = valuesAt(model, crosshair);
    const metrics = model.definition.metrics.filter((metric) =>
      values.some(({ line }) => line.metric === metric),
    );
    const isCompared = new Set(model.lines.map(({ runId }) => runId)).size > 1 || this.#hasManyRuns(model);
    this.element.replaceChildren(
      ...metrics.map((metric) => {
        const own = values.filter(({ line }) => line.metric === metric);
        return this.#row(own, { model, theme, isCompared });
      }),
    );
  }

  /** Colours belong to runs as soon as a second one is there, even when it is hidden. */
  #hasManyRuns({ lines }: ChartModel): boolean {
    const [first, second] = lines;
    return first !== undefined && second !== undefined && first.style.colour === second.style.colour;
  }

  #row(values: readonly LineValue[], { model, theme, isCompared }: RowLook): HTMLElement {
    const palette = linePalette(theme.background);
    const [first] = values;
    const name = first === undefined ? '' : text(first.line.metric);
    const swatch =
      first === undefined
        ? null
        : createSwatch(
            first.line.style,
            isCompared ? theme.muted : (palette[first.line.style.colour] ?? theme.foreground),
            isCompared ? 'dash' : 'line',
          );
    const marked = isCompared ? palette : null;
    return element(
      'div',
      { className: 'readout-row' },
      element('dt', {}, swatch, name),
      element('dd', {}, ...values.map((value) => valueElement(value, { model, theme, palette: marked }))),
    );
  }
}

/** @param palette `null`: the line needs no marker, because there is one run only. */
function valueElement(
  { line, sample }: LineValue,
  {
    model,
    theme,
    palette,
  }: { readonly model: ChartModel; readonly theme: Theme; readonly palette: readonly Rgb[] | null },
): HTMLElement {
  const className = sample === null || !sample.isExact ? 'value inexact' : 'value';
  const swatch =
    palette === null
      ? null
      : createSwatch(line.style, palette[line.style.colour] ?? theme.foreground, 'marker');
  const written = sample === null ? '–' : valueText(sample.value, model.definition.unit);
  return element(
    'span',
    { className, attributes: { title: `${line.runTitle}: ${sampleText(model, sample)}` } },
    swatch,
    sample === null || sample.isExact ? written : `≈${written}`,
  );
}

interface RowLook {
  readonly model: ChartModel;
  readonly theme: Theme;
  readonly isCompared: boolean;
}

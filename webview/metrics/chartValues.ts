/** What the lines of a chart say at the crosshair, as numbers and as a sentence. Pure. */
import type { ChartLine, ChartModel, Sample } from './chartModel';
import { lastSample, nearestIndex, sampleAt } from './chartModel';
import { text } from './metricsText';
import { axisText, valueText } from './numberText';

/** The value of one line. */
export interface LineValue {
  readonly line: ChartLine;
  /** `null`: the line has none there. */
  readonly sample: Sample | null;
}

/** The values at a position, or the last ones when there is none. */
export function valuesAt({ xs, lines }: ChartModel, crosshair: number | null): readonly LineValue[] {
  const index = crosshair === null ? -1 : nearestIndex(xs, crosshair);
  return lines.map((line) => ({
    line,
    sample: crosshair === null ? lastSample(line.values) : sampleAt(xs, line.values, index),
  }));
}

/** `update 5`, `1,234 tool calls`, `2 min 5 s`. */
export function positionText({ axis }: ChartModel, x: number): string {
  return text(`at_${axis}`, axisText(x, axis));
}

/** `update 5: paid 120; independent sampling 300`, with the names of runs when there are several. */
export function sentenceAt(model: ChartModel, crosshair: number | null): string {
  const place = crosshair === null ? text('latest') : positionText(model, crosshair);
  const hasRuns = new Set(model.lines.map(({ runId }) => runId)).size > 1;
  const parts = valuesAt(model, crosshair).map(({ line, sample }) => {
    const name = hasRuns ? `${text(line.metric)}, ${line.runTitle}` : text(line.metric);
    return `${name} ${sampleText(model, sample)}`;
  });
  return `${place}: ${parts.length === 0 ? text('noValues') : parts.join('; ')}`;
}

/** The value, and where it stands when that is somewhere else. */
export function sampleText(model: ChartModel, sample: Sample | null): string {
  if (sample === null) return text('noValueHere');
  const value = valueText(sample.value, model.definition.unit);
  const x = model.xs[sample.index];
  return sample.isExact || x === undefined ? value : `${value} (${positionText(model, x)})`;
}

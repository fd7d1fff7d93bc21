/** Which part of the axis is shown after zooming. Pure. */
import type { Domain } from './chartModel';

export interface ZoomStep {
  /** Of the width: below 1 zooms in. */
  readonly factor: number;
  /** What stays in its place; `null`: the middle. */
  readonly centre: number | null;
  /** All there is: nothing outside of it is ever shown. */
  readonly whole: Domain;
}

/** `null` when everything is shown. */
export function zoomAround(shown: Domain, { factor, centre, whole }: ZoomStep): Domain | null {
  const [low, high] = shown;
  const fixed = centre === null || centre < low || centre > high ? (low + high) / 2 : centre;
  const width = (high - low) * factor;
  if (width >= whole[1] - whole[0]) return null;
  const wanted = fixed - (fixed - low) * factor;
  const start = Math.min(Math.max(wanted, whole[0]), whole[1] - width);
  return [start, start + width];
}

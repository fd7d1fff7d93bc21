/** Round numbers for axes. Pure. */

/** Seconds between ticks of a time axis. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];

/** Which steps are allowed between ticks. */
export type TickKind = 'number' | 'whole' | 'time';

/** Ascending, all inside of the domain; about `count` of them, fewer when steps must be whole. */
export function ticksOf(
  domain: readonly [number, number],
  count: number,
  kind: TickKind = 'number',
): number[] {
  const [low, high] = domain;
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const step = stepFor(span / Math.max(1, count), kind);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // From an integer times the step, so that errors do not add up.
  return Array.from({ length: last - first + 1 }, (_unused, at) => roundTo((first + at) * step, step));
}

/** A step of 1, 2 or 5 times a power of ten (or a unit of time) that is not below the given one. */
function stepFor(minimum: number, kind: TickKind): number {
  if (kind === 'time') {
    const step = timeSteps.find((candidate) => candidate >= minimum);
    if (step !== undefined && minimum > 0.5) return step;
  }
  const power = 10 ** Math.floor(Math.log10(minimum));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= minimum * (1 - 1e-9)) ?? 10;
  return kind === 'whole' ? Math.max(1, factor * power) : factor * power;
}

function roundTo(value: number, step: number): number {
  const digits = Math.max(0, Math.min(20, 2 - Math.floor(Math.log10(step))));
  const rounded = Number(value.toFixed(digits));
  return rounded === 0 ? 0 : rounded;
}

/**
 * The domain that shows all values: with a little room, with what `range` asks for, never empty.
 *
 * @param values May hold NaN, which is passed over.
 */
export function valueDomain(
  values: readonly number[],
  range: 'free' | 'fromZero' | 'share',
): readonly [number, number] {
  if (range === 'share') return [0, 1];
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return [0, 1];
  let low = known.reduce((least, value) => Math.min(least, value), Infinity);
  let high = known.reduce((most, value) => Math.max(most, value), -Infinity);
  if (range === 'fromZero') [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) {
    const half = low === 0 ? 0.5 : Math.abs(low) * 0.1;
    return range === 'fromZero' ? [0, 1] : [low - half, high + half];
  }
  const room = (high - low) * 0.06;
  return [range === 'fromZero' && low === 0 ? 0 : low - room, high + room];
}

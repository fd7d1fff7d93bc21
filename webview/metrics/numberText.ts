/** How numbers are written for people. Pure; always in English digits, as the exports are. */
import type { AxisName } from '#protocol/metricsViewProtocol';
import type { ValueUnit } from './chartCatalogue';

/** A value with as many digits as it deserves. */
export function valueText(value: number, unit: ValueUnit): string {
  switch (unit) {
    case 'share':
      return value === 0 ? '0 %' : `${fixed(value * 100, Math.abs(value) < 0.01 ? 3 : 1)} %`;
    case 'count':
      return wholeText(value);
    case 'nats':
    case 'number':
      return numberText(value);
  }
}

/** A tick of a value axis: short, and as exact as its neighbours need. */
export function valueTickText(value: number, unit: ValueUnit, step: number): string {
  if (unit === 'share') return `${trimmed(value * 100, step * 100)}%`;
  if (Math.abs(value) >= 10_000) return compactText(value);
  return unit === 'count' && step >= 1 ? wholeText(value) : trimmed(value, step);
}

/** A position on the axis, without its unit; times with theirs. */
export function axisText(value: number, axis: AxisName): string {
  return axis === 'time' ? durationText(value) : wholeText(value);
}

/** A tick of the axis. */
export function axisTickText(value: number, axis: AxisName): string {
  if (axis === 'time') return durationText(value);
  return Math.abs(value) >= 10_000 ? compactText(value) : wholeText(value);
}

/** `45 s`, `2 min 5 s`, `3 h 20 min`; at most two parts. */
export function durationText(seconds: number): string {
  const rounded = Math.round(seconds);
  if (seconds < 10 && rounded !== seconds) return `${fixed(seconds, 1)} s`;
  const [hours, minutes, rest] = [Math.floor(rounded / 3_600), Math.floor(rounded / 60) % 60, rounded % 60];
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  if (minutes > 0) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  return `${rest} s`;
}

function wholeText(value: number): string {
  const digits = String(Math.abs(Math.round(value)));
  const grouped = digits.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0 && digits !== '0' ? '−' : ''}${grouped}`;
}

function compactText(value: number): string {
  const [divisor, letter] =
    Math.abs(value) >= 1e9 ? [1e9, 'G'] : Math.abs(value) >= 1e6 ? [1e6, 'M'] : [1e3, 'k'];
  return `${fixed(value / divisor, 2).replace(/\.?0+$/, '')}${letter}`;
}

/** Four significant digits; powers of ten where zeros would hide the number. */
function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(2).split('e');
    return `${minus(mantissa ?? '')}e${minus((exponent ?? '').replace('+', ''))}`;
  }
  return fixed(value, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

function trimmed(value: number, step: number): string {
  if (value === 0) return '0';
  if (step < 1e-3) return minus(value.toExponential().replace('+', ''));
  return fixed(value, Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9))));
}

function fixed(value: number, digits: number): string {
  const written = value.toFixed(digits);
  return minus(Number(written) === 0 ? written.replace('-', '') : written);
}

/** With a minus sign as wide as a digit. */
function minus(written: string): string {
  return written.replace('-', '−');
}

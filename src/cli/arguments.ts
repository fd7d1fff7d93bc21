import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { nearestName } from '#runs/nearestName';

/** The command line was not understood; the message says what to write instead. */
export class UsageError extends Error {
  readonly code = 'usage';
}

/** One option of a command, for parsing and for `--help`. */
export interface OptionDescription {
  readonly name: string;
  /** The placeholder of its value, or `null` for a switch. */
  readonly value: string | null;
  readonly isRepeatable?: boolean;
  readonly help: string;
}

/** Options by name: the texts given, in order; a switch that was given has one empty text. */
export type ParsedOptions = ReadonlyMap<string, readonly string[]>;

/** @throws UsageError for unknown options, missing values and stray arguments. */
export function parseOptions(
  argumentList: readonly string[],
  descriptions: readonly OptionDescription[],
): ParsedOptions {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, value } of descriptions) {
    options[name] = { type: value === null ? 'boolean' : 'string', multiple: true };
  }
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({ args: [...argumentList], options, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(usageMessage(error, descriptions));
  }
  const parsed = new Map<string, readonly string[]>();
  for (const { name, isRepeatable } of descriptions) {
    const given = values[name];
    if (!Array.isArray(given)) continue;
    if (given.length > 1 && isRepeatable !== true)
      throw new UsageError(`--${name}: expected once, got ${given.length} times`);
    parsed.set(
      name,
      given.map((item) => (typeof item === 'string' ? item : '')),
    );
  }
  return parsed;
}

/** What Node says, with the option that was probably meant. */
function usageMessage(error: unknown, descriptions: readonly OptionDescription[]): string {
  if (!(error instanceof Error)) return String(error);
  const [, unknown] = /^Unknown option '--([^']+)'/.exec(error.message) ?? [];
  if (unknown === undefined) return error.message;
  const names = descriptions.map(({ name }) => name);
  const meant = nearestName(unknown, names);
  const hint = meant === null ? `Known are --${names.join(', --')}.` : `Did you mean --${meant}?`;
  return `Unknown option --${unknown}. ${hint}`;
}

/** The value of an option that may be given once, or `undefined`. */
export function optionValue(options: ParsedOptions, name: string): string | undefined {
  return options.get(name)?.[0];
}

/** @throws UsageError unless the value is an integer in the range. */
export function integerOption(
  options: ParsedOptions,
  name: string,
  range: { readonly minimum: number; readonly maximum: number },
): number | undefined {
  const text = optionValue(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < range.minimum || value > range.maximum) {
    throw new UsageError(
      `--${name}: expected an integer in ${range.minimum}..${range.maximum}, got "${text}"`,
    );
  }
  return value;
}

/** The help text of a command. */
export function formatHelp(command: string, summary: string, options: readonly OptionDescription[]): string {
  const left = options.map(({ name, value }) => `--${name}${value === null ? '' : ` ${value}`}`);
  const width = Math.max(...left.map((text) => text.length));
  const rows = options.map(({ help }, index) => `  ${left[index].padEnd(width)}  ${help}`);
  return [`Usage: npm run ${command} -- [options]`, '', summary, '', 'Options:', ...rows].join('\n');
}

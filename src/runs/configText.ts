/** Configuration files: JSON with comments and trailing commas, and changes made on the command line. */
import {
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser';
import { branchingPresets } from '#arpo/branchingOptions';
import { describe, type FieldPath, type FieldProblem } from '#runs/configField';
import { configNames, schemaAt } from '#runs/configSchema';
import { nearestName } from '#runs/nearestName';
import { readRunConfig, type RunConfig } from '#runs/runConfig';

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** The file, or the command-line argument, that has the problem. */
  readonly source: string;
  /** Counted from 1; `null` for command-line arguments and for what is missing altogether. */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted: `rollout.branching.tau`; '' for the file as a whole. */
  readonly path: string;
  /** What was expected and what came. */
  readonly message: string;
}

/** A change to a configuration that does not stand in its file. */
export interface ConfigOverride {
  /** As given by the person: `--set rollout.temperature=0.7`. */
  readonly source: string;
  readonly path: FieldPath;
  /** `undefined` removes the member. */
  readonly value: unknown;
}

export type ParsedRunConfig =
  | { readonly config: RunConfig; readonly problems: null }
  | { readonly config: null; readonly problems: readonly ConfigProblem[] };

/**
 * Reads the text of a configuration file.
 *
 * @param fileName Shown in problems.
 * @param overrides Applied in order, before anything is checked.
 * @returns The configuration with all defaults filled in, or all that is wrong with it.
 */
export function parseRunConfig(
  text: string,
  fileName: string,
  overrides: readonly ConfigOverride[] = [],
): ParsedRunConfig {
  const errors: ParseError[] = [];
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const root = parseTree(source, errors, { allowTrailingComma: true });
  const problems =
    errors.length > 0 || root === undefined
      ? syntaxProblems(source, fileName, errors)
      : duplicateProblems(root, { source, fileName });
  if (problems.length > 0 || root === undefined) return { config: null, problems };
  const value: unknown = getNodeValue(root);
  const { config, problems: found } = readRunConfig(overrides.reduce(applyOverride, value));
  if (found.length === 0) return { config, problems: null };
  const placed = found.map((one) => placeProblem(one, { source, fileName, root, overrides }));
  return { config: null, problems: placed.sort(byPlace) };
}

/** Those of the command line first, then from the top of the file to its end. */
function byPlace(left: ConfigProblem, right: ConfigProblem): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0);
}

/**
 * A change for one setting. Words are taken as JSON where the setting is not a text: `1`, `null`, `false`.
 *
 * @param path Dotted: `optimizer.learningRate`.
 * @param source As given by the person; made from path and words when left out.
 */
export function setConfigValue(
  path: string,
  words: string,
  source = `--set ${path}=${words}`,
): ConfigOverride {
  const keys = path.split('.');
  const schema = schemaAt(keys);
  const isText = schema !== null && schema['type'] === 'string';
  return { source, path: keys, value: isText ? words : parseWords(words) };
}

/** Changes that switch to a preset of branching, and drop what in the file contradicts it. */
export function setBranching(rule: string): readonly ConfigOverride[] {
  const source = `--branching ${rule}`;
  const section = ['rollout', 'branching'];
  const isPlain = rule in branchingPresets && rule === 'none';
  return [
    { source, path: [...section, 'preset'], value: rule },
    { source, path: [...section, 'rule'], value: undefined },
    ...(isPlain ? [{ source, path: [...section, 'initialRollouts'], value: undefined }] : []),
  ];
}

/** The problems as lines of text: `quick.jsonc:12:17: rollout.branching.tau: expected …`. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ source, line, column, path, message }) => {
      const place = line === null ? source : `${source}:${line}:${column}`;
      return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
    })
    .join('\n');
}

function parseWords(words: string): unknown {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
}

function applyOverride(value: unknown, override: ConfigOverride): unknown {
  return changed(value, override.path, override.value);
}

function changed(value: unknown, path: FieldPath, member: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return member;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const members: Record<string, unknown> = isObject ? { ...value } : {};
  const result = changed(members[key], rest, member);
  if (result === undefined) delete members[key];
  else members[key] = result;
  return members;
}

interface ConfigSource {
  readonly source: string;
  readonly fileName: string;
}

function placeProblem(
  problem: FieldProblem,
  { root, overrides, ...file }: ConfigSource & { root: Node; overrides: readonly ConfigOverride[] },
): ConfigProblem {
  const path = problem.path.join('.');
  const message = problem.message === 'unknown key' ? unknownKey(problem.path) : problem.message;
  const override = overrides.findLast((one) => one.value !== undefined && startsWith(problem.path, one.path));
  if (override !== undefined) return { source: override.source, line: null, column: null, path, message };
  const node = nodeFor(root, problem);
  return { ...position(file, node.offset), path, message };
}

function unknownKey(path: FieldPath): string {
  const key = path[path.length - 1];
  const section = path.slice(0, -1).join('.');
  const prefix = section === '' ? '' : `${section}.`;
  const isSibling = (name: string): boolean =>
    name.startsWith(prefix) && !name.slice(prefix.length).includes('.');
  const siblings = configNames.filter(isSibling).map((name) => name.slice(prefix.length));
  const near = nearestName(key, siblings);
  if (near !== null) return `unknown key; did you mean "${near}"?`;
  const elsewhere = configNames.find((name) => name.split('.').at(-1) === key);
  return elsewhere === undefined ? 'unknown key' : `unknown key; did you mean "${elsewhere}"?`;
}

function startsWith(path: FieldPath, start: FieldPath): boolean {
  return start.every((key, index) => path[index] === key);
}

/** The node that has the problem, or the nearest one around it when it is missing. */
function nodeFor(root: Node, { path, target }: FieldProblem): Node {
  for (let length = path.length; length > 0; length -= 1) {
    const segments = path.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const node = findNodeAtLocation(root, segments);
    if (node === undefined) continue;
    const isKey = target === 'key' && length === path.length;
    return isKey ? (node.parent?.children?.[0] ?? node) : node;
  }
  return root;
}

function position(file: ConfigSource, offset: number): Pick<ConfigProblem, 'source' | 'line' | 'column'> {
  const before = file.source.slice(0, offset).split(/\r\n|\n|\r/);
  return { source: file.fileName, line: before.length, column: before[before.length - 1].length + 1 };
}

function syntaxProblems(source: string, fileName: string, errors: readonly ParseError[]): ConfigProblem[] {
  if (source.trim() === '') {
    return [
      { source: fileName, line: 1, column: 1, path: '', message: 'expected an object, got an empty file' },
    ];
  }
  return errors.map(({ error, offset }) => {
    const what = syntaxMessages[printParseErrorCode(error)] ?? 'expected JSON';
    const got = source.slice(offset, offset + 1);
    const message = got === '' ? `${what}, got the end of the file` : `${what}, got ${describe(got)}`;
    return { ...position({ source, fileName }, offset), path: '', message };
  });
}

const syntaxMessages: Readonly<Record<string, string>> = {
  InvalidSymbol: 'expected a number, a text in double quotes, true, false, null, a list or an object',
  InvalidNumberFormat: 'expected a number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":"',
  CommaExpected: 'expected ","',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: 'expected nothing after the closing "}"',
  UnexpectedEndOfComment: 'expected "*/" at the end of the comment',
  UnexpectedEndOfString: 'expected a closing double quote in the same line',
  UnexpectedEndOfNumber: 'expected more digits',
  InvalidUnicode: 'expected four hexadecimal digits after "\\u"',
  InvalidEscapeCharacter: 'expected a known escape sequence after "\\"',
  InvalidCharacter: 'expected no control characters in a text',
};

function duplicateProblems(node: Node, file: ConfigSource, path: FieldPath = []): ConfigProblem[] {
  if (node.type === 'array') {
    return (node.children ?? []).flatMap((child, index) =>
      duplicateProblems(child, file, [...path, String(index)]),
    );
  }
  if (node.type !== 'object') return [];
  const seen = new Set<string>();
  return (node.children ?? []).flatMap((property) => {
    const [key, value] = property.children ?? [];
    const name = String(key.value);
    const own = [...path, name];
    const isRepeated = seen.has(name);
    seen.add(name);
    const message = 'expected every key once, got it again';
    return [
      ...(isRepeated ? [{ ...position(file, key.offset), path: own.join('.'), message }] : []),
      ...(value === undefined ? [] : duplicateProblems(value, file, own)),
    ];
  });
}

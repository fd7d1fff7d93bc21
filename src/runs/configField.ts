/**
 * The kinds of fields a configuration is made of. A field knows what it accepts, what it stands for
 * when it is left out, and how to say both to people and in JSON Schema, so that validation, defaults,
 * messages and the published schema cannot disagree.
 */

/** Keys from the top of the configuration to a value. */
export type FieldPath = readonly string[];

/** A value or key that cannot be used. */
export interface FieldProblem {
  readonly path: FieldPath;
  /** Which end of the member is meant when it is shown in the text. */
  readonly target: 'key' | 'value';
  /** Without the path. */
  readonly message: string;
}

/** A JSON Schema (draft 7) or a part of one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** One member of a configuration, of type `T` once it is read. */
export interface Field<T> {
  /** Description, type, limits and default. */
  readonly schema: JsonSchema;
  /** `text` when words on a command line are to be taken as they are. */
  readonly isText: boolean;
  /**
   * Reads a value; `undefined` means that it is left out.
   *
   * @param problems Gains what is wrong; the result is then some value of type `T` to go on with.
   */
  read(value: unknown, path: FieldPath, problems: FieldProblem[]): T;
}

/** The type of what a field reads. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The fields of an object with the members of `T`. */
export type Shape<T> = { readonly [K in keyof T]-?: Field<T[K]> };

interface NumberOptions {
  readonly description: string;
  readonly default: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Exclusive bounds. */
  readonly above?: number;
  readonly below?: number;
}

/** Any finite number within the given bounds. */
export function numberField(options: NumberOptions): Field<number> {
  return boundedField('number', 'a number', options);
}

/** A whole number within the given bounds. */
export function integerField(options: NumberOptions): Field<number> {
  return boundedField('integer', 'a whole number', options);
}

function boundedField(type: 'number' | 'integer', noun: string, options: NumberOptions): Field<number> {
  const { minimum = -Infinity, maximum = Infinity, above = -Infinity, below = Infinity } = options;
  const bounds = [
    options.minimum !== undefined && `at least ${options.minimum}`,
    options.above !== undefined && `above ${options.above}`,
    options.maximum !== undefined && `at most ${options.maximum}`,
    options.below !== undefined && `below ${options.below}`,
  ].filter((bound) => bound !== false);
  const accepts = (value: unknown): value is number =>
    typeof value === 'number' &&
    (type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= minimum &&
    value <= maximum &&
    value > above &&
    value < below;
  return leafField({
    accepts,
    expected: bounds.length === 0 ? noun : `${noun} ${bounds.join(' and ')}`,
    fallback: options.default,
    schema: {
      description: options.description,
      type,
      ...(options.minimum !== undefined && { minimum: options.minimum }),
      ...(options.maximum !== undefined && { maximum: options.maximum }),
      ...(options.above !== undefined && { exclusiveMinimum: options.above }),
      ...(options.below !== undefined && { exclusiveMaximum: options.below }),
    },
  });
}

/** `true` or `false`. */
export function booleanField(options: { description: string; default: boolean }): Field<boolean> {
  return leafField({
    accepts: (value) => typeof value === 'boolean',
    expected: 'true or false',
    fallback: options.default,
    schema: { description: options.description, type: 'boolean' },
  });
}

interface TextOptions {
  readonly description: string;
  /** Without a default the text must be given. */
  readonly default?: string;
  readonly pattern?: RegExp;
  /** What the pattern means, for people: `1 to 64 letters or digits`. */
  readonly expected?: string;
}

/** A text that is not empty. */
export function textField(options: TextOptions): Field<string> {
  const { pattern, expected = 'a text that is not empty' } = options;
  return leafField({
    accepts: (value): value is string =>
      typeof value === 'string' && value !== '' && (pattern === undefined || pattern.test(value)),
    expected,
    fallback: options.default,
    isText: true,
    schema: {
      description: options.description,
      type: 'string',
      ...(pattern === undefined ? { minLength: 1 } : { pattern: pattern.source }),
    },
  });
}

interface ChoiceOptions<T extends string> {
  readonly description: string;
  readonly default: T;
  /** The allowed texts, each with one sentence on what it means. */
  readonly values: Readonly<Record<T, string>>;
}

/** One of a few texts. */
export function choiceField<T extends string>(options: ChoiceOptions<T>): Field<T> {
  const names = Object.keys(options.values);
  return leafField({
    accepts: (value): value is T => typeof value === 'string' && names.includes(value),
    expected: `one of ${names.map((name) => `"${name}"`).join(', ')}`,
    fallback: options.default,
    isText: true,
    schema: {
      description: options.description,
      type: 'string',
      enum: names,
      // Shown by VS Code beside every proposal.
      enumDescriptions: Object.values(options.values),
    },
  });
}

interface LeafOptions<T> {
  readonly accepts: (value: unknown) => value is T;
  readonly expected: string;
  /** `undefined` when the value must be given. */
  readonly fallback: T | undefined;
  readonly schema: JsonSchema;
  readonly isText?: boolean;
}

/** A field that is accepted or not as a whole. */
function leafField<T>({ accepts, expected, fallback, schema, isText = false }: LeafOptions<T>): Field<T> {
  return {
    schema: fallback === undefined ? schema : { ...schema, default: fallback },
    isText,
    read(value, path, problems) {
      if (accepts(value)) return value;
      if (value !== undefined) {
        problems.push({ path, target: 'value', message: `expected ${expected}, got ${describe(value)}` });
      } else if (fallback !== undefined) {
        return fallback;
      } else {
        problems.push({ path, target: 'key', message: `missing; expected ${expected}` });
      }
      // What follows a problem is never used, but reading goes on to find the others.
      return fallback as T;
    },
  };
}

/** A field that may also be `null`; `whenNull` says what that means. */
export function orNull<T>(
  field: Field<T>,
  whenNull: string,
  options: { default: T | null },
): Field<T | null> {
  const { description, default: _default, ...schema } = field.schema;
  return {
    schema: {
      description: `${String(description)} null: ${whenNull}.`,
      anyOf: [schema, { type: 'null' }],
      default: options.default,
    },
    isText: false,
    read(value, path, problems) {
      if (value === null) return null;
      if (value === undefined) return options.default;
      const own: FieldProblem[] = [];
      const result = field.read(value, path, own);
      problems.push(
        ...own.map((one) => ({ ...one, message: one.message.replace(', got ', ' or null, got ') })),
      );
      return result;
    },
  };
}

/** An object with known members; an object that is left out has all its defaults. */
export function objectField<T extends object>(description: string, shape: Shape<T>): Field<Readonly<T>> {
  const names = Object.keys(shape);
  return {
    schema: {
      description,
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, memberOf(shape, name).schema])),
      ...requiredOf(shape),
      additionalProperties: false,
    },
    isText: false,
    read(value, path, problems) {
      const members = readMembers(value, path, problems);
      for (const key of Object.keys(members)) {
        if (!names.includes(key))
          problems.push({ path: [...path, key], target: 'key', message: 'unknown key' });
      }
      const entries = names.map((name) => [
        name,
        memberOf(shape, name).read(members[name], [...path, name], problems),
      ]);
      // The shape has one field per member of T, so the entries make a T.
      return Object.fromEntries(entries) as T;
    },
  };
}

/** The object's members; none when it is left out or no object. */
export function readMembers(
  value: unknown,
  path: FieldPath,
  problems: FieldProblem[],
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  problems.push({ path, target: 'value', message: `expected an object, got ${describe(value)}` });
  return {};
}

function memberOf<T extends object>(shape: Shape<T>, name: string): Field<unknown> {
  return (shape as Readonly<Record<string, Field<unknown>>>)[name];
}

function requiredOf<T extends object>(shape: Shape<T>): { readonly required?: readonly string[] } {
  const required = Object.keys(shape).filter((name) => {
    const { type, default: fallback } = memberOf(shape, name).schema;
    return type === 'string' && fallback === undefined;
  });
  return required.length === 0 ? {} : { required };
}

/** A value as it is shown in messages, cut to about 60 characters. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

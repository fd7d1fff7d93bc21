/** The configuration as JSON Schema: completion, descriptions and checks in editors. */
import type { FieldPath, JsonSchema } from '#runs/configField';
import { runConfigField } from '#runs/runConfig';

/** The published schema, `schemas/run-config.schema.json` (draft 7, which VS Code reads best). */
export const runConfigSchema: JsonSchema = withSchemaKey(runConfigField.schema);

/** The dotted names of all settings and sections, in order. */
export const configNames: readonly string[] = namesOf(runConfigField.schema, '');

/** The schema of one setting; `null` when there is no such setting. */
export function schemaAt(path: FieldPath): JsonSchema | null {
  let candidates: readonly JsonSchema[] = [runConfigField.schema];
  for (const key of path) {
    candidates = candidates.flatMap(variants).flatMap((schema) => {
      const member = propertiesOf(schema)[key];
      return member === undefined ? [] : [member];
    });
  }
  return candidates[0] ?? null;
}

function withSchemaKey(schema: JsonSchema): JsonSchema {
  const own = { description: 'Where this schema is, for editors.', type: 'string' };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ARPO run configuration',
    ...schema,
    properties: { $schema: own, ...propertiesOf(schema) },
  };
}

function namesOf(schema: JsonSchema, prefix: string): string[] {
  const names = variants(schema).flatMap((variant) =>
    Object.entries(propertiesOf(variant)).flatMap(([key, member]) => [
      `${prefix}${key}`,
      ...namesOf(member, `${prefix}${key}.`),
    ]),
  );
  return [...new Set(names)];
}

function variants(schema: JsonSchema): readonly JsonSchema[] {
  const { oneOf, anyOf } = schema;
  const choices = Array.isArray(oneOf) ? oneOf : anyOf;
  return Array.isArray(choices) ? (choices as readonly JsonSchema[]) : [schema];
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const { properties } = schema;
  if (typeof properties !== 'object' || properties === null) return {};
  return properties as Readonly<Record<string, JsonSchema>>;
}

// Writes docs/configuration.md from the table that validates configurations and from the presets of
// branching. `--print` prints the page instead, which is how the test sees whether the file is up to date.
import { writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const file = 'docs/configuration.md';
const width = 110;

const introduction = `# The run configuration

A run configuration is a JSON file; comments and trailing commas are allowed. \`npm run train -- --config FILE\` reads
it. Whatever is left out has its default, and the defaults are the built-in example: \`{}\` is what \`npm run train\`
trains. \`"$schema": "…/schemas/run-config.schema.json"\` gives completion, descriptions and checks in editors.

All problems are reported at once, each with file, line, column, the path of the setting, what was expected and what
came. \`--set PATH=VALUE\` changes one setting on the command line, for example \`--set optimizer.learningRate=1e-4\`;
\`--seed\`, \`--updates\`, \`--engine\` and \`--branching\` are short for \`seed\`, \`updates\`, \`engine.name\` and
\`rollout.branching.preset\`. The record of a run holds the configuration with every default filled in.

Paths are relative to the folder of the configuration file; without one, to the folder the command was given in.

This page is made by \`node scripts/makeConfigurationDocs.mjs\` from the table that also validates.
`;

const checks = `
## Checks between settings

- \`optimizer.minibatches\` is at most \`rollout.groupsPerUpdate\`; \`optimizer.warmUpUpdates\` is less than \`updates\`.
- \`rollout.branching.globalRollouts\` (M) is at least 2, since advantages compare the trajectories of a group.
- \`rollout.branching.initialRollouts\` (N) is at most M. With the rule \`none\` it equals M, and is set to it when left out.
- \`rollout.branching.beamSize\` (Z) is at least 2 unless the rule is \`none\`.
- \`rollout.branching.minimumHistory\` is at most \`rollout.branching.historyLength\`.
- \`rollout.branching.entropy.difference\` is \`"scalar"\` when \`rollout.branching.baselineScope\` is \`"staleSlot"\`.
- \`evaluation.sampled\` and \`evaluation.greedy\` are not both false.
`;

const page = formatPage(await loadTables());
if (process.argv.includes('--print')) process.stdout.write(page);
else await writeFile(file, page);

/** The schema and the presets, from the sources. */
async function loadTables() {
  const { outputFiles } = await build({
    stdin: {
      contents:
        "export { runConfigSchema } from '#runs/configSchema';\n" +
        "export { branchingPresets } from '#arpo/branchingOptions';\n",
      resolveDir: '.',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  const source = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${source}`);
}

function formatPage({ runConfigSchema, branchingPresets }) {
  const members = Object.entries(runConfigSchema.properties).filter(([name]) => name !== '$schema');
  const isSection = ([, schema]) => schema.properties !== undefined || schema.oneOf !== undefined;
  const general = members.filter((member) => !isSection(member));
  const sections = members.filter(isSection);
  return [
    introduction,
    '## General\n',
    ...general.map(([name, schema]) => formatSetting(name, schema)),
    ...sections.flatMap(([name, schema]) => formatSection(name, schema)),
    formatPresets(branchingPresets),
    checks,
  ].join('\n');
}

/** A section with its settings, then the sections within it. */
function formatSection(path, schema) {
  const heading = `\n## \`${path}\`\n\n${wrap(schema.description, '')}\n`;
  if (schema.oneOf !== undefined) {
    return [heading, ...schema.oneOf.flatMap((variant, index) => formatVariant(path, variant, index === 0))];
  }
  const members = Object.entries(schema.properties).map(([name, member]) => [`${path}.${name}`, member]);
  const settings = members.filter(([, member]) => member.properties === undefined);
  const inner = members.filter(([, member]) => member.properties !== undefined);
  return [
    heading,
    ...settings.map(([name, member]) => formatSetting(name, member, schema)),
    ...inner.flatMap(([name, member]) => formatSection(name, member)),
  ];
}

/** One of the kinds of a section that is told apart by its `name`. */
function formatVariant(path, variant, isDefault) {
  const { name, ...others } = variant.properties;
  return [
    `${isDefault ? '' : '\n'}With \`"name": "${name.enum[0]}"\`${isDefault ? ' (the default)' : ''}: ${lowerFirst(variant.description)}\n`,
    ...Object.entries(others).map(([key, member]) => formatSetting(`${path}.${key}`, member, variant)),
  ];
}

function formatSetting(path, schema, owner = {}) {
  const key = path.split('.').at(-1);
  const isRequired = owner.required?.includes(key) === true;
  const value = schema.default === undefined ? null : `default \`${JSON.stringify(schema.default)}\``;
  const facts = [typeOf(schema), isRequired ? 'required' : value].filter((fact) => fact !== null);
  const lines = [wrap(`- **\`${path}\`** (${facts.join('; ')}): ${schema.description}`, '  ')];
  for (const [index, choice] of (schema.enum ?? []).entries()) {
    lines.push(`  ${wrap(`- \`"${choice}"\`: ${schema.enumDescriptions[index]}`, '    ')}`);
  }
  return lines.join('\n');
}

function typeOf(schema) {
  if (schema.anyOf !== undefined) return `${schema.anyOf.map(typeOf).join(' or ')}`;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, pattern } = schema;
  const words = { integer: 'whole number', string: 'text', boolean: 'true or false' };
  if (schema.enum !== undefined) return 'one of these';
  const bounds = [
    minimum !== undefined && `at least ${minimum}`,
    exclusiveMinimum !== undefined && `above ${exclusiveMinimum}`,
    maximum !== undefined && `at most ${maximum}`,
    exclusiveMaximum !== undefined && `below ${exclusiveMaximum}`,
    pattern !== undefined && `matching \`${pattern}\``,
  ].filter((bound) => bound !== false);
  return `${words[schema.type] ?? schema.type} ${bounds.join(' and ')}`.trim();
}

/** The values that `rollout.branching.preset` stands for. */
function formatPresets(presets) {
  const names = Object.keys(presets);
  const flat = Object.fromEntries(names.map((name) => [name, flatten(presets[name], '')]));
  const keys = Object.keys(flat[names[0]]);
  const rows = keys.map((key) => [`\`${key}\``, ...names.map((name) => String(flat[name][key]))]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    '\n## Presets of `rollout.branching`\n',
    wrap('What the keys of the section stand for when they are left out, by `rollout.branching.preset`.', ''),
    '',
    line(['', ...names]),
    line(['---', ...names.map(() => '---')]),
    ...rows.map(line),
  ].join('\n');
}

function flatten(object, prefix) {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) =>
      typeof value === 'object'
        ? Object.entries(flatten(value, `${prefix}${key}.`))
        : [[`${prefix}${key}`, value]],
    ),
  );
}

/** Breaks a paragraph at spaces; further lines start with `indent`. */
function wrap(text, indent) {
  const lines = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

function lowerFirst(text) {
  return text[0].toLowerCase() + text.slice(1);
}

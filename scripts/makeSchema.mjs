// Writes schemas/run-config.schema.json from the table that also validates configurations.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const file = 'schemas/run-config.schema.json';
const { outputFiles } = await build({
  entryPoints: ['src/runs/configSchema.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const source = Buffer.from(outputFiles[0].contents).toString('base64');
const { runConfigSchema } = await import(`data:text/javascript;base64,${source}`);
await writeFile(file, `${JSON.stringify(runConfigSchema, null, 2)}\n`);
execFileSync('node_modules/.bin/oxfmt', [file], { stdio: 'inherit' });

/** Entry of the in-host tests: VS Code calls `run` inside its extension host. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';

/** Runs every `*.hostTest` file beside it; throws when a test failed, which becomes the exit code. */
export async function run(): Promise<void> {
  const grep = process.env['ARPO_TEST_GREP'];
  const mocha = new Mocha({ timeout: 20_000, color: false, ...(grep === undefined ? {} : { grep }) });
  for (const file of readdirSync(__dirname)) {
    if (file.endsWith('.hostTest.js')) mocha.addFile(join(__dirname, file));
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} in-host test(s) failed`);
}

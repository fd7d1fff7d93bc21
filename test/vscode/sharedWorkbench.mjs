// One VS Code for all UI test files of a run: starting one takes seconds. A test leaves it as it found it,
// or starts its own with `startWorkbench`.
import { startWorkbench } from './workbench.mjs';

let shared;

/** The workbench of this run, with the package under test installed; started when first asked for. */
export function sharedWorkbench() {
  shared ??= startWorkbench({ vsix: packageUnderTest() });
  return shared;
}

/** The VSIX that scripts/testIntegration.mjs made. */
export function packageUnderTest() {
  const file = process.env.ARPO_VSIX;
  if (file === undefined) throw new Error('UI tests are run by `npm run test:vscode -- --ui`.');
  return file;
}

/** Ends it, if it was started. */
export async function stopSharedWorkbench() {
  if (shared === undefined) return;
  const workbench = await shared;
  shared = undefined;
  await workbench.stop();
}

/** Pictures the window as a failed test left it. Returns the file, null when there is no window. */
export async function pictureFailure(testTitle) {
  if (shared === undefined) return null;
  const workbench = await shared;
  return workbench.screenshot(`failed-${testTitle.replaceAll(/\W+/g, '-').slice(0, 60)}`);
}

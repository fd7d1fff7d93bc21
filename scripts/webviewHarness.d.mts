import type { Browser } from 'playwright-core';

/** A served view in front of a fake host; see webviewHarness.mjs. */
export interface Harness {
  /** Without a trailing slash; add `/?theme=dark`. */
  readonly url: string;
  /** Size of the minified script. */
  readonly scriptBytes: number;
  close(): Promise<void>;
}

export function startHarness(options?: {
  readonly view?: string;
  readonly host?: string;
  readonly port?: number;
}): Promise<Harness>;

export function launchBrowser(args?: readonly string[]): Promise<Browser>;

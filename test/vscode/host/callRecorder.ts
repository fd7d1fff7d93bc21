/** Records which functions of Node's file and process modules a bundle calls. */
import { createRequire } from 'node:module';

// The objects that `require` gives out: patching a namespace of `import * as` would not reach the bundle.
const nodeRequire = createRequire(__filename);
const watchedModules = [
  'node:fs',
  'node:fs/promises',
  'node:child_process',
  'node:worker_threads',
  'node:net',
];

/** Runs the action and returns the names of the watched functions that code of `file` called meanwhile. */
export async function recordCalls(file: string, action: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const restore = watchedModules.map((name) => watch({ name, file, calls }));
  try {
    await action();
  } finally {
    for (const undo of restore) undo();
  }
  return calls;
}

interface Watch {
  readonly name: string;
  readonly file: string;
  readonly calls: string[];
}

function watch({ name, file, calls }: Watch): () => void {
  const module = nodeRequire(name) as Record<string, unknown>;
  const writable = Object.entries(Object.getOwnPropertyDescriptors(module)).filter(
    ([, { writable }]) => writable,
  );
  const originals = writable.map(([key, { value }]) => [key, value as unknown] as const);
  const note = (key: string): void => {
    if (new Error('for its stack').stack?.includes(file) === true) calls.push(`${name}.${key}`);
  };
  for (const [key, original] of originals) {
    if (typeof original !== 'function') continue;
    module[key] = new Proxy(original, {
      apply: (target, self, args) => (note(key), Reflect.apply(target, self, args)),
      construct: (target, args) => (note(key), Reflect.construct(target, args)),
    });
  }
  return () => {
    for (const [key, original] of originals) module[key] = original;
  };
}

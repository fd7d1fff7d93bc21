import type { CheckpointFiles } from '#engine/checkpoint';

/** A checkpoint folder in memory; `content` may be looked at and changed by a test. */
export function memoryFiles(content = new Map<string, Uint8Array>()): CheckpointFiles & {
  readonly content: Map<string, Uint8Array>;
} {
  return {
    location: 'memory',
    content,
    read: async (name) => content.get(name) ?? null,
    write: async (name, bytes) => {
      content.set(name, bytes.slice());
    },
  };
}

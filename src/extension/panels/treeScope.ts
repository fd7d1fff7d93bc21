/** Which groups of a run a tree view shows. */
import type { RunReader } from '#runs/runReader';

/** A group of a run. */
export interface GroupKey {
  readonly update: number;
  readonly group: number;
}

/** What was asked for; survives a reload of the window. `newest` follows the run. */
export type ScopeSource =
  | { readonly kind: 'newest' }
  | { readonly kind: 'update'; readonly update: number }
  | { readonly kind: 'group'; readonly update: number; readonly group: number }
  | { readonly kind: 'task'; readonly taskId: string };

/** Trees of one task that are shown at once: the newest. */
const maximalTaskGroups = 40;

/** The groups, as far as they are recorded; in the order in which they are shown. */
export async function latestGroups(reader: RunReader, source: ScopeSource): Promise<readonly GroupKey[]> {
  switch (source.kind) {
    case 'newest':
      return groupsOf(reader, reader.updates().findLast((update) => reader.groups(update).length > 0) ?? 0);
    case 'update':
      return groupsOf(reader, source.update);
    case 'group': {
      const { update, group } = source;
      return reader.groupLines(update, group) === null ? [] : [{ update, group }];
    }
    case 'task':
      return await groupsOfTask(reader, source.taskId);
  }
}

/** The stored source, or `null` when it is none: it comes from a file that any version may have written. */
export function readScopeSource(value: unknown): ScopeSource | null {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return null;
  const update = 'update' in value && typeof value.update === 'number' ? value.update : null;
  const group = 'group' in value && typeof value.group === 'number' ? value.group : null;
  const taskId = 'taskId' in value && typeof value.taskId === 'string' ? value.taskId : null;
  if (value.kind === 'newest') return { kind: 'newest' };
  if (value.kind === 'update' && update !== null) return { kind: 'update', update };
  if (value.kind === 'group' && update !== null && group !== null) return { kind: 'group', update, group };
  return value.kind === 'task' && taskId !== null ? { kind: 'task', taskId } : null;
}

function groupsOf(reader: RunReader, update: number): readonly GroupKey[] {
  return reader.groups(update).map((group) => ({ update, group }));
}

async function groupsOfTask(reader: RunReader, taskId: string): Promise<readonly GroupKey[]> {
  const started = await reader.events({ kinds: ['groupStarted'] });
  return started
    .flatMap(({ event }) =>
      event.kind === 'groupStarted' && event.taskId === taskId
        ? [{ update: event.update, group: event.group }]
        : [],
    )
    .slice(-maximalTaskGroups);
}

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
  const { kind, update, group, taskId } = members(value);
  switch (kind) {
    case 'newest':
      return { kind };
    case 'update':
      return typeof update === 'number' ? { kind, update } : null;
    case 'group':
      return typeof update === 'number' && typeof group === 'number' ? { kind, update, group } : null;
    case 'task':
      return typeof taskId === 'string' ? { kind, taskId } : null;
    default:
      return null;
  }
}

function members(value: unknown): Readonly<Partial<Record<string, unknown>>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
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

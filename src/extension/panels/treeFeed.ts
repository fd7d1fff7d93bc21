/**
 * What a rollout-tree view is fed with: a snapshot of some groups of a run, then patches as their
 * record grows. Knows nothing of VS Code.
 */
import { groupIdOf, matchesText, nodeDetailOf, parseGroupId, treeGroupOf } from '#protocol/recordedTree';
import { groupChanges } from '#protocol/treeChanges';
import type {
  NodeAction,
  NodeDetail,
  NodeReference,
  RunState,
  TreeChange,
  TreeGroup,
  TreePatch,
  TreeScope,
  TreeSnapshot,
} from '#protocol/treeViewProtocol';
import type { RecordedGroup } from '#runs/recordedGroup';
import type { RunReader } from '#runs/runReader';
import { latestGroups } from '#extension/panels/treeScope';
import type { GroupKey, ScopeSource } from '#extension/panels/treeScope';

/** What a feed needs. */
export interface TreeFeedOptions {
  /** Of its own: the feed alone refreshes it. */
  readonly reader: RunReader;
  readonly source: ScopeSource;
  readonly title: (source: ScopeSource) => string;
  readonly runState: () => RunState;
  readonly actions: readonly NodeAction[];
  readonly onPatch: (patch: TreePatch) => void;
}

interface ShownGroup {
  readonly group: TreeGroup;
  /** As of `RunReader.groupLines`. */
  readonly first: number;
  readonly count: number;
}

/** See the module comment. Its calls may overlap; they are carried out in order. */
export class TreeFeed {
  readonly #options: TreeFeedOptions;
  readonly #shown = new Map<string, ShownGroup>();
  #runState: RunState = 'starting';
  #sequence = 0;
  #heldUpdate: number | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: TreeFeedOptions) {
    this.#options = options;
  }

  /** Stays at the update that is shown now, although newer ones begin, or follows them again. */
  hold(isHeld: boolean): void {
    if (this.#options.source.kind !== 'newest') return;
    const shown = [...this.#shown.values()].map(({ group }) => group.update);
    this.#heldUpdate = isHeld && shown.length > 0 ? Math.max(...shown) : null;
  }

  /** Everything as it is recorded now. Later patches follow it. */
  snapshot(): Promise<TreeSnapshot> {
    return this.#enqueue(async () => {
      await this.#update();
      const { source, title, actions } = this.#options;
      const scope: TreeScope = { kind: scopeKind(source), title: title(source) };
      const groups = [...this.#shown.values()].map(({ group }) => group);
      return {
        sequence: this.#sequence,
        scope,
        runState: this.#runState,
        groups,
        actions,
        strings: {},
      };
    });
  }

  /** Reads what was recorded meanwhile and sends it, if it is to be seen here. */
  refresh(): Promise<void> {
    return this.#enqueue(async () => {
      const changes = await this.#update();
      if (changes.length === 0) return;
      this.#sequence += 1;
      this.#options.onPatch({ sequence: this.#sequence, changes });
    });
  }

  /** @throws RangeError when the run has no such node; StorageError. */
  async nodeDetail({ groupId, nodeId }: NodeReference): Promise<NodeDetail> {
    return nodeDetailOf(await this.#read(keyOf(groupId)), nodeId);
  }

  /** Searches the unclipped texts of what is shown. @throws The reason of `signal`. */
  async findText(
    query: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<{ matches: NodeReference[]; isComplete: boolean }> {
    const matches: NodeReference[] = [];
    const groupIds = [...this.#shown.keys()];
    for (const groupId of groupIds) {
      signal.throwIfAborted();
      const { texts } = await this.#read(keyOf(groupId));
      for (const [nodeId, text] of texts.entries()) {
        if (!matchesText(text, query)) continue;
        if (matches.length === limit) return { matches, isComplete: false };
        matches.push({ groupId, nodeId });
      }
    }
    return { matches, isComplete: true };
  }

  #enqueue<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Takes in what is new, and says what changed. */
  async #update(): Promise<TreeChange[]> {
    const { reader } = this.#options;
    await reader.refresh();
    const keys = await this.#keys();
    const changes: TreeChange[] = [];
    const stateChange = this.#changeState();
    const wanted = new Set(keys.map(groupIdOf));
    const removed = [...this.#shown.keys()].filter((groupId) => !wanted.has(groupId));
    const restarted = keys.filter((key) => this.#isRestarted(key)).map(groupIdOf);
    for (const groupId of [...removed, ...restarted]) this.#shown.delete(groupId);
    if (removed.length + restarted.length > 0)
      changes.push({ kind: 'groupsRemoved', groupIds: [...removed, ...restarted] });
    for (const key of keys) changes.push(...(await this.#updateGroup(key, stateChange.length > 0)));
    return [...changes, ...stateChange];
  }

  #changeState(): TreeChange[] {
    const runState = this.#options.runState();
    if (runState === this.#runState) return [];
    this.#runState = runState;
    return [{ kind: 'runStateChanged', runState }];
  }

  async #keys(): Promise<readonly GroupKey[]> {
    const { reader, source } = this.#options;
    if (source.kind !== 'newest' || this.#heldUpdate === null) return await latestGroups(reader, source);
    return await latestGroups(reader, { kind: 'update', update: this.#heldUpdate });
  }

  #isRestarted(key: GroupKey): boolean {
    const known = this.#shown.get(groupIdOf(key));
    return (
      known !== undefined && known.first !== this.#options.reader.groupLines(key.update, key.group)?.first
    );
  }

  async #updateGroup(key: GroupKey, hasStateChanged: boolean): Promise<TreeChange[]> {
    const lines = this.#options.reader.groupLines(key.update, key.group);
    if (lines === null) return [];
    const groupId = groupIdOf(key);
    const known = this.#shown.get(groupId);
    const isUnscored = known?.group.scores === null;
    if (known?.count === lines.count && !(hasStateChanged && isUnscored)) return [];
    const group = treeGroupOf(await this.#read(key), {
      entropyWindow: this.#options.reader.manifest.config.rollout.branching.entropy.window,
      isEnded: isEnded(this.#runState),
    });
    this.#shown.set(groupId, { ...lines, group });
    return known === undefined ? [{ kind: 'groupAdded', group }] : groupChanges(known.group, group);
  }

  async #read({ update, group }: GroupKey): Promise<RecordedGroup> {
    return await this.#options.reader.group(update, group);
  }
}

/** @throws RangeError when the name is none of ours. */
function keyOf(groupId: string): GroupKey {
  const key = parseGroupId(groupId);
  if (key === null) throw new RangeError(`groupId: expected update/group, got "${groupId}"`);
  return key;
}

function isEnded(state: RunState): boolean {
  return state === 'stopped' || state === 'finished' || state === 'failed';
}

function scopeKind(source: ScopeSource): TreeScope['kind'] {
  return source.kind === 'newest' ? 'update' : source.kind;
}

/**
 * The other end of the tree view in a plain browser: `acquireVsCodeApi` and an extension host over
 * generated trees. Bundled by scripts/webviewHarness.mjs; tests drive it through `window.arpoHost`.
 */
import { Peer } from '#protocol/peer';
import type { Channel } from '#protocol/peer';
import type { TreeChange, TreeHostConnection, TreeSnapshot } from '#protocol/treeViewProtocol';
import type { DemoGroup, DemoOptions } from './demoGroups';
import { createDemo, detailOf, snapshotOf } from './demoGroups';

/** What tests may do with the host. */
export interface FakeHost {
  /** Replaces the groups that the next snapshot is made of. */
  use(groups: DemoGroup[], overrides?: Partial<TreeSnapshot>): void;
  createDemo(options: DemoOptions): DemoGroup[];
  /** Sends a patch; `skip` numbers are left out before it. */
  patch(changes: readonly TreeChange[], skip?: number): void;
  reveal(groupId: string, nodeId: number): void;
  fail(message: string): void;
  /** Everything the view asked or reported, in order. */
  readonly log: { readonly kind: string; readonly value: unknown }[];
  readonly groups: DemoGroup[];
}

declare const window: {
  readonly location: { readonly search: string };
  readonly sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
  dispatchEvent(event: unknown): void;
  arpoHost?: FakeHost;
  acquireVsCodeApi?: () => unknown;
  violations?: string[];
};
declare const document: {
  addEventListener(
    type: string,
    listener: (event: { blockedURI: string; violatedDirective: string }) => void,
  ): void;
};
declare const MessageEvent: new (type: string, init: { data: unknown }) => unknown;
declare const AbortController: new () => { readonly signal: AbortSignal; abort(): void };
declare const URLSearchParams: new (text: string) => { get(name: string): string | null };
declare const setTimeout: (task: () => void, delay: number) => void;
declare const structuredClone: <Value>(value: Value) => Value;

const parameters = new URLSearchParams(window.location.search);
const count = (name: string, fallback: number): number => Number(parameters.get(name) ?? fallback);
window.violations = [];
document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  window.violations?.push(`${violatedDirective} ${blockedURI}`),
);

let groups = createDemo({
  seed: count('seed', 7),
  groups: count('groups', 4),
  trajectories: count('trajectories', 16),
  initialTrajectories: count('initial', 8),
});
let overrides: Partial<TreeSnapshot> = {};
let sequence = 0;
const log: { kind: string; value: unknown }[] = [];
const listeners: ((message: unknown) => void)[] = [];
const later = (task: () => void): void => setTimeout(task, 0);

const channel: Channel = {
  send: (message) => {
    const data = structuredClone(message);
    later(() => window.dispatchEvent(new MessageEvent('message', { data })));
  },
  onMessage: (listener) => listeners.push(listener),
};

const peer = new Peer<TreeHostConnection>(
  channel,
  {
    snapshot: async () => {
      log.push({ kind: 'snapshot', value: sequence });
      if (parameters.get('fails') !== null)
        throw new Error('The record of this run cannot be read: line 12 is cut off.');
      return {
        ...snapshotOf(groups, sequence),
        ...overrides,
        ...(parameters.get('empty') === null ? {} : { groups: [] }),
      };
    },
    nodeDetail: async ({ groupId, nodeId }) => {
      log.push({ kind: 'nodeDetail', value: { groupId, nodeId } });
      const group = groups.find(({ group: { groupId: id } }) => id === groupId);
      if (group === undefined) throw new Error(`unknown group ${groupId}`);
      return detailOf(group, nodeId);
    },
    findText: async ({ query, limit }) => {
      const matches = groups.flatMap(({ group, texts }) =>
        texts.flatMap((text, nodeId) =>
          text.toLowerCase().includes(query.toLowerCase()) ? [{ groupId: group.groupId, nodeId }] : [],
        ),
      );
      return { matches: matches.slice(0, limit), isComplete: matches.length <= limit };
    },
  },
  AbortController,
);
peer.on('selectionChanged', (value) => log.push({ kind: 'selectionChanged', value }));
peer.on('actionInvoked', (value) => log.push({ kind: 'actionInvoked', value }));

window.acquireVsCodeApi = () => ({
  postMessage: (message: unknown) => {
    const data = structuredClone(message);
    later(() => listeners.forEach((listener) => listener(data)));
  },
  getState: () => JSON.parse(window.sessionStorage.getItem('state') ?? 'null') ?? undefined,
  setState: (state: unknown) => window.sessionStorage.setItem('state', JSON.stringify(state)),
});

window.arpoHost = {
  use: (next, nextOverrides = {}) => {
    groups = next;
    overrides = nextOverrides;
    sequence += 1;
  },
  createDemo,
  patch: (changes, skip = 0) => {
    sequence += 1 + skip;
    peer.emit('patched', { sequence, changes });
  },
  reveal: (groupId, nodeId) => peer.emit('revealed', { groupId, nodeId }),
  fail: (message) => peer.emit('failed', { message }),
  log,
  get groups() {
    return groups;
  },
};

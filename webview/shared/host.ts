/** The only place that talks to VS Code: messages and the state that outlives a reload. */
import type { Channel } from '#protocol/peer';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** May be acquired once per page only. */
const api = acquireVsCodeApi();

/** The connection to the extension host, for a `Peer`. */
export const hostChannel: Channel = {
  send: (message) => api.postMessage(message),
  onMessage: (listener) => window.addEventListener('message', (event) => listener(event.data)),
};

/**
 * What the page shows, as the host wrote it into the page. Stored beside the view's own state, so that
 * after a reload of the window the host knows what to show again.
 */
const source = document.body.dataset['source'];

/**
 * What `saveState` stored before the reload, or `undefined`. Untrusted: written by any version.
 *
 * @param contentKeys Members that are about what the page shows; left out when it shows something else.
 */
export function loadState(contentKeys: readonly string[] = []): unknown {
  const stored = api.getState();
  if (typeof stored !== 'object' || stored === null) return stored;
  const known = 'source' in stored ? stored.source : undefined;
  return known === source
    ? stored
    : Object.fromEntries(Object.entries(stored).filter(([key]) => !contentKeys.includes(key)));
}

/** @param state Plain data, small: it is written on every change. */
export function saveState(state: object): void {
  api.setState({ ...state, source });
}

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

/** What `saveState` stored before the reload, or `undefined`. Untrusted: written by any version. */
export function loadState(): unknown {
  return api.getState();
}

/** @param state Plain data, small: it is written on every change. */
export function saveState(state: unknown): void {
  api.setState(state);
}

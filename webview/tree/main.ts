/** The rollout-tree view: connects the page with the extension host. */
import '../shared/theme.css';
import './tree.css';
import { Peer } from '#protocol/peer';
import type { TreeViewConnection } from '#protocol/treeViewProtocol';
import { hostChannel, loadState, saveState } from '../shared/host';
import { TreeView } from './treeView';
import { readViewState } from './viewState';

/** Matches asked of the host: more than anyone steps through. */
const maximalMatches = 2_000;

const host = new Peer<TreeViewConnection>(hostChannel, {}, AbortController);
let isAsking = false;
let search = new AbortController();

const stored = readViewState(loadState(['camera', 'selected', 'folded']));
// At once, so that a reload finds what the page shows even when nothing was touched.
saveState(stored);
const view = new TreeView({
  stored,
  save: saveState,
  requestSnapshot: () => void askForSnapshot(),
  fetchDetail: (reference) => host.request('nodeDetail', reference),
  findText: async (query) => {
    search.abort();
    search = new AbortController();
    const { matches } = await host.request('findText', { query, limit: maximalMatches }, search.signal);
    return matches;
  },
  onSelect: (reference) => host.emit('selectionChanged', reference),
  onAction: (reference, actionId) => host.emit('actionInvoked', { ...reference, actionId }),
});

host.on('patched', (patch) => attempt(() => view.patch(patch)));
host.on('revealed', (reference) => view.reveal(reference));
host.on('failed', ({ message }) => view.fail(message));
document.body.append(view.element);
void askForSnapshot();

/** One request at a time: patches that come while it runs are either in its answer or follow it. */
async function askForSnapshot(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  try {
    view.show(await host.request('snapshot', null));
  } catch (error) {
    view.fail(messageOf(error));
  } finally {
    isAsking = false;
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    view.fail(messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

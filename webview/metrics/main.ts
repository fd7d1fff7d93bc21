/** The metrics view: connects the page with the extension host. */
import 'uplot/dist/uPlot.min.css';
import '../shared/theme.css';
import './metrics.css';
import type { MetricsViewConnection } from '#protocol/metricsViewProtocol';
import { Peer } from '#protocol/peer';
import { hostChannel, loadState, saveState } from '../shared/host';
import { MetricsView } from './metricsView';
import { readViewState } from './viewState';

const host = new Peer<MetricsViewConnection>(hostChannel, {}, AbortController);
let isAsking = false;

const view = new MetricsView({
  stored: readViewState(loadState()),
  save: saveState,
  requestSnapshot: () => void askForSnapshot(),
  requestRuns: () => host.emit('runsRequested', null),
  saveFile: (file) => host.request('saveFile', file),
});

host.on('patched', (patch) => {
  try {
    view.patch(patch);
  } catch (error) {
    view.fail(messageOf(error));
  }
});
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

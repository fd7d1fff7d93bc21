/** Entry of the training worker: opens one run, trains it, and has the extension host store it. */
import { Peer } from '#protocol/peer';
import type { Handlers } from '#protocol/peer';
import type {
  FinishedRun,
  OpenedRun,
  OpenRequest,
  WorkerEnd,
  WorkerRequests,
} from '#protocol/workerProtocol';
import { parentChannel } from '#platform/childProcess';
import type { NewRunEvent } from '#runs/runEvent';
import { assert } from '#base/assert';
import { formatSummary } from '#training/progressText';
import type { RunRecorder } from '#training/checkpoints';
import { reportEngines } from '#worker/engineReports';
import { PauseGate } from '#worker/pauseGate';
import { readStartingPoint } from '#worker/startingPoint';
import type { StartingPoint } from '#worker/startingPoint';
import { openTrainingSession } from '#worker/trainingSession';
import type { TrainingSession } from '#worker/trainingSession';

interface OpenRun {
  readonly session: TrainingSession;
  readonly start: StartingPoint;
}

const stopped = new AbortController();
const gate = new PauseGate((update) => peer.emit('paused', { update }));
let opening: Promise<OpenRun> | null = null;
let training: Promise<FinishedRun> | null = null;

const handlers: Handlers<WorkerRequests> = {
  open: async (request) => {
    assert(opening === null, 'a worker opens one run');
    opening = openRun(request);
    const { session, start } = await opening;
    return { started: session.started, fromUpdate: start.state.update } satisfies OpenedRun;
  },
  train: async ({ folder }) => {
    assert(opening !== null && training === null, 'a run is opened and then trained once');
    training = opening.then(async (run) => await train(run, folder));
    return await training;
  },
  pause: async () => {
    gate.close();
    return null;
  },
  unpause: async () => {
    gate.open();
    return null;
  },
  stop: async () => {
    stopped.abort(new StoppedError());
    gate.open();
    await Promise.allSettled([training]);
    const run = await Promise.resolve(opening).catch(() => null);
    await run?.session.dispose();
    return null;
  },
  engines: async (places) => await reportEngines(places),
};

/** Why `train` ended after `stop`. */
class StoppedError extends Error {
  readonly code = 'aborted';

  constructor() {
    super('Training was stopped.');
    this.name = 'StoppedError';
  }
}

async function openRun(request: OpenRequest): Promise<OpenRun> {
  const { baseFolder, programFolder, versions } = request;
  const start = await readStartingPoint(request);
  const session = await openTrainingSession({
    ...start,
    baseFolder,
    programFolder,
    versions,
    signal: stopped.signal,
    onOutput: (line) => process.stderr.write(`${line}\n`),
  });
  return { session, start };
}

async function train({ session, start }: OpenRun, folder: string): Promise<FinishedRun> {
  const { signal } = stopped;
  const trainer = await session.createTrainer(recorder, start.state, (progress) =>
    peer.emit('progress', progress),
  );
  const summary = await trainer.run(signal);
  const { updates, seconds } = summary;
  return {
    updates,
    seconds: seconds.total,
    summary: formatSummary(summary, { folder, engine: session.engine }),
  };
}

/** Everything is stored by the host; see `workerProtocol`. */
const recorder: RunRecorder = {
  append: async (events) => {
    const update = updateAboutToStart(events);
    if (update !== null) await gate.pass(update, stopped.signal);
    await peer.request('append', { events });
  },
  saveCheckpoint: async (checkpoint) => await peer.request('saveCheckpoint', checkpoint),
};

function updateAboutToStart(events: readonly NewRunEvent[]): number | null {
  return events.find((event) => event.kind === 'updateStarted')?.update ?? null;
}

// Signals to the process group of an editor or terminal are for the host, which ends this process.
process.on('SIGINT', () => undefined);
const peer = new Peer<WorkerEnd>(parentChannel(), handlers, AbortController);

/** Entry of a rollout process: samples with the weights it is sent, and runs the tools. */
import { assert } from '#base/assert';
import { Peer } from '#protocol/peer';
import type { Handlers } from '#protocol/peer';
import { InlineRollouts } from '#training/inlineRollouts';
import type { RolloutEvent } from '#training/rolloutService';
import { parentChannel } from '#platform/childProcess';
import { openRolloutParts } from '#worker/rolloutParts';
import type { RolloutEnd, RolloutRequests } from '#worker/rolloutProtocol';

/** Most messages per second with progress; viewers need no more (architecture.md, flow "train"). */
const messagesPerSecond = 20;

let rollouts: InlineRollouts | null = null;

function opened(): InlineRollouts {
  assert(rollouts !== null, 'a rollout process is initialized before it is used');
  return rollouts;
}

const handlers: Handlers<RolloutRequests> = {
  initialize: async (setup) => {
    rollouts = new InlineRollouts(await openRolloutParts(setup));
    return null;
  },
  setWeights: async ({ weights }) => {
    await opened().setWeights(weights);
    return null;
  },
  rollOut: async (job, { signal }) => {
    const batches = new EventBatches((events) => peer.emit('progress', events));
    const result = await opened().rollOut(job, (events) => batches.add(events), signal);
    batches.flush();
    return result;
  },
  evaluate: async (job, { signal }) => await opened().evaluate(job, signal),
  exportState: async () => (await opened().exportState())[0],
  importState: async (state) => {
    await opened().importState([state]);
    return null;
  },
};

/** Collects the events of several turns into one message. */
class EventBatches {
  readonly #send: (events: readonly RolloutEvent[]) => void;
  #waiting: RolloutEvent[] = [];
  #sentAt = 0;

  constructor(send: (events: readonly RolloutEvent[]) => void) {
    this.#send = send;
  }

  add(events: readonly RolloutEvent[]): void {
    this.#waiting.push(...events);
    if (performance.now() - this.#sentAt >= 1000 / messagesPerSecond) this.flush();
  }

  flush(): void {
    if (this.#waiting.length > 0) this.#send(this.#waiting);
    this.#waiting = [];
    this.#sentAt = performance.now();
  }
}

// Ctrl-C reaches the whole process group; the trainer decides when this process ends.
process.on('SIGINT', () => undefined);
const peer = new Peer<RolloutEnd>(parentChannel(), handlers, AbortController);

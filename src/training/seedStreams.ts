import { createRandom } from '#base/random';
import type { Random } from '#base/random';

/**
 * Every use of randomness in a run has a stream of its own, derived from the run's seed and from what
 * it is for, never from when it happens. So results do not depend on timing, a resumed run needs no
 * generator state, and the same trajectory slot draws alike under every branching rule.
 */
const streams = {
  tokens: 1,
  branches: 2,
  evaluation: 3,
  minibatches: 4,
  initialization: 5,
  demonstrations: 6,
  tasks: 7,
} as const;

/** Draws the tokens of one trajectory slot. */
export function tokenStream(seed: number, update: number, group: number, slot: number): Random {
  return createRandom(seed, streams.tokens, update, group, slot);
}

/** Draws the branch decisions of one group. */
export function branchStream(seed: number, update: number, group: number): Random {
  return createRandom(seed, streams.branches, update, group);
}

/**
 * Draws the tokens of one evaluation task. It does not depend on the update, so that evaluations of
 * one run differ by the policy and not by luck.
 */
export function evaluationStream(seed: number, taskIndex: number): Random {
  return createRandom(seed, streams.evaluation, taskIndex);
}

/** Shuffles the groups of one update into mini-batches. */
export function minibatchStream(seed: number, update: number, epoch: number): Random {
  return createRandom(seed, streams.minibatches, update, epoch);
}

/** Initializes weights. */
export function initializationStream(seed: number): Random {
  return createRandom(seed, streams.initialization);
}

/** Orders the demonstrations of the cold start. */
export function demonstrationStream(seed: number, epoch: number): Random {
  return createRandom(seed, streams.demonstrations, epoch);
}

/** Chooses the training tasks. */
export function taskStream(seed: number, epoch: number): Random {
  return createRandom(seed, streams.tasks, epoch);
}

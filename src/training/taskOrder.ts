import { mixSeed } from '#base/random';
import { shuffled } from '#training/shuffle';
import { taskStream } from '#training/seedStreams';

/**
 * Which training task a run samples for its `position`-th group, from 0. Runs with different seeds see
 * different tasks (or, of a finite set, another order), so that a spread over seeds covers both.
 *
 * @param taskCount Tasks there are, or `Infinity` when they are generated.
 */
export function trainingTaskIndex(seed: number, position: number, taskCount: number): number {
  if (taskCount === Infinity) return mixSeed(seed, position);
  const epoch = Math.floor(position / taskCount);
  const indices = Array.from({ length: taskCount }, (_, index) => index);
  return shuffled(indices, taskStream(seed, epoch))[position % taskCount];
}

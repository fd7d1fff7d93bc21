/** From the run configuration to the options of the pieces of an update. */
import { withoutBranching } from '#arpo/branchingOptions';
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { Sampling } from '#engine/policy';
import type { RunConfig } from '#runs/runConfig';
import { minibatchStream } from '#training/seedStreams';
import type { UpdateOptions } from '#training/updatePolicy';

/** How an update is made. */
export function updateOptions(config: RunConfig, update: number, learningRate: number): UpdateOptions {
  const { advantage, objective, optimizer, rollout, seed } = config;
  const { aggregation, constantLength, ...tokenObjective } = objective;
  const { minibatches, epochs, warmUpUpdates: _warmUp, schedule: _schedule, ...adam } = optimizer;
  return {
    advantage: {
      estimator: advantage.estimator,
      attribution: advantage.attribution,
      epsilon: 1e-6,
      groupOfOne: 'released',
    },
    entropyWeight: advantage.entropyWeight,
    dropZeroVariance: advantage.dropZeroVariance,
    objective: tokenObjective,
    aggregation: { mode: aggregation, constantLength },
    optimizer: { ...adam, learningRate },
    temperature: rollout.temperature,
    isSamplingTruncated: rollout.topP < 1 || rollout.topK > 0,
    minibatches,
    epochs,
    shuffleRandom: (epoch) => minibatchStream(seed, update, epoch),
  };
}

/**
 * The learning rate of an update, from 1: a linear warm-up, then constant, linear or cosine decay to
 * `finalShare` of the peak at the last update.
 */
export function learningRateAt({ optimizer, updates }: RunConfig, update: number): number {
  const { learningRate, warmUpUpdates, schedule, finalShare } = optimizer;
  if (update <= warmUpUpdates) return (learningRate * update) / warmUpUpdates;
  const progress = (update - warmUpUpdates - 1) / Math.max(1, updates - warmUpUpdates - 1);
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - (1 - finalShare) * progress);
    case 'cosine':
      return learningRate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  }
}

/** The distribution of training rollouts. */
export function trainingSampling({ rollout }: RunConfig): Sampling {
  const { temperature, topP, topK, alternatives } = rollout;
  return { temperature, topP, topK, isGreedy: false, alternatives };
}

/** The distribution of an evaluation: that of training without extras, or the most probable token. */
export function evaluationSampling({ rollout }: RunConfig, isGreedy: boolean): Sampling {
  const { temperature, topP, topK, branching } = rollout;
  const alternatives = measuresEvaluations(branching) ? rollout.alternatives : 0;
  return { temperature, topP, topK, isGreedy, alternatives };
}

/** One trajectory per task; entropies are measured only where they leave something behind. */
export function evaluationBranching({ rollout }: RunConfig): BranchingOptions {
  const { branching } = rollout;
  const single = withoutBranching(branching);
  if (measuresEvaluations(branching)) return single;
  return { ...single, entropy: { ...single.entropy, estimator: 'exact' } };
}

/** The released code's table of initial entropies is filled by validation passes as well. */
function measuresEvaluations({ rule, baselineScope }: BranchingOptions): boolean {
  return rule !== 'none' && baselineScope === 'staleSlot';
}

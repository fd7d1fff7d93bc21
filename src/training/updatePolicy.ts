/** One update of the policy: from scored groups to gradients and new weights. */
import { tokenWeights } from '#arpo/aggregation';
import type { Aggregation } from '#arpo/aggregation';
import { entropyAwareAdvantages } from '#arpo/aepo';
import { nodeAdvantages, spreadAdvantages } from '#arpo/nodeAdvantage';
import { k3Divergence } from '#arpo/objective';
import type { AdvantageOptions } from '#arpo/nodeAdvantage';
import { ratioStatistics } from '#arpo/ratioStatistics';
import type { TokenTerm } from '#arpo/ratioStatistics';
import { trajectoryTokens } from '#arpo/trajectoryTokens';
import type { Random } from '#base/random';
import type {
  LossReport,
  ObjectiveOptions,
  OptimizerOptions,
  Policy,
  PolicyTrainer,
  TrainingSequence,
} from '#engine/policy';
import type { LossStatistics } from '#runs/runEvent';
import type { ScoredGroup } from '#training/scoredGroup';
import { shuffled } from '#training/shuffle';

/** How a policy is moved. */
export interface UpdateOptions {
  readonly advantage: AdvantageOptions;
  /** AEPO's entropy-aware advantage: factor 1 + weight · z; 0 switches it off. */
  readonly entropyWeight: number;
  readonly dropZeroVariance: boolean;
  readonly objective: ObjectiveOptions;
  readonly aggregation: Aggregation;
  readonly optimizer: OptimizerOptions;
  readonly temperature: number;
  /** Whether sampling cut the distribution (top-p, top-k), so that its log-probs are not the policy's. */
  readonly isSamplingTruncated: boolean;
  readonly minibatches: number;
  readonly epochs: number;
  /** The order of groups in an epoch. */
  readonly shuffleRandom: (epoch: number) => Random;
}

export interface UpdateResult {
  /** `null` when every group was dropped. */
  readonly loss: LossStatistics | null;
  readonly trainedTokens: number;
  readonly droppedGroups: number;
}

/** The models of an update: the trained one, and the frozen reference when there is a KL term. */
export interface UpdateModels {
  readonly policy: Policy;
  readonly trainer: PolicyTrainer;
  readonly reference: Policy | null;
}

/** A trajectory before its batch is known, which decides its weights. */
interface PreparedSequence {
  readonly sequence: Omit<TrainingSequence, 'weights'>;
  readonly lossMask: Uint8Array;
}

/**
 * Trains on the groups: `epochs` passes over shuffled mini-batches of whole groups, one optimizer step
 * each (`ppo_mini_batch_size` of the released code counts questions, too).
 */
export async function updatePolicy(
  models: UpdateModels,
  groups: readonly ScoredGroup[],
  options: UpdateOptions,
  signal: AbortSignal,
): Promise<UpdateResult> {
  const kept = options.dropZeroVariance ? groups.filter((group) => !group.isZeroVariance) : [...groups];
  const droppedGroups = groups.length - kept.length;
  if (kept.length === 0) return { loss: null, trainedTokens: 0, droppedGroups };
  const prepared = new Map<ScoredGroup, readonly PreparedSequence[]>();
  for (const group of kept) prepared.set(group, await prepareGroup(models, group, options, signal));

  const batches: BatchOutcome[] = [];
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    const order = shuffled(kept, options.shuffleRandom(epoch));
    for (const minibatch of splitEvenly(order, options.minibatches)) {
      signal.throwIfAborted();
      const sequences = minibatch.flatMap((group) => prepared.get(group) ?? []);
      batches.push(await trainMinibatch(models.trainer, sequences, options, signal));
    }
  }
  const trainedTokens = batches.reduce((sum, { terms }) => sum + terms.length, 0);
  return { loss: summarize(batches, options), trainedTokens, droppedGroups };
}

async function prepareGroup(
  { policy, reference }: UpdateModels,
  { tree, rewards }: ScoredGroup,
  options: UpdateOptions,
  signal: AbortSignal,
): Promise<PreparedSequence[]> {
  const endTokenId = policy.tokenizer.endTokenId;
  const laidOut = tree.trajectories.map(({ slot }) => trajectoryTokens(tree, slot, endTokenId));
  const byNode = nodeAdvantages(tree, rewards, options.advantage);
  const advantages = laidOut.map(({ nodeIds }, slot) => spreadAdvantages(nodeIds, byNode[slot]));
  const weighted = entropyAware(advantages, laidOut, options.entropyWeight);
  const tokens = laidOut.map((trajectory) => trajectory.tokens);
  const rescored = options.isSamplingTruncated
    ? await policy.scoreTokens(tokens, options.temperature, signal)
    : null;
  const referenced =
    reference === null ? null : await reference.scoreTokens(tokens, options.temperature, signal);
  return laidOut.map((trajectory, slot) => ({
    sequence: {
      tokens: trajectory.tokens,
      advantages: weighted[slot],
      oldLogProbs: rescored?.logProbs[slot] ?? trajectory.logProbs,
      referenceLogProbs: referenced?.logProbs[slot] ?? null,
    },
    lossMask: trajectory.lossMask,
  }));
}

/** AEPO's factor 1 + w·z, with z over the trained tokens of the group's trajectories. */
function entropyAware(
  advantages: readonly Float32Array[],
  trajectories: readonly { readonly entropies: Float32Array; readonly lossMask: Uint8Array }[],
  weight: number,
): readonly Float32Array[] {
  if (weight === 0) return advantages;
  const places = trajectories.flatMap(({ lossMask }, slot) =>
    Array.from(lossMask.keys())
      .filter((index) => lossMask[index] === 1)
      .map((index) => ({ slot, index })),
  );
  const adjusted = entropyAwareAdvantages(
    places.map(({ slot, index }) => advantages[slot][index]),
    places.map(({ slot, index }) => trajectories[slot].entropies[index]),
    weight,
  ).advantages;
  const result = advantages.map((values) => values.slice());
  for (const [position, { slot, index }] of places.entries()) result[slot][index] = adjusted[position];
  return result;
}

interface BatchOutcome {
  readonly report: LossReport;
  readonly gradientNorm: number;
  readonly terms: readonly TokenTerm[];
  /** Mean k3 estimate against the reference policy; `null` without one. */
  readonly referenceKl: number | null;
}

async function trainMinibatch(
  trainer: PolicyTrainer,
  prepared: readonly PreparedSequence[],
  options: UpdateOptions,
  signal: AbortSignal,
): Promise<BatchOutcome> {
  const weights = tokenWeights(
    prepared.map(({ lossMask }) => lossMask),
    options.aggregation,
  );
  const sequences = prepared.map(({ sequence }, index) => ({ ...sequence, weights: weights[index] }));
  const objective = { ...options.objective, temperature: options.temperature };
  const report = await trainer.accumulate(sequences, objective, signal);
  const { gradientNorm } = await trainer.step(options.optimizer);
  return { report, gradientNorm, ...collectTerms(sequences, report) };
}

function collectTerms(
  sequences: readonly TrainingSequence[],
  report: LossReport,
): Pick<BatchOutcome, 'terms' | 'referenceKl'> {
  const terms: TokenTerm[] = [];
  let referenceSum: number | null = null;
  for (const [row, { weights, advantages, oldLogProbs, referenceLogProbs }] of sequences.entries()) {
    const logProbs = report.logProbs[row];
    for (let index = 0; index < weights.length; index += 1) {
      if (weights[index] === 0) continue;
      terms.push({ advantage: advantages[index], ratio: Math.exp(logProbs[index] - oldLogProbs[index]) });
      if (referenceLogProbs === null) continue;
      referenceSum = (referenceSum ?? 0) + k3Divergence(logProbs[index], referenceLogProbs[index]);
    }
  }
  return { terms, referenceKl: referenceSum === null ? null : referenceSum / Math.max(1, terms.length) };
}

function summarize(batches: readonly BatchOutcome[], { objective }: UpdateOptions): LossStatistics {
  const statistics = ratioStatistics(
    batches.flatMap(({ terms }) => terms),
    objective,
  );
  const references = batches.flatMap(({ referenceKl }) => referenceKl ?? []);
  return {
    loss: mean(batches.map(({ report }) => report.loss)),
    ratioMean: statistics.meanRatio,
    ratioMax: statistics.maxRatio,
    clipFractionLow: statistics.clipFractionLower,
    clipFractionHigh: statistics.clipFractionUpper,
    dualClipFraction: statistics.dualClipFraction,
    approximateKl: statistics.approximateKl3,
    referenceKl: references.length === 0 ? null : mean(references),
    gradientNorm: Math.max(...batches.map(({ gradientNorm }) => gradientNorm)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** At most `parts` runs of consecutive items whose lengths differ by at most one; none is empty. */
export function splitEvenly<T>(items: readonly T[], parts: number): T[][] {
  const count = Math.min(parts, items.length);
  return Array.from({ length: count }, (_, part) =>
    items.slice(Math.floor((part * items.length) / count), Math.floor(((part + 1) * items.length) / count)),
  );
}

/**
 * Supervised training on demonstrations before reinforcement learning, which needs a policy that
 * already speaks the protocol (ARPO issue 58; directory-hunt shows the same at its scale).
 */
import { mixSeed } from '#base/random';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { OptimizerOptions, PolicyTrainer, Tokenizer } from '#engine/policy';
import type { Demonstration, Environment } from '#environment/environment';
import { demonstrationStream } from '#training/seedStreams';
import { shuffled } from '#training/shuffle';

/** Everything that shapes a cold start beside the seed. */
export interface ColdStartRecipe {
  readonly model: LlamaConfig;
  /** Deviation of the normal distribution that matrices are drawn from. */
  readonly initialDeviation: number;
  readonly demonstrations: number;
  readonly steps: number;
  /** Demonstrations per step. */
  readonly batch: number;
  /** Positions of one run of the graph. It decides the order of sums, and so the last bits of the result. */
  readonly microBatchTokens: number;
  /** Peak learning rate, reached after `warmUpSteps`, falling along a cosine to `finalShare` of it. */
  readonly learningRate: number;
  readonly warmUpSteps: number;
  readonly finalShare: number;
  readonly optimizer: Omit<OptimizerOptions, 'learningRate'>;
}

/** A demonstration in tokens. */
export interface DemonstrationTokens {
  readonly tokens: Int32Array;
  /** 1 where the policy is to write the token: its own turns and the end token. */
  readonly mask: Uint8Array;
}

/** An environment and the share of the demonstrations that come from it; shares add up to 1. */
export interface DemonstrationShare {
  readonly environment: Environment;
  readonly share: number;
}

/** Prompt, turns and end token as the policy will see them. */
export function tokenizeDemonstration(
  demonstration: Demonstration,
  tokenizer: Tokenizer,
): DemonstrationTokens {
  const tokens: number[] = [...tokenizer.encode(demonstration.task.prompt)];
  const mask: number[] = tokens.map(() => 0);
  for (const { author, text } of demonstration.turns) {
    const turn = tokenizer.encode(text);
    tokens.push(...turn);
    mask.push(...Array.from(turn, () => (author === 'policy' ? 1 : 0)));
  }
  tokens.push(tokenizer.endTokenId);
  mask.push(1);
  return { tokens: Int32Array.from(tokens), mask: Uint8Array.from(mask) };
}

/**
 * Noisy demonstrations of all environments. Attempts that run into the limits of their task are
 * replaced by attempts at further tasks.
 *
 * @throws RangeError when an environment has no demonstrations.
 */
export function collectDemonstrations(
  shares: readonly DemonstrationShare[],
  count: number,
  { tokenizer, seed }: { readonly tokenizer: Tokenizer; readonly seed: number },
): DemonstrationTokens[] {
  return shares.flatMap(({ environment, share }, place) => {
    const { demonstrations: source } = environment;
    if (source === undefined)
      throw new RangeError(`${environment.name}: expected demonstrations, it has none`);
    const random = demonstrationStream(seed, mixSeed(place, 1));
    const wanted = Math.round(count * share);
    const collected: DemonstrationTokens[] = [];
    for (let index = 0; collected.length < wanted; index += 1) {
      const attempt = source.attempt(environment.task('coldStart', firstTask(seed) + index), random);
      if (attempt !== null) collected.push(tokenizeDemonstration(attempt, tokenizer));
    }
    return collected;
  });
}

/** Different seeds demonstrate different tasks. The gate uses tasks below all of them. */
function firstTask(seed: number): number {
  return 1_000_000 * (1 + (seed % 4000));
}

/**
 * Trains on the demonstrations.
 *
 * @param onStep Called after every step with the mean loss of its tokens, nats.
 * @throws The signal's reason once it is aborted; EngineError `notFinite`.
 */
export async function trainColdStart(
  trainer: PolicyTrainer,
  demonstrations: readonly DemonstrationTokens[],
  options: {
    readonly recipe: ColdStartRecipe;
    readonly seed: number;
    readonly onStep: (step: number, loss: number) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { recipe, seed, onStep } = options;
  let queue: DemonstrationTokens[] = [];
  let epoch = 0;
  for (let step = 1; step <= recipe.steps; step += 1) {
    signal.throwIfAborted();
    if (queue.length < recipe.batch) {
      queue = [...queue, ...shuffled(demonstrations, demonstrationStream(seed, mixSeed(epoch, 2)))];
      epoch += 1;
    }
    const batch = queue.slice(0, recipe.batch);
    queue = queue.slice(recipe.batch);
    const { loss } = await trainer.accumulateLikelihood(weighted(batch), signal);
    await trainer.step({ ...recipe.optimizer, learningRate: coldStartLearningRate(recipe, step) });
    onStep(step, loss);
  }
}

/** The learning rate of a step, from 1. */
export function coldStartLearningRate(recipe: ColdStartRecipe, step: number): number {
  const { learningRate, warmUpSteps, finalShare, steps } = recipe;
  if (step <= warmUpSteps) return (learningRate * step) / warmUpSteps;
  const progress = (step - warmUpSteps) / Math.max(1, steps - warmUpSteps);
  return learningRate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Token mean over what the policy writes. */
function weighted(batch: readonly DemonstrationTokens[]): { tokens: Int32Array; weights: Float32Array }[] {
  const total = batch.reduce((sum, { mask }) => sum + mask.reduce((ones, bit) => ones + bit, 0), 0);
  return batch.map(({ tokens, mask }) => ({
    tokens,
    weights: Float32Array.from(mask, (bit) => bit / total),
  }));
}

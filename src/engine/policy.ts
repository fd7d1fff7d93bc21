/**
 * What the trainer and the rollouts need of a policy. Everything tensor-shaped stays behind this
 * interface; callers see token ids and plain typed arrays.
 */
import type { ObjectiveOptions } from '#arpo/objective';
import type { Random } from '#base/random';

/** Text ⇄ token ids of one policy. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** The token that ends a response. */
  readonly endTokenId: number;
  readonly padTokenId: number;
  /**
   * The tokens of a text as it stands: nothing is added, special tokens written in it are recognised.
   *
   * @throws EngineError `unknownToken` when the text has a word the vocabulary lacks.
   */
  encode(text: string): Int32Array;
  /**
   * Special tokens included, exactly as the environment should see them.
   *
   * @throws EngineError `unknownToken` for an id outside the vocabulary.
   */
  decode(tokens: ArrayLike<number>): string;
}

/** The distribution that tokens are drawn from. */
export interface Sampling {
  /** > 0; ignored when `isGreedy`. */
  readonly temperature: number;
  /** In (0, 1]; 1 keeps all tokens. */
  readonly topP: number;
  /** 0 keeps all tokens. */
  readonly topK: number;
  /** Takes the most probable token. Log-probs and entropies are then those at temperature 1. */
  readonly isGreedy: boolean;
  /** Most probable tokens to record per position; 0 records none. */
  readonly alternatives: number;
}

/** An open sequence whose keys and values are cached; valid until released. */
export type SequenceId = number;

/** One row of a generation request. */
export interface GenerateRequest {
  readonly sequence: SequenceId;
  /** Most tokens to sample, ≥ 1. */
  readonly maxTokens: number;
  /** The row's own stream: exactly one draw per sampled token, none when greedy or forced. */
  readonly random: Random;
  /**
   * The first tokens of the segment, put in the policy's mouth: scored like sampled ones, but at the
   * distribution before top-k and top-p. What comes after them is sampled. Default none.
   */
  readonly forcedTokens?: Int32Array;
  /**
   * Called exactly once after every sampled token with all tokens of this segment; true ends it. The
   * array is a view that the next token may make stale: copy what is kept.
   */
  isComplete(tokens: Int32Array): boolean;
}

/**
 * Why a segment ended: the caller's predicate, the end token (also when the predicate is fulfilled at
 * once), or `maxTokens` or the context length reached.
 */
export type SegmentEnd = 'complete' | 'endToken' | 'length';

/**
 * What one generation request produced; all arrays are `[T]`. The end token is included. T ≥ 1, except
 * that a sequence which fills the context already gives T = 0 and `length`.
 */
export interface GeneratedSegment {
  readonly tokens: Int32Array;
  /** Log-prob of each token under the sampling distribution, nats. */
  readonly logProbs: Float32Array;
  /** Full-vocabulary entropy of the sampling distribution at each token, nats. */
  readonly entropies: Float32Array;
  /**
   * `[T, k]` as in `arpo/rolloutTree` `Alternatives`, or `null` when none were asked for. Tokens that
   * `topK` or `topP` excluded have the log-prob −∞ and come last.
   */
  readonly alternatives: {
    readonly count: number;
    readonly ids: Int32Array;
    readonly logProbs: Float32Array;
  } | null;
  readonly end: SegmentEnd;
}

/**
 * Batched sampling with a key-value cache. Rows have individual positions and lengths. One generation
 * at a time; meanwhile no other method may be called. What a row gives depends on its tokens and its
 * random stream alone, up to float rounding; equal calls in equal order give equal numbers.
 */
export interface Sampler {
  /**
   * Opens a sequence; its tokens are fed to the model at the next `generate`. Sequences with equal
   * tokens are fed once, and a prefix that another open sequence has cached is copied.
   *
   * @param tokens `[T]`, 1 ≤ T < context length; copied.
   * @throws EngineError `contextOverflow` when nothing could be sampled after them, `unknownToken` for
   *   an id outside the vocabulary.
   */
  open(tokens: Int32Array): SequenceId;
  /**
   * Opens a sequence that shares the first `length` tokens of another and nothing after them. What
   * the other has cached is copied, never computed again; only the last of the `length` tokens is fed
   * again, because the logits after it are wanted.
   *
   * @param length 1 to `lengthOf(sequence)`.
   */
  fork(sequence: SequenceId, length: number): SequenceId;
  /**
   * Appends tokens that the model did not write (a tool result). More than the context holds is no
   * error: the next segment of the sequence is then empty and ends with `length`.
   */
  append(sequence: SequenceId, tokens: Int32Array): void;
  /** Tokens of the sequence so far, pending ones included. */
  lengthOf(sequence: SequenceId): number;
  release(sequence: SequenceId): void;
  /**
   * Samples one segment for every request in lock step; results in the order of the requests. Uses the
   * weights that the policy has when it begins. When it fails or is aborted, the sequences are as long
   * as before.
   *
   * @throws EngineError `notFinite` when a logit is; the reason of `signal`, looked at between steps.
   */
  generate(
    requests: readonly GenerateRequest[],
    sampling: Sampling,
    signal: AbortSignal,
  ): Promise<GeneratedSegment[]>;
  /**
   * Since creation, for throughput figures: tokens sampled; tokens fed before the first sampled one of
   * each segment (prompts, tool results, the last token of the segment before; copies do not count);
   * runs of the model that fed one sampled token per row.
   */
  readonly counters: { sampledTokens: number; fedTokens: number; decodeSteps: number };
}

/** One trajectory as the loss sees it; arrays `[T]` over prompt and response. */
export interface TrainingSequence {
  readonly tokens: Int32Array;
  /** Weight of each token's loss; 0 for prompt and tool tokens. The batch loss is Σ weight · loss. */
  readonly weights: Float32Array;
  readonly advantages: Float32Array;
  /** Log-probs of the old policy (the one that sampled), nats. */
  readonly oldLogProbs: Float32Array;
  /** Log-probs of the reference policy, or `null` when `klCoefficient` is 0. */
  readonly referenceLogProbs: Float32Array | null;
}

/** The per-token objective; `arpo/objective` specifies it in plain numbers. */
export type { ObjectiveOptions };

/** Adam with decoupled weight decay. */
export interface OptimizerOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients with a larger global norm are scaled down to it; `null` switches it off. */
  readonly maxGradientNorm: number | null;
}

/** What the loss saw, per sequence, for statistics that the caller computes. */
export interface LossReport {
  /** Σ weight · loss over all sequences of the call; 0 for `scoreTokens`. */
  readonly loss: number;
  /**
   * Per sequence `[T]`: current log-prob of each token given those before it, nats, at the temperature
   * of the call (1 for `accumulateLikelihood`); 0 at position 0.
   */
  readonly logProbs: readonly Float32Array[];
  /** Per sequence `[T]`: full-vocabulary entropy of the same distributions, nats; 0 at position 0. */
  readonly entropies: readonly Float32Array[];
}

/**
 * Moves a policy's weights. Gradients accumulate over `accumulate` calls until `step`. A call that fails
 * or is aborted adds nothing; `step` clears the gradients also when it fails, and then leaves weights
 * and moments as they were. Failures: EngineError `notFinite` (loss, or norm of the gradient),
 * `contextOverflow` (a sequence too long), RangeError (arrays of different lengths, no gradients).
 */
export interface PolicyTrainer {
  /** Loss and gradients of the clipped policy objective; `temperature` as it was sampled with. */
  accumulate(
    sequences: readonly TrainingSequence[],
    objective: ObjectiveOptions & { readonly temperature: number },
    signal: AbortSignal,
  ): Promise<LossReport>;
  /** Log-likelihood training on demonstrations: loss = −Σ weight · log-prob. */
  accumulateLikelihood(
    sequences: readonly { readonly tokens: Int32Array; readonly weights: Float32Array }[],
    signal: AbortSignal,
  ): Promise<LossReport>;
  /** One AdamW update with what was accumulated, which is then cleared. */
  step(options: OptimizerOptions): Promise<{ readonly gradientNorm: number }>;
  /** Updates made so far (Adam's bias correction depends on it). */
  readonly updates: number;
  /** First and second moments by weight name, for checkpoints; a snapshot, not to be modified. */
  exportState(): OptimizerState;
  /** Continues from a snapshot. @throws EngineError `wrongCheckpoint` when names or shapes differ. */
  importState(state: OptimizerState): void;
}

/** What `resume` needs beside the weights. */
export interface OptimizerState {
  readonly updates: number;
  readonly firstMoments: NamedTensors;
  readonly secondMoments: NamedTensors;
}

/** Weights by their Hugging Face names. */
export type NamedTensors = ReadonlyMap<string, NamedTensor>;

export interface NamedTensor {
  readonly shape: readonly number[];
  /** Row-major, float32. */
  readonly data: Float32Array;
}

/** A policy in memory: its tokenizer, weights and what can be done with them. */
export interface Policy {
  readonly tokenizer: Tokenizer;
  /** Most tokens (prompt included) the model can see. */
  readonly contextLength: number;
  readonly parameterCount: number;
  createSampler(): Promise<Sampler>;
  createTrainer(): Promise<PolicyTrainer>;
  /** A snapshot; later updates do not change it. Its arrays are shared: they must not be modified. */
  exportWeights(): NamedTensors;
  /** Replaces all weights. @throws EngineError `wrongCheckpoint` when names or shapes differ. */
  importWeights(weights: NamedTensors): void;
  /** Log-probs and entropies of given sequences (reference policy, checks). */
  scoreTokens(
    sequences: readonly Int32Array[],
    temperature: number,
    signal: AbortSignal,
  ): Promise<LossReport>;
  dispose(): Promise<void>;
}

/** The sections of a run configuration, all defaults filled in. What each setting does stands at its field. */
import type { AggregationMode } from '#arpo/aggregation';
import type { AdvantageEstimator } from '#arpo/advantage';
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { AdvantageAttribution } from '#arpo/nodeAdvantage';

export interface PolicyConfig {
  readonly checkpoint: string;
}

export interface EngineConfig {
  readonly name: 'auto' | 'onnx' | 'reference';
  /** `null`: one per processor. */
  readonly threads: number | null;
  /** `null`: one per processor. */
  readonly processes: number | null;
}

export interface ToolsConfig {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryEmpty: boolean;
  readonly cache: boolean;
}

export interface RolloutConfig {
  readonly groupsPerUpdate: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly alternatives: number;
  /** `null`: the limit of the task. */
  readonly callLimit: number | null;
  /** `null`: the limit of the task. */
  readonly tokenLimit: number | null;
  readonly branching: BranchingOptions;
  readonly queryExtraction: 'segment' | 'released';
  readonly tools: ToolsConfig;
}

export interface AdvantageConfig {
  readonly estimator: AdvantageEstimator;
  readonly attribution: AdvantageAttribution;
  readonly dropZeroVariance: boolean;
  readonly entropyWeight: number;
}

export interface ObjectiveConfig {
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly dualClip: number | null;
  readonly klCoefficient: number;
  readonly aggregation: AggregationMode;
  readonly constantLength: number;
  readonly gradientRule: 'ppo' | 'aepo';
}

export interface OptimizerConfig {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number | null;
  readonly minibatches: number;
  readonly epochs: number;
  readonly warmUpUpdates: number;
  readonly schedule: 'constant' | 'linear' | 'cosine';
  readonly finalShare: number;
}

export interface EvaluationConfig {
  readonly tasks: number;
  readonly every: number;
  readonly greedy: boolean;
  readonly sampled: boolean;
}

export interface CheckpointsConfig {
  readonly every: number;
  readonly resumeEvery: number;
}

export interface DirectoryHuntConfig {
  readonly name: 'directory-hunt';
  readonly level: 'A' | 'B';
}

export interface QuestionsConfig {
  readonly name: 'questions';
  readonly file: string;
  readonly documents: string | null;
  readonly reward: 'corrected' | 'released';
  readonly callLimit: number;
  readonly tokenLimit: number;
  readonly heldOutFraction: number;
}

export type TaskConfig = DirectoryHuntConfig | QuestionsConfig;

/** A complete configuration. */
export interface RunConfig {
  readonly name: string;
  readonly seed: number;
  readonly updates: number;
  readonly task: TaskConfig;
  readonly policy: PolicyConfig;
  readonly engine: EngineConfig;
  readonly rollout: RolloutConfig;
  readonly advantage: AdvantageConfig;
  readonly objective: ObjectiveConfig;
  readonly optimizer: OptimizerConfig;
  readonly evaluation: EvaluationConfig;
  readonly checkpoints: CheckpointsConfig;
}

/**
 * The configuration of a training run: every setting, its default and what it accepts. The defaults
 * are the built-in example `quick`, which trains in about a minute on two processors.
 */
import { branchingField } from '#runs/branchingConfig';
import { checkRunConfig } from '#runs/configChecks';
import {
  booleanField,
  choiceField,
  integerField,
  numberField,
  objectField,
  orNull,
  textField,
  type Field,
  type FieldProblem,
} from '#runs/configField';
import type {
  AdvantageConfig,
  CheckpointsConfig,
  EngineConfig,
  EvaluationConfig,
  ObjectiveConfig,
  OptimizerConfig,
  PolicyConfig,
  RolloutConfig,
  RunConfig,
  ToolsConfig,
} from '#runs/configSections';
import { taskField } from '#runs/taskConfig';

const policyField: Field<PolicyConfig> = objectField<PolicyConfig>('The policy that is trained.', {
  checkpoint: textField({
    description:
      'What to start from: builtin:directory-hunt, or a folder in Hugging Face layout, relative to this file.',
    default: 'builtin:directory-hunt',
  }),
});

const engineField: Field<EngineConfig> = objectField<EngineConfig>('What computes.', {
  name: choiceField<EngineConfig['name']>({
    description: 'The tensor engine.',
    default: 'auto',
    values: {
      auto: 'ONNX Runtime, the only fast engine so far.',
      onnx: 'ONNX Runtime.',
      reference: 'Plain JavaScript: slow, for checks.',
    },
  }),
  threads: orNull(
    integerField({ description: 'Threads of one update.', default: 1, minimum: 1 }),
    'one per processor',
    { default: null },
  ),
  processes: orNull(
    integerField({ description: 'Processes that sample rollouts.', default: 1, minimum: 1 }),
    'one per processor, at most one per group of an update',
    { default: null },
  ),
});

const toolsField: Field<ToolsConfig> = objectField<ToolsConfig>('How tools are run.', {
  timeoutMs: integerField({
    description: 'Milliseconds that one attempt may take.',
    default: 120000,
    minimum: 1,
  }),
  retries: integerField({
    description: 'Attempts after a failed one; 2 in the released code, which tries three times.',
    default: 2,
    minimum: 0,
  }),
  retryEmpty: booleanField({
    description: 'Whether an empty output counts as failed, as in the released code.',
    default: false,
  }),
  cache: booleanField({ description: 'Whether an equal query gets the stored result.', default: true }),
});

const rolloutField: Field<RolloutConfig> = objectField<RolloutConfig>('How trajectories are sampled.', {
  groupsPerUpdate: integerField({ description: 'Tasks sampled for one update.', default: 8, minimum: 1 }),
  temperature: numberField({ description: 'Softmax temperature of sampling.', default: 1, above: 0 }),
  topP: numberField({
    description: 'Share of the probability mass that is kept; 1 keeps all tokens.',
    default: 1,
    above: 0,
    maximum: 1,
  }),
  topK: integerField({
    description: 'Most probable tokens that are kept; 0 keeps all tokens.',
    default: 0,
    minimum: 0,
  }),
  alternatives: integerField({
    description:
      'Most probable tokens recorded per position. An entropy estimator that needs more gets them.',
    default: 0,
    minimum: 0,
    maximum: 1000,
  }),
  callLimit: orNull(
    integerField({ description: 'Tool calls that a trajectory may make.', default: 1, minimum: 1 }),
    'the limit of the task',
    { default: null },
  ),
  tokenLimit: orNull(
    integerField({ description: 'Tokens of prompt and response together.', default: 2, minimum: 2 }),
    'the limit of the task',
    { default: null },
  ),
  branching: branchingField,
  queryExtraction: choiceField<RolloutConfig['queryExtraction']>({
    description: 'Where the query of a tool call is looked for.',
    default: 'segment',
    values: {
      segment: 'In what the policy wrote since the last tool result.',
      released: 'In the whole context, back to the last opening tag (released code).',
    },
  }),
  tools: toolsField,
});

const advantageField: Field<AdvantageConfig> = objectField<AdvantageConfig>('From rewards to advantages.', {
  estimator: choiceField<AdvantageConfig['estimator']>({
    description: 'What a reward is compared with.',
    default: 'grpo',
    values: {
      grpo: 'The mean of the group, divided by its deviation.',
      drGrpo: 'The mean of the group (arXiv:2503.20783).',
      rloo: 'The mean of the other trajectories.',
    },
  }),
  attribution: choiceField<AdvantageConfig['attribution']>({
    description: 'Who gets the advantage of a shared prefix.',
    default: 'soft',
    values: {
      soft: 'Every trajectory carries its own advantage through the prefix.',
      hard: 'The prefix has the mean advantage of its trajectories.',
      step: 'Every node has its value minus that of its parent.',
      segment: 'As step, but nodes between two forks count as one.',
    },
  }),
  dropZeroVariance: booleanField({
    description: 'Whether groups with equal rewards are left out of the update.',
    default: true,
  }),
  entropyWeight: numberField({
    description:
      'Entropy-aware advantage of AEPO: factor 1 + weight · standardized entropy; 0 switches it off.',
    default: 0,
    minimum: 0,
  }),
});

const objectiveField: Field<ObjectiveConfig> = objectField<ObjectiveConfig>(
  'The loss of one token and how tokens are averaged.',
  {
    clipLow: numberField({
      description: 'Ratios below 1 − clipLow are clipped.',
      default: 0.2,
      above: 0,
      maximum: 1,
    }),
    clipHigh: numberField({ description: 'Ratios above 1 + clipHigh are clipped.', default: 0.2, above: 0 }),
    dualClip: orNull(
      numberField({
        description: 'Bound of the loss for negative advantages; 3 in the released code.',
        default: 3,
        above: 1,
      }),
      'no bound',
      { default: null },
    ),
    klCoefficient: numberField({
      description: 'Weight of the divergence from the reference policy; 0 needs no reference.',
      default: 0,
      minimum: 0,
    }),
    aggregation: choiceField<ObjectiveConfig['aggregation']>({
      description: 'How token losses become one loss.',
      default: 'tokenMean',
      values: {
        tokenMean: 'Mean over all tokens.',
        seqMeanTokenMean: 'Mean over sequences of their token means.',
        seqMeanTokenSum: 'Mean over sequences of their token sums.',
        seqMeanTokenSumNorm: 'Sum of all tokens divided by a constant length.',
      },
    }),
    constantLength: integerField({
      description: 'Divisor of seqMeanTokenSumNorm, in tokens.',
      default: 1024,
      minimum: 1,
    }),
    gradientRule: choiceField<ObjectiveConfig['gradientRule']>({
      description: 'What happens to the gradient of clipped tokens.',
      default: 'ppo',
      values: { ppo: 'They have none.', aepo: 'Those clipped from above keep it (arXiv:2510.14545).' },
    }),
  },
);

const optimizerField: Field<OptimizerConfig> = objectField<OptimizerConfig>('AdamW and its schedule.', {
  learningRate: numberField({ description: 'Step size at its highest.', default: 3e-4, above: 0 }),
  beta1: numberField({ description: 'Decay of the first moment.', default: 0.9, minimum: 0, below: 1 }),
  beta2: numberField({ description: 'Decay of the second moment.', default: 0.98, minimum: 0, below: 1 }),
  epsilon: numberField({ description: 'Added to the root of the second moment.', default: 1e-8, above: 0 }),
  weightDecay: numberField({ description: 'Decoupled weight decay.', default: 0, minimum: 0 }),
  maxGradientNorm: orNull(
    numberField({ description: 'Gradients with a larger norm are scaled down to it.', default: 1, above: 0 }),
    'never',
    { default: 1 },
  ),
  minibatches: integerField({
    description: 'Parts of the groups, each an optimizer move.',
    default: 2,
    minimum: 1,
  }),
  epochs: integerField({ description: 'Passes over the groups of an update.', default: 1, minimum: 1 }),
  warmUpUpdates: integerField({
    description: 'Updates over which the learning rate rises from 0.',
    default: 0,
    minimum: 0,
  }),
  schedule: choiceField<OptimizerConfig['schedule']>({
    description: 'The learning rate after the warm-up.',
    default: 'constant',
    values: {
      constant: 'Stays.',
      linear: 'Falls linearly to its final share.',
      cosine: 'Falls to its final share along a cosine.',
    },
  }),
  finalShare: numberField({
    description: 'What is left of the learning rate at the last update, where the schedule lets it fall.',
    default: 0,
    minimum: 0,
    maximum: 1,
  }),
});

const evaluationField: Field<EvaluationConfig> = objectField<EvaluationConfig>(
  'How the policy is tried on held-out tasks.',
  {
    tasks: integerField({ description: 'Held-out tasks.', default: 300, minimum: 1 }),
    every: integerField({
      description: 'Updates between evaluations; 0 evaluates only at the start and the end.',
      default: 4,
      minimum: 0,
    }),
    greedy: booleanField({ description: 'Whether to take the most probable token.', default: true }),
    sampled: booleanField({ description: 'Whether to sample as in rollouts.', default: true }),
  },
);

const checkpointsField: Field<CheckpointsConfig> = objectField<CheckpointsConfig>(
  'What is stored of the policy.',
  {
    every: integerField({
      description: 'Updates between stored weights; 0 stores only the last ones.',
      default: 8,
      minimum: 0,
    }),
    resumeEvery: integerField({
      description: 'Updates between stored states that a run can be resumed from; 0 stores none.',
      default: 1,
      minimum: 0,
    }),
  },
);

/** The whole configuration, as a field. */
export const runConfigField: Field<RunConfig> = objectField<RunConfig>(
  'Configuration of an ARPO training run.',
  {
    name: textField({
      description: 'The first part of the run folder’s name.',
      default: 'quick',
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      expected: '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit',
    }),
    seed: integerField({
      description:
        'Of all randomness: equal seeds give equal runs on one machine with the same engine, threads and processes.',
      default: 0,
      minimum: 0,
      maximum: 4294967295,
    }),
    updates: integerField({ description: 'Updates of the policy.', default: 24, minimum: 1 }),
    task: taskField,
    policy: policyField,
    engine: engineField,
    rollout: rolloutField,
    advantage: advantageField,
    objective: objectiveField,
    optimizer: optimizerField,
    evaluation: evaluationField,
    checkpoints: checkpointsField,
  },
);

export type { RunConfig };

/** The configuration of the built-in example `quick`. */
export const defaultRunConfig: RunConfig = runConfigField.read({}, [], []);

/**
 * Reads a configuration from plain values.
 *
 * @returns All problems at once; the configuration is to be used only when there are none.
 */
export function readRunConfig(value: unknown): { config: RunConfig; problems: readonly FieldProblem[] } {
  const problems: FieldProblem[] = [];
  const config = withAlternatives(runConfigField.read(withoutSchemaKey(value), [], problems));
  return { config, problems: [...problems, ...checkRunConfig(config, problems)] };
}

/**
 * Reads a configuration that was recorded with a run, perhaps by another version: keys it does not
 * know are passed over, and keys that did not exist yet have their defaults.
 *
 * @returns `config` is `null` when a known key has an impossible value; `problems` says which.
 */
export function readRecordedConfig(value: unknown): {
  config: RunConfig | null;
  problems: readonly string[];
} {
  const problems: FieldProblem[] = [];
  const config = runConfigField.read(value ?? null, [], problems);
  const serious = problems.filter(({ message }) => message !== 'unknown key');
  return {
    config: serious.length === 0 ? config : null,
    problems: serious.map(({ path, message }) => `config.${path.join('.')}: ${message}`),
  };
}

/** Estimators that read alternatives get as many as they need. */
function withAlternatives(config: RunConfig): RunConfig {
  const { rollout } = config;
  const { rule, entropy } = rollout.branching;
  if (rule === 'none' || entropy.estimator === 'exact') return config;
  return { ...config, rollout: { ...rollout, alternatives: Math.max(rollout.alternatives, entropy.topK) } };
}

/** `$schema` is for editors. */
function withoutSchemaKey(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== '$schema'));
}

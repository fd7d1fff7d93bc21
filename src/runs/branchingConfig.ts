/** The section `rollout.branching`: a preset and what departs from it. */
import { branchingPresets, quantilePreset, type BranchingOptions } from '#arpo/branchingOptions';
import type { BranchingRuleName } from '#arpo/branchDecision';
import type { EntropyMeasure } from '#arpo/entropyMeasure';
import {
  choiceField,
  integerField,
  numberField,
  objectField,
  readMembers,
  type Field,
  type JsonSchema,
  type Shape,
} from '#runs/configField';

/** All settings of branching, and the preset that they started from. */
export interface BranchingConfig extends BranchingOptions {
  readonly preset: BranchingRuleName;
}

const rules: Readonly<Record<BranchingRuleName, string>> = {
  paper: 'Branches when alpha + beta · ΔH exceeds tau (arXiv:2507.19849, Eq. 5).',
  released: 'Branches by chance, branchProbability + entropyWeight · ΔH, as the released code does.',
  aepo: 'As released, with a penalty for consecutive branching turns (arXiv:2510.14545).',
  quantile: 'Branches at the largest entropy changes of the recent ones.',
  random: 'Branches with a fixed chance, whatever the entropy: the control.',
  none: 'Never branches: plain GRPO.',
};

/** `rollout.branching`. What is left out has the value of the preset. */
export const branchingField: Field<BranchingConfig> = {
  schema: branchingSchema(),
  isText: false,
  read(value, path, problems) {
    const members = typeof value === 'object' && value !== null ? readMembers(value, path, []) : {};
    const preset = presetField().read(members['preset'], [...path, 'preset'], []);
    const config = objectField('', branchingShape(branchingPresets[preset])).read(value, path, problems);
    const isPlain = config.rule === 'none' && members['initialRollouts'] === undefined;
    return isPlain ? { ...config, initialRollouts: config.globalRollouts } : config;
  },
};

function presetField(): Field<BranchingRuleName> {
  return choiceField({
    description: 'The named set of values that all other keys of this section start from.',
    default: 'quantile',
    values: rules,
  });
}

function branchingShape(preset: BranchingOptions): Shape<BranchingConfig> {
  return {
    preset: presetField(),
    rule: choiceField({
      description: 'The rule that decides whether to branch.',
      default: preset.rule,
      values: rules,
    }),
    entropy: objectField('How entropies are measured and compared.', entropyShape(preset.entropy)),
    ...placeShape(preset),
    ...budgetShape(preset),
    ...ruleShape(preset),
  };
}

function entropyShape(preset: EntropyMeasure): Shape<EntropyMeasure> {
  return {
    estimator: choiceField({
      description: 'Where the entropy of a token comes from.',
      default: preset.estimator,
      values: {
        exact: 'The full distribution (paper).',
        topK: 'The topK most probable tokens and the sampled one, as they are (released code).',
        renormalized: 'The topK most probable tokens, rescaled to 1.',
        residualBucket: 'The topK most probable tokens, and one extra outcome for all others.',
      },
    }),
    topK: integerField({
      description: 'Most probable tokens used by every estimator but exact.',
      default: preset.topK,
      minimum: 1,
    }),
    window: integerField({
      description: 'Tokens read from the start of a segment (k).',
      default: preset.window,
      minimum: 1,
    }),
    normalizer: choiceField({
      description: 'How the entropies of the tokens become one number.',
      default: preset.normalizer,
      values: {
        sum: 'Their sum, nats.',
        mean: 'Their mean, nats.',
        sumOverV: 'Their sum divided by the vocabulary size V (paper, Eq. 4).',
        sumOverLnV: 'Their sum divided by ln V (released code).',
        meanOverLnV: 'Their mean divided by ln V, in [0, 1].',
      },
    }),
    difference: choiceField({
      description: 'How two segments are compared.',
      default: preset.difference,
      values: {
        scalar: 'The difference of two finished numbers (released code).',
        vector: 'The sum of the differences position by position (paper, Eq. 4).',
      },
    }),
  };
}

function placeShape(
  preset: BranchingOptions,
): Shape<Pick<BranchingOptions, 'measuringPoint' | 'baselineScope'>> {
  return {
    measuringPoint: choiceField({
      description: 'Which segment is measured for a branch behind a tool result.',
      default: preset.measuringPoint,
      values: {
        afterResult: 'The one generated after that result (paper).',
        beforeResult: 'The one that ended in the tool call (released code).',
      },
    }),
    baselineScope: choiceField({
      description: 'What the entropy is compared with.',
      default: preset.baselineScope,
      values: {
        trajectory: 'The first segment of the trajectory, inherited by branches (paper).',
        ownFirstSegment: 'The first segment that the slot sampled itself (released code, first batch).',
        staleSlot: 'The first segment this slot number ever sampled (released code, later batches).',
      },
    }),
  };
}

type BudgetKey = 'globalRollouts' | 'initialRollouts' | 'beamSize' | 'topUp';

function budgetShape(preset: BranchingOptions): Shape<Pick<BranchingOptions, BudgetKey>> {
  return {
    globalRollouts: integerField({
      description: 'Trajectories finally kept per task (M).',
      default: preset.globalRollouts,
      minimum: 1,
    }),
    initialRollouts: integerField({
      description:
        'Trajectories started from the prompt (N), at most globalRollouts. With rule none: all of them.',
      default: preset.initialRollouts,
      minimum: 1,
    }),
    beamSize: integerField({
      description: 'Paths that leave a branching node, the original included (Z).',
      default: preset.beamSize,
      minimum: 1,
    }),
    topUp: choiceField({
      description: 'How unused budget is filled when no trajectory of the task is live.',
      default: preset.topUp,
      values: {
        atOnce: 'The whole shortfall is started at once (paper).',
        serial: 'One trajectory per loop turn (released code).',
      },
    }),
  };
}

type RuleKey = Exclude<
  keyof BranchingOptions,
  BudgetKey | 'rule' | 'entropy' | 'measuringPoint' | 'baselineScope'
>;

function ruleShape(preset: BranchingOptions): Shape<Pick<BranchingOptions, RuleKey>> {
  const number = (key: RuleKey, description: string): Field<number> =>
    numberField({ description, default: preset[key] });
  const share = (key: RuleKey, description: string): Field<number> =>
    numberField({ description, default: preset[key], minimum: 0, maximum: 1 });
  const count = (key: RuleKey, description: string): Field<number> =>
    integerField({ description, default: preset[key], minimum: 1 });
  return {
    alpha: number('alpha', 'Rule paper: base of P = alpha + beta · ΔH.'),
    beta: number('beta', 'Rule paper: weight of the entropy change.'),
    tau: number('tau', 'Rule paper: branches when P exceeds it.'),
    branchProbability: share('branchProbability', 'Rules released and aepo: chance of branching at ΔH = 0.'),
    entropyWeight: number('entropyWeight', 'Rules released and aepo: change of that chance per unit of ΔH.'),
    penaltyPerBranch: share(
      'penaltyPerBranch',
      'Rule aepo: loss of the factor per consecutive branching turn.',
    ),
    quantile: numberField({
      description: 'Rule quantile: share of the recent entropy changes that branches.',
      default: preset.quantile,
      above: 0,
      maximum: 1,
    }),
    historyLength: count('historyLength', 'Rule quantile: how many of the latest entropy changes count.'),
    minimumHistory: count('minimumHistory', 'Rule quantile: with fewer entropy changes nothing branches.'),
    randomProbability: share('randomProbability', 'Rule random: the chance of branching.'),
  };
}

/** The schema without defaults, which depend on the preset. */
function branchingSchema(): JsonSchema {
  const field = objectField(
    'When trajectories branch (adaptive rollout). What is left out has the value of the preset.',
    branchingShape(quantilePreset),
  );
  return withoutDefaults(field.schema);
}

function withoutDefaults(schema: JsonSchema): JsonSchema {
  const { default: _default, properties, ...rest } = schema;
  if (typeof properties !== 'object' || properties === null) return rest;
  const members = Object.entries(properties as Readonly<Record<string, JsonSchema>>);
  return {
    ...rest,
    properties: Object.fromEntries(
      members.map(([name, member]) => [name, name === 'preset' ? member : withoutDefaults(member)]),
    ),
  };
}

import { EngineError } from '#engine/engineError';
import type { HostTensor } from '#engine/executor';
import type {
  LossReport,
  NamedTensor,
  NamedTensors,
  ObjectiveOptions,
  OptimizerOptions,
  OptimizerState,
  PolicyTrainer,
  TrainingSequence,
} from '#engine/policy';
import { float32, scalar, Scorer, type ScorerParts, type ScoringPass } from '#engine/scorer';
import { checkWeights } from '#engine/weightCheck';

/** From this on, the graphs read a bound as "none". */
const UNBOUNDED = 1e9;

/**
 * Accumulates gradients over the loss graphs and moves the weights with the optimizer graph. Every call
 * takes effect as a whole or not at all: when `accumulate` or `step` fails or is aborted, weights,
 * moments and what earlier calls accumulated are as before (`step` clears the gradients in any case).
 */
export class GraphTrainer implements PolicyTrainer {
  readonly #parts: ScorerParts;
  readonly #scorer: Scorer;
  /** `gradient.<weight>` → accumulated; `null` when nothing has been accumulated since the last step. */
  #gradients: Readonly<Record<string, HostTensor>> | null = null;
  #state: OptimizerState;

  constructor(parts: ScorerParts) {
    this.#parts = parts;
    this.#scorer = new Scorer(parts);
    this.#state = {
      updates: 0,
      firstMoments: zerosLike(parts.weights.tensors),
      secondMoments: zerosLike(parts.weights.tensors),
    };
  }

  get updates(): number {
    return this.#state.updates;
  }

  async accumulate(
    sequences: readonly TrainingSequence[],
    objective: ObjectiveOptions & { readonly temperature: number },
    signal: AbortSignal,
  ): Promise<LossReport> {
    sequences.forEach((sequence, index) => checkSequence(sequence, index, objective));
    const pass: ScoringPass = {
      graph: 'policy',
      constants: objectiveInputs(objective),
      tokenValues: {
        weights: sequences.map(({ weights }) => weights),
        advantages: sequences.map(({ advantages }) => advantages),
        oldLogProbs: sequences.map(({ oldLogProbs }) => oldLogProbs),
        // With a coefficient of 0 any number serves; the old log-probs are at hand.
        referenceLogProbs: sequences.map((sequence) => sequence.referenceLogProbs ?? sequence.oldLogProbs),
      },
    };
    return this.#accumulate(sequences, pass, signal);
  }

  async accumulateLikelihood(
    sequences: readonly { readonly tokens: Int32Array; readonly weights: Float32Array }[],
    signal: AbortSignal,
  ): Promise<LossReport> {
    sequences.forEach(({ tokens, weights }, index) => checkLength('weights', weights, { tokens, index }));
    const pass: ScoringPass = {
      graph: 'likelihood',
      constants: { temperature: scalar(1) },
      tokenValues: { weights: sequences.map(({ weights }) => weights) },
    };
    return this.#accumulate(sequences, pass, signal);
  }

  async step(options: OptimizerOptions): Promise<{ readonly gradientNorm: number }> {
    const gradients = this.#gradients;
    if (gradients === null) throw new RangeError('There are no gradients: call accumulate before step.');
    this.#gradients = null;
    const executable = await this.#parts.graphs.get('optimizer');
    const { updates, firstMoments, secondMoments } = this.#state;
    const outputs = await executable.run({
      ...this.#parts.weights.inputs,
      ...gradients,
      ...prefixed('firstMoment.', firstMoments),
      ...prefixed('secondMoment.', secondMoments),
      ...optimizerInputs(options, updates + 1),
    });
    const gradientNorm = float32(outputs, 'gradientNorm')[0];
    if (!Number.isFinite(gradientNorm)) throw notFinite(`The norm of the gradient is ${gradientNorm}`);
    this.#parts.weights.replace(this.#named(outputs, 'next.'));
    this.#state = {
      updates: updates + 1,
      firstMoments: this.#named(outputs, 'next.firstMoment.'),
      secondMoments: this.#named(outputs, 'next.secondMoment.'),
    };
    return { gradientNorm };
  }

  exportState(): OptimizerState {
    return this.#state;
  }

  importState(state: OptimizerState): void {
    const { config } = this.#parts;
    this.#state = {
      updates: state.updates,
      firstMoments: checkWeights(config, state.firstMoments, { where: 'first moments' }),
      secondMoments: checkWeights(config, state.secondMoments, { where: 'second moments' }),
    };
    this.#gradients = null;
  }

  async #accumulate(
    sequences: readonly { readonly tokens: Int32Array }[],
    pass: ScoringPass,
    signal: AbortSignal,
  ): Promise<LossReport> {
    let gradients = this.#gradients ?? prefixed('gradient.', zerosLike(this.#parts.weights.tensors));
    const names = Object.keys(gradients);
    const report = await this.#scorer.run(
      sequences.map(({ tokens }) => tokens),
      {
        ...pass,
        constants: { ...pass.constants, ...gradients },
        afterBatch: (outputs) => {
          gradients = Object.fromEntries(names.map((name) => [name, tensorOf(outputs, name)]));
          return gradients;
        },
      },
      signal,
    );
    if (!Number.isFinite(report.loss)) throw notFinite(`The loss is ${report.loss}`);
    this.#gradients = gradients;
    return report;
  }

  #named(outputs: Readonly<Record<string, HostTensor>>, prefix: string): NamedTensors {
    return new Map(
      [...this.#parts.weights.tensors].map(([name, { shape }]) => {
        return [name, { shape, data: float32(outputs, prefix + name) }];
      }),
    );
  }
}

function objectiveInputs(
  objective: ObjectiveOptions & { readonly temperature: number },
): Record<string, HostTensor> {
  return {
    clipLow: scalar(objective.clipLow),
    clipHigh: scalar(objective.clipHigh),
    dualClip: scalar(objective.dualClip ?? UNBOUNDED),
    klCoefficient: scalar(objective.klCoefficient),
    aepo: scalar(objective.gradientRule === 'aepo' ? 1 : 0),
    temperature: scalar(objective.temperature),
  };
}

/** @param update t ≥ 1, for the corrections of the moments' bias. */
function optimizerInputs(options: OptimizerOptions, update: number): Record<string, HostTensor> {
  return {
    learningRate: scalar(options.learningRate),
    beta1: scalar(options.beta1),
    beta2: scalar(options.beta2),
    epsilon: scalar(options.epsilon),
    weightDecay: scalar(options.weightDecay),
    biasCorrection1: scalar(1 - options.beta1 ** update),
    biasCorrection2: scalar(1 - options.beta2 ** update),
    maxGradientNorm: scalar(options.maxGradientNorm ?? UNBOUNDED),
  };
}

function checkSequence(sequence: TrainingSequence, index: number, { klCoefficient }: ObjectiveOptions): void {
  const { tokens, referenceLogProbs } = sequence;
  for (const name of ['weights', 'advantages', 'oldLogProbs'] as const) {
    checkLength(name, sequence[name], { tokens, index });
  }
  if (referenceLogProbs !== null) checkLength('referenceLogProbs', referenceLogProbs, { tokens, index });
  else if (klCoefficient !== 0) {
    throw new RangeError(
      `Sequence ${index} has no referenceLogProbs, but klCoefficient is ${klCoefficient}.`,
    );
  }
}

function checkLength(
  name: string,
  values: Float32Array,
  { tokens, index }: { readonly tokens: Int32Array; readonly index: number },
): void {
  if (values.length === tokens.length) return;
  throw new RangeError(`Sequence ${index} has ${tokens.length} tokens, but ${values.length} ${name}.`);
}

function zerosLike(tensors: NamedTensors): NamedTensors {
  return new Map(
    [...tensors].map(([name, { shape, data }]): [string, NamedTensor] => {
      return [name, { shape, data: new Float32Array(data.length) }];
    }),
  );
}

function prefixed(prefix: string, tensors: NamedTensors): Record<string, HostTensor> {
  return Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => [prefix + name, { type: 'float32', shape, data } as const]),
  );
}

function tensorOf(outputs: Readonly<Record<string, HostTensor>>, name: string): HostTensor {
  const { shape } = outputs[name] ?? {};
  return { type: 'float32', shape: shape ?? [], data: float32(outputs, name) };
}

function notFinite(what: string): EngineError {
  return new EngineError(
    'notFinite',
    `${what}; the weights were left as they were. Lower the learning rate, or check advantages and log-probs.`,
  );
}

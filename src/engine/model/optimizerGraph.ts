import type { Graph, GraphNode } from '#engine/graph/graph';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';

type ScalarName =
  | 'learningRate'
  | 'beta1'
  | 'beta2'
  | 'epsilon'
  | 'weightDecay'
  | 'biasCorrection1'
  | 'biasCorrection2'
  | 'maxGradientNorm';

type Scalars = Readonly<Record<ScalarName, GraphNode>>;

function declareScalars(builder: GraphBuilder): Scalars {
  const declare = (name: ScalarName) => builder.input(name, 'float32', []);
  return {
    learningRate: declare('learningRate'),
    beta1: declare('beta1'),
    beta2: declare('beta2'),
    epsilon: declare('epsilon'),
    weightDecay: declare('weightDecay'),
    biasCorrection1: declare('biasCorrection1'),
    biasCorrection2: declare('biasCorrection2'),
    maxGradientNorm: declare('maxGradientNorm'),
  };
}

/** √ of the sum of all squares. */
function globalNorm(builder: GraphBuilder, tensors: readonly GraphNode[]): GraphNode {
  const sums = tensors.map((x) => builder.reduceSum(builder.multiply(x, x), [...x.shape.keys()]));
  return builder.squareRoot(sums.reduce((total, sum) => builder.add(total, sum)));
}

/** decay · moment + (1 − decay) · value. */
function movingAverage(
  builder: GraphBuilder,
  { moment, value, decay }: { moment: GraphNode; value: GraphNode; decay: GraphNode },
): GraphNode {
  const share = builder.subtract(builder.scalar(1), decay);
  return builder.add(builder.multiply(decay, moment), builder.multiply(share, value));
}

/** The next value and moments of one weight, by output name. */
function updateWeight(
  builder: GraphBuilder,
  scalars: Scalars,
  { name, weight, gradient }: { name: string; weight: GraphNode; gradient: GraphNode },
): Record<string, GraphNode> {
  const declare = (prefix: string) => builder.input(`${prefix}.${name}`, 'float32', weight.shape);
  const { learningRate, beta1, beta2, epsilon, weightDecay } = scalars;
  const square = builder.multiply(gradient, gradient);
  const first = movingAverage(builder, { moment: declare('firstMoment'), value: gradient, decay: beta1 });
  const second = movingAverage(builder, { moment: declare('secondMoment'), value: square, decay: beta2 });
  const deviation = builder.squareRoot(builder.divide(second, scalars.biasCorrection2));
  const rate = builder.divide(learningRate, scalars.biasCorrection1);
  const move = builder.multiply(rate, builder.divide(first, builder.add(deviation, epsilon)));
  const keep = builder.subtract(builder.scalar(1), builder.multiply(learningRate, weightDecay));
  return {
    [`next.${name}`]: builder.subtract(builder.multiply(keep, weight), move),
    [`next.firstMoment.${name}`]: first,
    [`next.secondMoment.${name}`]: second,
  };
}

/**
 * One AdamW update (Loshchilov & Hutter, arXiv:1711.05101, as in PyTorch): gradients are scaled by
 * min(1, maxGradientNorm / (norm + 1e-6)); decay applies to every weight, norms and biases included.
 *
 * Inputs: for each weight `<weight>`, `gradient.<weight>`, `firstMoment.<weight>`, `secondMoment.<weight>`;
 * scalars (`[]`) `learningRate`, `beta1`, `beta2`, `epsilon`, `weightDecay`, `biasCorrection1` = 1 − beta1^t,
 * `biasCorrection2` = 1 − beta2^t with t ≥ 1 the number of this update, `maxGradientNorm` (≥ 1e9 switches
 * clipping off).
 *
 * Outputs: `next.<weight>`, `next.firstMoment.<weight>`, `next.secondMoment.<weight>`; `gradientNorm` `[]`:
 * the global norm before clipping.
 */
export function buildOptimizerGraph(config: LlamaConfig): Graph {
  const builder = new GraphBuilder();
  const scalars = declareScalars(builder);
  const states = [...weightShapes(config)].map(([name, shape]) => ({
    name,
    weight: builder.input(name, 'float32', shape),
    gradient: builder.input(`gradient.${name}`, 'float32', shape),
  }));
  const gradientNorm = globalNorm(
    builder,
    states.map(({ gradient }) => gradient),
  );
  const allowed = builder.divide(scalars.maxGradientNorm, builder.add(gradientNorm, builder.scalar(1e-6)));
  const shrink = builder.minimum(builder.scalar(1), allowed);
  const outputs = states.map(({ name, weight, gradient }) =>
    updateWeight(builder, scalars, { name, weight, gradient: builder.multiply(gradient, shrink) }),
  );
  const named = Object.fromEntries(outputs.flatMap((output) => Object.entries(output)));
  return builder.finish('optimizer', { gradientNorm, ...named });
}

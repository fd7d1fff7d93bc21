import type { GraphNode } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import { BATCH, LENGTH } from '#engine/model/tokenScores';

/** The largest KL estimate of one token, nats; above it has no gradient. */
const LARGEST_DIVERGENCE = 10;

/** Beyond ±20 nats the estimate is above its bound anyway; e^20 is finite in float32 and e^100 is not. */
const LARGEST_DIFFERENCE = 20;

type Scalars = Readonly<Record<'clipLow' | 'clipHigh' | 'dualClip' | 'klCoefficient' | 'aepo', GraphNode>>;

function declareScalars(builder: GraphBuilder): Scalars {
  const declare = (name: string) => builder.input(name, 'float32', []);
  return {
    clipLow: declare('clipLow'),
    clipHigh: declare('clipHigh'),
    dualClip: declare('dualClip'),
    klCoefficient: declare('klCoefficient'),
    aepo: declare('aepo'),
  };
}

/**
 * The ratio within [1 − ε_l, 1 + ε_h]. With the AEPO rule the upper bound (1 + ε_h) · r / sg(r) has the
 * same value, but the gradient of (1 + ε_h) · log-prob instead of 0; 1 + l − sg(l) with l = log r stands
 * for r / sg(r), because it stays finite when r underflows.
 */
function clipRatio(
  builder: GraphBuilder,
  logRatio: GraphNode,
  { clipLow, clipHigh, aepo }: Scalars,
): GraphNode {
  const one = builder.scalar(1);
  const carrier = builder.subtract(logRatio, builder.stopGradient(logRatio));
  const upper = builder.multiply(
    builder.add(one, clipHigh),
    builder.add(one, builder.multiply(aepo, carrier)),
  );
  return builder.minimum(builder.maximum(builder.exp(logRatio), builder.subtract(one, clipLow)), upper);
}

/** max(−A·r, −A·clip(r)); where A < 0, at most −A·c. */
function clippedLoss(
  builder: GraphBuilder,
  { logRatio, advantages, scalars }: { logRatio: GraphNode; advantages: GraphNode; scalars: Scalars },
): GraphNode {
  const cost = builder.scale(advantages, -1);
  const clipped = builder.multiply(cost, clipRatio(builder, logRatio, scalars));
  const loss = builder.maximum(builder.multiply(cost, builder.exp(logRatio)), clipped);
  const bounded = builder.minimum(loss, builder.multiply(cost, scalars.dualClip));
  return builder.where(builder.greater(cost, builder.scalar(0)), bounded, loss);
}

/** The k3 estimate of the KL divergence from the reference: e^d − d − 1 with d = ref − logp, at most 10. */
function divergence(builder: GraphBuilder, logProbs: GraphNode, reference: GraphNode): GraphNode {
  const farthest = builder.scalar(LARGEST_DIFFERENCE);
  const difference = builder.minimum(builder.subtract(reference, logProbs), farthest);
  const d = builder.maximum(difference, builder.scale(farthest, -1));
  const estimate = builder.subtract(builder.subtract(builder.exp(d), d), builder.scalar(1));
  return builder.minimum(estimate, builder.scalar(LARGEST_DIVERGENCE));
}

/**
 * Declares the inputs of the policy objective (see `buildLossGraph`) and builds its loss per token.
 *
 * @param logProbs `[B, T]` of the policy in training.
 * @param isIgnored bool `[B, T]`: there ratios are 1 and divergences 0, so that padding can give no
 *   infinity.
 * @returns `[B, T]`.
 * @see PPO's clipped surrogate, arXiv:1707.06347 Eq. 7; dual clip, arXiv:1912.09729 Eq. 5; AEPO,
 *   arXiv:2510.14545 §3.3; `compute_policy_loss` and `kl_penalty` of verl's core_algos.py.
 */
export function policyTokenLoss(builder: GraphBuilder, logProbs: GraphNode, isIgnored: GraphNode): GraphNode {
  const declare = (name: string) => builder.input(name, 'float32', [BATCH, LENGTH]);
  const advantages = declare('advantages');
  const old = declare('oldLogProbs');
  const reference = declare('referenceLogProbs');
  const scalars = declareScalars(builder);
  const zero = builder.scalar(0);
  const logRatio = builder.where(isIgnored, zero, builder.subtract(logProbs, old));
  const loss = clippedLoss(builder, { logRatio, advantages, scalars });
  const penalty = builder.where(isIgnored, zero, divergence(builder, logProbs, reference));
  return builder.add(loss, builder.multiply(scalars.klCoefficient, penalty));
}

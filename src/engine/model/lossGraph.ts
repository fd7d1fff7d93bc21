import type { Graph } from '#engine/graph/graph';
import { gradients } from '#engine/graph/gradients';
import { GraphBuilder } from '#engine/graph/graphBuilder';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { policyTokenLoss } from '#engine/model/policyObjective';
import { BATCH, buildTokenScores, LENGTH } from '#engine/model/tokenScores';

/** `policy` is the clipped objective; `likelihood` is −log-prob (demonstrations). */
export type LossKind = 'policy' | 'likelihood';

/**
 * Loss, gradients, log-probs and entropies of one batch of `[B, T]` tokens.
 *
 * Inputs: every weight under its own name; `tokens` and `targets` int32 `[B, T]` (`targets[b, t]` is the
 * token whose log-prob is wanted given tokens 0..t, so usually `tokens[b, t + 1]`; the arrays below are
 * aligned with it); `cos`, `sin` float32 `[B, T, head_dim]` (`rotaryTables`); `attentionMask` float32
 * `[B or 1, 1, T, T]`, added to the scores: 0 or −1e9; `weights` float32 `[B, T]`; `temperature` `[]`, > 0;
 * `gradient.<weight>` in the weight's shape: what was accumulated so far.
 * `policy` also: `advantages`, `oldLogProbs`, `referenceLogProbs` float32 `[B, T]` and the scalars (`[]`)
 * `clipLow`, `clipHigh`, `dualClip` (≥ 1e9 switches it off), `klCoefficient`, `aepo` (0 or 1).
 *
 * Outputs: `loss` `[]` = Σ weight · loss; `logProbs`, `entropies` `[B, T]` in nats at `temperature`;
 * `gradient.<weight>` = the input of that name + the gradient of `loss`.
 *
 * Where `weights` is 0 nothing but `logProbs` and `entropies` depends on the other per-token inputs.
 */
export function buildLossGraph(config: LlamaConfig, kind: LossKind): Graph {
  const builder = new GraphBuilder();
  const { weights, logProbs, entropies } = buildTokenScores(builder, config);
  const tokenWeights = builder.input('weights', 'float32', [BATCH, LENGTH]);
  const isIgnored = builder.equal(tokenWeights, builder.scalar(0));
  const tokenLoss =
    kind === 'policy' ? policyTokenLoss(builder, logProbs, isIgnored) : builder.scale(logProbs, -1);
  const loss = builder.reduceSum(builder.multiply(tokenWeights, tokenLoss), [0, 1]);
  const names = [...weights.keys()];
  const derived = gradients(builder, loss, [...weights.values()]);
  const sums = names.map((name, index) => {
    const accumulated = builder.input(`gradient.${name}`, 'float32', derived[index].shape);
    return [`gradient.${name}`, builder.add(accumulated, derived[index])] as const;
  });
  return builder.finish(kind, { loss, logProbs, entropies, ...Object.fromEntries(sums) });
}

import { createRandom } from '#base/random';
import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';
import { rotaryTables } from '#engine/model/rotary';

/** A model small enough for finite differences. */
export const tinyConfig: LlamaConfig = {
  vocab_size: 7,
  hidden_size: 6,
  intermediate_size: 5,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
  max_position_embeddings: 16,
  tie_word_embeddings: false,
  attention_bias: false,
  qk_norm: false,
};

/** The variants that the model graphs have code for. */
export const variants: Readonly<Record<string, LlamaConfig>> = {
  'grouped queries, untied': tinyConfig,
  'tied embeddings': { ...tinyConfig, tie_word_embeddings: true },
  'query, key and value biases': { ...tinyConfig, attention_bias: true },
  'query and key norms': { ...tinyConfig, qk_norm: true },
  'one key-value head per head': { ...tinyConfig, num_key_value_heads: 4, head_dim: 4 },
};

export type Inputs = Record<string, HostTensor>;

export function floats(shape: readonly number[], data: ArrayLike<number>): HostTensor {
  return { type: 'float32', shape, data: Float32Array.from(data) };
}

export function integers(shape: readonly number[], data: ArrayLike<number>): HostTensor {
  return { type: 'int32', shape, data: Int32Array.from(data) };
}

export function scalar(value: number): HostTensor {
  return floats([], [value]);
}

/** Uniform numbers in [low, high). */
export function uniform(count: number, seed: number, [low, high]: readonly [number, number]): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => low + (high - low) * random.next());
}

/** Weights far from their initial values, so that every path of the gradient carries something. */
export function randomWeights(config: LlamaConfig, seed: number, size = 0.8): Inputs {
  const weights: Inputs = {};
  let stream = seed;
  for (const [name, shape] of weightShapes(config)) {
    const count = shape.reduce((product, length) => product * length, 1);
    const center = name.endsWith('norm.weight') ? 1 : 0;
    weights[name] = floats(shape, uniform(count, (stream += 1), [center - size, center + size]));
  }
  return weights;
}

export function randomTokens(config: LlamaConfig, count: number, seed: number): Int32Array {
  return Int32Array.from(uniform(count, seed, [0, config.vocab_size]), Math.floor);
}

/** `[1, 1, T, T]`: 0 where column ≤ row, else −1e9. */
export function causalMask(length: number): HostTensor {
  const mask = Float32Array.from({ length: length * length }, (_, index) =>
    index % length <= Math.floor(index / length) ? 0 : -1e9,
  );
  return floats([1, 1, length, length], mask);
}

/** `cos` and `sin` of `[B, T]` positions that count from 0 in every row. */
export function rowTables(config: LlamaConfig, [batch, length]: readonly [number, number]): Inputs {
  const positions = Array.from({ length: batch * length }, (_, index) => index % length);
  const { cos, sin } = rotaryTables(config, positions);
  const shape = [batch, length, config.head_dim];
  return { cos: floats(shape, cos), sin: floats(shape, sin) };
}

/** What every whole-sequence graph takes, random but seeded. */
export function scoreInputs(
  config: LlamaConfig,
  [batch, length]: readonly [number, number],
  seed: number,
): Inputs {
  return {
    ...randomWeights(config, seed),
    ...rowTables(config, [batch, length]),
    tokens: integers([batch, length], randomTokens(config, batch * length, seed + 1000)),
    targets: integers([batch, length], randomTokens(config, batch * length, seed + 2000)),
    attentionMask: causalMask(length),
    temperature: scalar(1),
  };
}

/** Zero gradients so far, for `buildLossGraph`. */
export function zeroGradients(config: LlamaConfig): Inputs {
  return Object.fromEntries(
    [...weightShapes(config)].map(([name, shape]) => [
      `gradient.${name}`,
      floats(shape, new Float32Array(shape.reduce((product, length) => product * length, 1))),
    ]),
  );
}

/** Inputs of the policy objective with ratios on both sides of the clip range and both signs. */
export function policyInputs(
  config: LlamaConfig,
  [batch, length]: readonly [number, number],
  seed: number,
): Inputs {
  const shape = [batch, length];
  const draw = (stream: number, range: readonly [number, number]) =>
    floats(shape, uniform(batch * length, seed + stream, range));
  return {
    ...scoreInputs(config, [batch, length], seed),
    ...zeroGradients(config),
    weights: draw(3000, [0.1, 1]),
    advantages: draw(4000, [-2, 2]),
    oldLogProbs: draw(5000, [-3, -1]),
    referenceLogProbs: draw(6000, [-3, -1]),
    clipLow: scalar(0.2),
    clipHigh: scalar(0.3),
    dualClip: scalar(3),
    klCoefficient: scalar(0.1),
    aepo: scalar(0),
  };
}

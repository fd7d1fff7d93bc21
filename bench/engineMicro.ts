/**
 * Throughput of the policy's training and decode graphs on this machine, and the share of the time that
 * the floating-point operations alone would take. Prints one JSON line per measurement.
 */
import { createRandom } from '#base/random';
import type { Executable, HostTensor } from '#engine/executor';
import { buildDecodeGraph } from '#engine/model/decodeGraph';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { initializeWeights, parameterCount } from '#engine/model/llamaWeights';
import { buildLossGraph } from '#engine/model/lossGraph';
import { rotaryTables } from '#engine/model/rotary';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';

type Inputs = Record<string, HostTensor>;

const config: LlamaConfig = {
  vocab_size: 117,
  hidden_size: 96,
  intermediate_size: 256,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  head_dim: 24,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 256,
  tie_word_embeddings: false,
  attention_bias: false,
  qk_norm: false,
};
const [BATCH, LENGTH, PAST] = [64, 64, 48];

function floats(shape: readonly number[], data: Float32Array): HostTensor {
  return { type: 'float32', shape, data };
}

function filled(shape: readonly number[], value: number): HostTensor {
  return floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value));
}

const random = createRandom(1);
const weights: Inputs = {};
for (const [name, { shape, data }] of initializeWeights(config, random, { std: 0.05 }))
  weights[name] = floats(shape, data);

function tokens(shape: readonly number[]): HostTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const data = Int32Array.from({ length: count }, () => Math.floor(random.next() * config.vocab_size));
  return { type: 'int32', shape, data };
}

function tables(batch: number, length: number, start: number): Inputs {
  const positions = Array.from({ length: batch * length }, (_, index) => start + (index % length));
  const { cos, sin } = rotaryTables(config, positions);
  const shape = [batch, length, config.head_dim];
  return { cos: floats(shape, cos), sin: floats(shape, sin) };
}

function trainingInputs(): Inputs {
  const shape = [BATCH, LENGTH];
  const mask = Float32Array.from({ length: LENGTH * LENGTH }, (_, index) =>
    index % LENGTH <= Math.floor(index / LENGTH) ? 0 : -1e9,
  );
  const scalars = { temperature: 1, clipLow: 0.2, clipHigh: 0.2, dualClip: 3, klCoefficient: 0.01, aepo: 0 };
  const gradients = Object.entries(weights).map(([name, tensor]) => [
    `gradient.${name}`,
    filled(tensor.shape, 0),
  ]);
  return {
    ...weights,
    ...Object.fromEntries(gradients),
    ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, filled([], value)])),
    ...tables(BATCH, LENGTH, 0),
    tokens: tokens(shape),
    targets: tokens(shape),
    attentionMask: floats([1, 1, LENGTH, LENGTH], mask),
    weights: filled(shape, 1 / (BATCH * LENGTH)),
    advantages: filled(shape, 1),
    oldLogProbs: filled(shape, -4.7),
    referenceLogProbs: filled(shape, -4.7),
  };
}

function decodeInputs(): Inputs {
  const { num_key_value_heads: groups, head_dim: width } = config;
  const caches: Inputs = {};
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    caches[`past.${layer}.key`] = filled([BATCH, groups, width, PAST], 0.1);
    caches[`past.${layer}.value`] = filled([BATCH, groups, PAST, width], 0.1);
  }
  return {
    ...weights,
    ...caches,
    ...tables(BATCH, 1, PAST),
    tokens: tokens([BATCH, 1]),
    attentionMask: filled([BATCH, 1, 1, PAST + 1], 0),
    select: filled([BATCH, 1, 1], 1),
  };
}

/** Median seconds of a run after warming up. */
async function measure(executable: Executable, inputs: Inputs, runs: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs + 3; run += 1) {
    const start = performance.now();
    await executable.run(inputs);
    if (run >= 3) times.push((performance.now() - start) / 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** Multiply-adds count as two; attention over all pairs, as it is computed. */
function operationsPerToken(pairs: number): number {
  const embedding = config.vocab_size * config.hidden_size;
  const attention = 4 * pairs * config.num_attention_heads * config.head_dim * config.num_hidden_layers;
  return 2 * (parameterCount(config) - embedding) + attention;
}

for (const intraOpThreads of [1, 2]) {
  const executor = await createOnnxExecutor({ intraOpThreads });
  const training = await executor.compile(buildLossGraph(config, 'policy'));
  const decoding = await executor.compile(buildDecodeGraph(config));
  const trainingSeconds = await measure(training, trainingInputs(), 15);
  const decodeSeconds = await measure(decoding, decodeInputs(), 100);
  const report = {
    intraOpThreads,
    trainingTokensPerSecond: Math.round((BATCH * LENGTH) / trainingSeconds),
    trainingGigaflops: (3 * operationsPerToken(LENGTH) * BATCH * LENGTH) / trainingSeconds / 1e9,
    decodeTokensPerSecond: Math.round(BATCH / decodeSeconds),
    decodeGigaflops: (operationsPerToken(PAST + 1) * BATCH) / decodeSeconds / 1e9,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await training.dispose();
  await decoding.dispose();
  await executor.dispose();
}

import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import type { HostTensor } from '#engine/executor';
import { buildDecodeGraph } from '#engine/model/decodeGraph';
import { buildScoreGraph } from '#engine/model/scoreGraph';
import { llamaConfigProblems, type LlamaConfig } from '#engine/model/llamaConfig';
import { initializeWeights, parameterCount, weightShapes } from '#engine/model/llamaWeights';
import { rotaryTables } from '#engine/model/rotary';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { createRandom } from '#base/random';
import { largestError } from '../graph/finiteDifferences';
import {
  causalMask,
  floats,
  integers,
  rowTables,
  scalar,
  scoreInputs,
  tinyConfig,
  variants,
} from './tinyModel';
import { decodeInputs, emptyCache, appendToCache } from './decodeSteps';

const reference = createReferenceExecutor();

async function score(config: LlamaConfig, inputs: Record<string, HostTensor>) {
  const executable = await reference.compile(buildScoreGraph(config));
  return executable.run(inputs);
}

/** log softmax(logits / temperature) of one row. */
function logSoftmax(logits: ArrayLike<number>, temperature = 1): number[] {
  const scaled = Array.from(logits, (x) => x / temperature);
  const logSum = Math.log(scaled.reduce((sum, x) => sum + Math.exp(x), 0));
  return scaled.map((x) => x - logSum);
}

describe('decoding step by step gives what the whole sequence gives', () => {
  const [batch, length] = [2, 5];
  for (const [name, config] of Object.entries(variants)) {
    test(name, async () => {
      const whole = scoreInputs(config, [batch, length], 21);
      const scores = await score(config, { ...whole, temperature: scalar(0.6) });
      const decode = await reference.compile(buildDecodeGraph(config));
      const cache = emptyCache(config, batch);
      // Chunks of 2, 1 and 2 tokens: prefill into an empty cache, a decode step, a tool result.
      for (const [start, end] of [
        [0, 2],
        [2, 3],
        [3, 5],
      ]) {
        const outputs = await decode.run(decodeInputs(config, { whole, cache, start, end }));
        appendToCache(config, cache, outputs);
        for (let row = 0; row < batch; row += 1) {
          const logits = outputs['logits'].data.slice(row * config.vocab_size, (row + 1) * config.vocab_size);
          const logProbs = logSoftmax(logits, 0.6);
          const position = row * length + end - 1;
          expect(scores['logProbs'].data[position]).toBeCloseTo(logProbs[whole['targets'].data[position]], 5);
          const entropy = -logProbs.reduce((sum, x) => sum + Math.exp(x) * x, 0);
          expect(scores['entropies'].data[position]).toBeCloseTo(entropy, 5);
        }
      }
    });
  }
});

describe('attention masks', () => {
  test('a packed tree scores each branch as if it were alone', async () => {
    // Tokens 0 1 | 2 3 | 4 5: two branches after a shared prefix.
    const config = tinyConfig;
    const packed = scoreInputs(config, [1, 6], 31);
    const parents = [-1, 0, 1, 2, 1, 4];
    const mask = new Float32Array(36).fill(-1e9);
    const depths = parents.map((_, token) => {
      let depth = 0;
      for (let node = token; node >= 0; node = parents[node]) {
        mask[token * 6 + node] = 0;
        depth += node === token ? 0 : 1;
      }
      return depth;
    });
    const { cos, sin } = rotaryTables(config, depths);
    const shape = [1, 6, config.head_dim];
    const tree = await score(config, {
      ...packed,
      cos: floats(shape, cos),
      sin: floats(shape, sin),
      attentionMask: floats([1, 1, 6, 6], mask),
    });
    for (const path of [
      [0, 1, 2, 3],
      [0, 1, 4, 5],
    ]) {
      const pick = (name: string) =>
        integers(
          [1, 4],
          path.map((index) => packed[name].data[index]),
        );
      const alone = await score(config, {
        ...packed,
        ...rowTables(config, [1, 4]),
        tokens: pick('tokens'),
        targets: pick('targets'),
        attentionMask: causalMask(4),
      });
      const expected = path.map((index) => tree['logProbs'].data[index]);
      expect(largestError(alone['logProbs'].data, expected)).toBeLessThan(1e-6);
    }
  });

  test('a mask per row hides padding', async () => {
    const inputs = scoreInputs(tinyConfig, [2, 3], 41);
    const causal = causalMask(3).data;
    const masks = floats([2, 1, 3, 3], [...causal, ...causal]);
    const shared = await score(tinyConfig, inputs);
    const own = await score(tinyConfig, { ...inputs, attentionMask: masks });
    expect(own['logProbs'].data).toEqual(shared['logProbs'].data);
    const changed = {
      ...inputs,
      tokens: integers([2, 3], [...inputs['tokens'].data].with(5, 6 - inputs['tokens'].data[5])),
    };
    const after = await score(tinyConfig, { ...changed, attentionMask: masks });
    expect(after['logProbs'].data.slice(0, 5)).toEqual(shared['logProbs'].data.slice(0, 5));
    expect(after['logProbs'].data[5]).not.toEqual(shared['logProbs'].data[5]);
  });
});

describe('Hugging Face LlamaForCausalLM', () => {
  interface Fixture {
    readonly config: LlamaConfig;
    readonly weights: Readonly<Record<string, number[]>>;
    readonly tokens: number[];
    readonly logProbs: number[];
    readonly entropies: number[];
  }
  const path = new URL('../../fixtures/llama-tiny.json', import.meta.url);
  const fixtures: Readonly<Record<string, Fixture>> = JSON.parse(readFileSync(path, 'utf8'));
  for (const [name, fixture] of Object.entries(fixtures)) {
    test(`${name}: log-probs and entropies of transformers`, async () => {
      const { config, tokens } = fixture;
      const shapes = weightShapes(config);
      expect([...shapes.keys()].toSorted()).toEqual(Object.keys(fixture.weights).toSorted());
      const weights = [...shapes].map(
        ([weight, shape]) => [weight, floats(shape, fixture.weights[weight])] as const,
      );
      const length = tokens.length;
      const targets = [...tokens.slice(1), 0];
      const scores = await score(config, {
        ...Object.fromEntries(weights),
        ...rowTables(config, [1, length]),
        tokens: integers([1, length], tokens),
        targets: integers([1, length], targets),
        attentionMask: causalMask(length),
        temperature: scalar(1),
      });
      expect(largestError(scores['logProbs'].data.slice(0, length - 1), fixture.logProbs)).toBeLessThan(2e-6);
      expect(largestError(scores['entropies'].data, fixture.entropies)).toBeLessThan(2e-6);
    });
  }
});

describe('configuration and weights', () => {
  test('weight names and shapes are those of Hugging Face', () => {
    const config = { ...tinyConfig, num_hidden_layers: 1 };
    expect(Object.fromEntries(weightShapes(config))).toEqual({
      'model.embed_tokens.weight': [7, 6],
      'model.layers.0.input_layernorm.weight': [6],
      'model.layers.0.self_attn.q_proj.weight': [8, 6],
      'model.layers.0.self_attn.k_proj.weight': [4, 6],
      'model.layers.0.self_attn.v_proj.weight': [4, 6],
      'model.layers.0.self_attn.o_proj.weight': [6, 8],
      'model.layers.0.post_attention_layernorm.weight': [6],
      'model.layers.0.mlp.gate_proj.weight': [5, 6],
      'model.layers.0.mlp.up_proj.weight': [5, 6],
      'model.layers.0.mlp.down_proj.weight': [6, 5],
      'model.norm.weight': [6],
      'lm_head.weight': [7, 6],
    });
    // 42 + 6 + 48 + 24 + 24 + 48 + 6 + 30 + 30 + 30 + 6 + 42
    expect(parameterCount(config)).toBe(336);
    expect(parameterCount({ ...config, tie_word_embeddings: true })).toBe(294);
  });

  test('initial weights have the asked-for deviation, norms are 1 and biases 0', () => {
    const config = { ...tinyConfig, vocab_size: 500, hidden_size: 40, attention_bias: true };
    const weights = initializeWeights(config, createRandom(5), { std: 0.02 });
    const embedding = weights.get('model.embed_tokens.weight')?.data ?? new Float32Array();
    const mean = embedding.reduce((sum, x) => sum + x, 0) / embedding.length;
    const variance = embedding.reduce((sum, x) => sum + (x - mean) ** 2, 0) / embedding.length;
    // 20,000 draws: standard errors 1.4e-4 of the mean and 1e-4 of the deviation.
    expect(Math.abs(mean)).toBeLessThan(6e-4);
    expect(Math.abs(Math.sqrt(variance) - 0.02)).toBeLessThan(4e-4);
    expect([...(weights.get('model.norm.weight')?.data ?? [])]).toEqual(Array.from({ length: 40 }, () => 1));
    expect([...(weights.get('model.layers.0.self_attn.k_proj.bias')?.data ?? [])]).toEqual([0, 0, 0, 0]);
    expect(initializeWeights(config, createRandom(5), { std: 0.02 })).toEqual(weights);
  });

  test('problems of a configuration are named together', () => {
    const config = { ...tinyConfig, head_dim: 3, num_key_value_heads: 3, rope_theta: 0, vocab_size: 1.5 };
    expect(llamaConfigProblems(config)).toEqual([
      'vocab_size must be a whole number of at least 1, but is 1.5',
      'rope_theta must be above 0, but is 0',
      'head_dim must be even, but is 3',
      'num_key_value_heads (3) must divide num_attention_heads (4)',
    ]);
    expect(llamaConfigProblems(tinyConfig)).toEqual([]);
  });

  test('rotary tables turn pair i by position · theta^(−2i / d)', () => {
    const config = { ...tinyConfig, head_dim: 4, rope_theta: 100 };
    const { cos, sin } = rotaryTables(config, [0, 3]);
    const angles = [0, 0, 0, 0, 3, 0.3, 3, 0.3];
    expect(largestError(cos, angles.map(Math.cos))).toBeLessThan(1e-7);
    expect(largestError(sin, angles.map(Math.sin))).toBeLessThan(1e-7);
  });
});

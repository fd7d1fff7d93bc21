import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from '#engine/checkpoint';
import { EngineError } from '#engine/engineError';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { initializeWeights } from '#engine/model/llamaWeights';
import { encodeSafetensors } from '#engine/safetensors';
import { openTokenizer } from '#engine/tokenizer';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';
import { memoryFiles } from './memoryFiles';
import { directoryHuntVocabulary } from './vocabulary';

const config: LlamaConfig = {
  vocab_size: 117,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  rms_norm_eps: 1e-5,
  rope_theta: 500,
  max_position_embeddings: 96,
  tie_word_embeddings: true,
  attention_bias: false,
  qk_norm: false,
};

function checkpointOf(change: Partial<LlamaConfig> = {}): Checkpoint {
  const changed = { ...config, ...change };
  return {
    config: changed,
    tokenizer: createWordTokenizerFiles(directoryHuntVocabulary, {
      endToken: '<eos>',
      padToken: '<pad>',
      contextLength: 96,
    }),
    weights: initializeWeights(changed, createRandom(1), { std: 0.1 }),
    optimizer: null,
  };
}

async function written(checkpoint = checkpointOf()): Promise<ReturnType<typeof memoryFiles>> {
  const files = memoryFiles();
  await writeCheckpoint(files, checkpoint);
  return files;
}

function text(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function json(bytes: Uint8Array | undefined): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

describe('round trip', () => {
  test.each([
    ['Llama', {}],
    ['Llama with its own output projection', { tie_word_embeddings: false }],
    ['Qwen2', { attention_bias: true }],
    ['Qwen3', { qk_norm: true }],
  ])('%s', async (_, change) => {
    const checkpoint = checkpointOf(change);
    const read = await readCheckpoint(await written(checkpoint));
    expect(read.config).toEqual(checkpoint.config);
    expect(read.weights).toEqual(checkpoint.weights);
    expect([...read.weights.keys()]).toEqual([...checkpoint.weights.keys()]);
    expect(read.tokenizer).toEqual(checkpoint.tokenizer);
    expect(read.optimizer).toBeNull();
    expect(openTokenizer(read.tokenizer).endTokenId).toBe(1);
  });

  test('keeps the state of the optimizer', async () => {
    const checkpoint = checkpointOf();
    const moments = (seed: number): Checkpoint['weights'] =>
      initializeWeights(config, createRandom(seed), { std: 1 });
    const optimizer = { updates: 7, firstMoments: moments(2), secondMoments: moments(3) };
    const read = await readCheckpoint(await written({ ...checkpoint, optimizer }));
    expect(read.optimizer).toEqual(optimizer);
  });

  test('writes what transformers looks at', async () => {
    const { content } = await written();
    expect([...content.keys()].toSorted()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(json(content.get('config.json'))).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      torch_dtype: 'float32',
      num_key_value_heads: 1,
      eos_token_id: 1,
      pad_token_id: 0,
    });
  });
});

describe('published layouts', () => {
  test('shards are put together', async () => {
    const { content } = await written();
    const { weights } = checkpointOf();
    const names = [...weights.keys()];
    const shards = [new Map([...weights].slice(0, 5)), new Map([...weights].slice(5))];
    const shardOf = (place: number): string => `model-0000${place < 5 ? 1 : 2}-of-00002.safetensors`;
    content.delete('model.safetensors');
    content.set(shardOf(0), encodeSafetensors(shards[0]));
    content.set(shardOf(5), encodeSafetensors(shards[1]));
    const map = Object.fromEntries(names.map((name, place) => [name, shardOf(place)]));
    content.set('model.safetensors.index.json', text({ weight_map: map }));
    expect((await readCheckpoint(memoryFiles(content))).weights).toEqual(weights);
    content.delete(shardOf(5));
    await expect(readCheckpoint(memoryFiles(content))).rejects.toThrow('no model-00002-of-00002.safetensors');
  });

  test('a surplus lm_head of tied embeddings is left out', async () => {
    const { content } = await written();
    const { weights } = checkpointOf();
    const embedding = weights.get('model.embed_tokens.weight');
    if (embedding === undefined) throw new Error('no embedding');
    content.set('model.safetensors', encodeSafetensors(new Map([...weights, ['lm_head.weight', embedding]])));
    expect((await readCheckpoint(memoryFiles(content))).weights).toEqual(weights);
  });

  test('defaults of config.json are those of transformers', async () => {
    const { content } = await written(checkpointOf({ num_key_value_heads: 2, rope_theta: 10_000 }));
    const { num_key_value_heads, head_dim, rope_theta, ...rest } = json(content.get('config.json'));
    expect([num_key_value_heads, head_dim, rope_theta]).toEqual([2, 4, 10_000]);
    content.set('config.json', text({ ...rest, rope_parameters: { rope_type: 'default', rope_theta: 77 } }));
    const read = await readCheckpoint(memoryFiles(content));
    expect(read.config).toEqual({ ...config, num_key_value_heads: 2, head_dim: 4, rope_theta: 77 });
  });
});

describe('refused', () => {
  async function refusal(change: (content: Map<string, Uint8Array>) => void): Promise<EngineError> {
    const files = await written();
    change(files.content);
    const error: unknown = await readCheckpoint(files).catch((reason: unknown) => reason);
    if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
    expect(error.message).toMatch(/^Checkpoint memory: /u);
    return error;
  }

  test.each(['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])(
    'a folder without %s',
    async (name) => {
      const error = await refusal((content) => content.delete(name));
      expect(error.code).toBe('missingCheckpoint');
      expect(error.message).toContain(name);
    },
  );

  test.each([
    ['another architecture', { architectures: ['GPT2LMHeadModel'] }, 'GPT2LMHeadModel is not supported'],
    ['scaled rotation', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'type "llama3"'],
    ['scaled rotation, old spelling', { rope_scaling: { type: 'linear', factor: 2 } }, 'type "linear"'],
    ['scaled rotation, new place', { rope_parameters: { rope_type: 'yarn' } }, 'type "yarn"'],
    ['another activation', { hidden_act: 'gelu' }, '"gelu"'],
    [
      'biases of the output projection',
      { attention_bias: true },
      'attention_bias is not supported for Llama',
    ],
    ['biases in the feed-forward layer', { mlp_bias: true }, 'mlp_bias'],
    ['sliding windows', { use_sliding_window: true }, 'use_sliding_window'],
    ['an odd head_dim', { head_dim: 3 }, 'head_dim must be even'],
    ['a missing size', { hidden_size: undefined }, 'hidden_size'],
    ['a vocabulary smaller than the tokenizer', { vocab_size: 100 }, '117 tokens'],
    [
      'a larger vocabulary than the weights have',
      { vocab_size: 118 },
      'has the shape [117, 8], expected [118, 8]',
    ],
    ['more layers than the weights have', { num_hidden_layers: 3 }, 'model.layers.2.input_layernorm.weight'],
    ['fewer layers than the weights have', { num_hidden_layers: 1 }, 'which this model does not have'],
  ])('%s', async (_, change, message) => {
    const error = await refusal((content) => {
      content.set('config.json', text({ ...json(content.get('config.json')), ...change }));
    });
    expect(error.code).toBe('wrongCheckpoint');
    expect(error.message).toContain(message);
  });

  test('damaged files', async () => {
    const half = await refusal((content) => {
      content.set(
        'model.safetensors',
        (content.get('model.safetensors') ?? new Uint8Array(0)).subarray(0, 3000),
      );
    });
    expect([half.code, half.message]).toEqual([
      'wrongCheckpoint',
      expect.stringContaining('model.safetensors: cut off'),
    ]);
    const notJson = await refusal((content) => content.set('tokenizer.json', new TextEncoder().encode('{')));
    expect(notJson.message).toContain('tokenizer.json: not JSON');
    const list = await refusal((content) => content.set('config.json', text([])));
    expect(list.message).toContain('config.json: expected a JSON object');
  });

  test('an optimizer of another model', async () => {
    const optimizer = { updates: 1, firstMoments: checkpointOf().weights, secondMoments: new Map() };
    await expect(writeCheckpoint(memoryFiles(), { ...checkpointOf(), optimizer })).rejects.toThrow(
      'secondMoment.',
    );
    const error = await refusal((content) =>
      content.set('optimizer.safetensors', encodeSafetensors(new Map())),
    );
    expect(error.message).toContain('"updates"');
  });

  test('a shape that no published architecture has', async () => {
    const checkpoint = checkpointOf({ attention_bias: true, qk_norm: true });
    await expect(writeCheckpoint(memoryFiles(), checkpoint)).rejects.toThrow('switch one of them off');
  });
});

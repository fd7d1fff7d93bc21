import type { Random } from '#base/random';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { NamedTensor, NamedTensors } from '#engine/policy';

/** Weight names of one layer, as in Hugging Face's `LlamaForCausalLM`, `Qwen2…` and `Qwen3…`. */
function layerShapes(config: LlamaConfig, layer: number): [string, number[]][] {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: headSize } = config;
  const query = config.num_attention_heads * headSize;
  const keyValue = config.num_key_value_heads * headSize;
  const prefix = `model.layers.${layer}`;
  const biases: [string, number[]][] = [
    [`${prefix}.self_attn.q_proj.bias`, [query]],
    [`${prefix}.self_attn.k_proj.bias`, [keyValue]],
    [`${prefix}.self_attn.v_proj.bias`, [keyValue]],
  ];
  const norms: [string, number[]][] = [
    [`${prefix}.self_attn.q_norm.weight`, [headSize]],
    [`${prefix}.self_attn.k_norm.weight`, [headSize]],
  ];
  return [
    [`${prefix}.input_layernorm.weight`, [hidden]],
    [`${prefix}.self_attn.q_proj.weight`, [query, hidden]],
    [`${prefix}.self_attn.k_proj.weight`, [keyValue, hidden]],
    [`${prefix}.self_attn.v_proj.weight`, [keyValue, hidden]],
    [`${prefix}.self_attn.o_proj.weight`, [hidden, query]],
    ...(config.attention_bias ? biases : []),
    ...(config.qk_norm ? norms : []),
    [`${prefix}.post_attention_layernorm.weight`, [hidden]],
    [`${prefix}.mlp.gate_proj.weight`, [inner, hidden]],
    [`${prefix}.mlp.up_proj.weight`, [inner, hidden]],
    [`${prefix}.mlp.down_proj.weight`, [hidden, inner]],
  ];
}

/**
 * Every weight of the model by its Hugging Face name, in the order of computation. Projections are
 * `[out, in]`, embeddings `[vocab_size, hidden_size]`; `lm_head.weight` is absent when it is tied.
 */
export function weightShapes(config: LlamaConfig): ReadonlyMap<string, number[]> {
  const embedding = [config.vocab_size, config.hidden_size];
  const shapes: [string, number[]][] = [['model.embed_tokens.weight', embedding]];
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    shapes.push(...layerShapes(config, layer));
  }
  shapes.push(['model.norm.weight', [config.hidden_size]]);
  if (!config.tie_word_embeddings) shapes.push(['lm_head.weight', embedding]);
  return new Map(shapes);
}

/** How many numbers the model learns. */
export function parameterCount(config: LlamaConfig): number {
  let count = 0;
  for (const shape of weightShapes(config).values()) count += shape.reduce((a, b) => a * b, 1);
  return count;
}

/** One standard normal number by the Box–Muller transform; two draws. */
function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

/**
 * Fresh weights as Hugging Face initialises them: matrices normal with mean 0, norm weights 1, biases 0.
 *
 * @param random Drawn from in the order of `weightShapes`, so that a seed fixes every weight.
 * @param options.std Standard deviation of the matrices; Hugging Face's `initializer_range` is 0.02.
 */
export function initializeWeights(
  config: LlamaConfig,
  random: Random,
  options: { readonly std: number },
): NamedTensors {
  const weights = new Map<string, NamedTensor>();
  for (const [name, shape] of weightShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    if (name.endsWith('norm.weight')) data.fill(1);
    else if (!name.endsWith('.bias')) {
      for (let index = 0; index < data.length; index += 1) data[index] = options.std * drawNormal(random);
    }
    weights.set(name, { shape, data });
  }
  return weights;
}

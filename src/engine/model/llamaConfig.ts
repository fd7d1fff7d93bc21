/**
 * The shape of a Llama-form decoder. Fields have the names they have in a Hugging Face `config.json`,
 * hence the underscores.
 */
export interface LlamaConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  /** Width of the SwiGLU layer. */
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Divides `num_attention_heads`; fewer than those is grouped-query attention. */
  readonly num_key_value_heads: number;
  /** Even, because rotary positions turn pairs. */
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  /** Base of the rotary frequencies. */
  readonly rope_theta: number;
  /** Most tokens of one sequence, prompt included. */
  readonly max_position_embeddings: number;
  /** The output projection is `model.embed_tokens.weight`; there is no `lm_head.weight`. */
  readonly tie_word_embeddings: boolean;
  /** Biases on the query, key and value projections and none on the output projection, as in Qwen2. */
  readonly attention_bias: boolean;
  /** RMSNorm over each query and key head before the rotation, as in Qwen3. */
  readonly qk_norm: boolean;
}

const COUNTS = [
  'vocab_size',
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'head_dim',
  'max_position_embeddings',
] as const;

/**
 * What is wrong with a configuration.
 *
 * @returns One sentence per problem; empty when the configuration is sound.
 */
export function llamaConfigProblems(config: LlamaConfig): string[] {
  const problems: string[] = [];
  for (const field of COUNTS) {
    if (!Number.isInteger(config[field]) || config[field] < 1) {
      problems.push(`${field} must be a whole number of at least 1, but is ${config[field]}`);
    }
  }
  for (const field of ['rms_norm_eps', 'rope_theta'] as const) {
    if (!(config[field] > 0)) problems.push(`${field} must be above 0, but is ${config[field]}`);
  }
  if (config.head_dim % 2 !== 0) problems.push(`head_dim must be even, but is ${config.head_dim}`);
  if (config.num_attention_heads % config.num_key_value_heads !== 0) {
    problems.push(
      `num_key_value_heads (${config.num_key_value_heads}) must divide num_attention_heads (${config.num_attention_heads})`,
    );
  }
  return problems;
}

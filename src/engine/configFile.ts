/** Between a `config.json` of Hugging Face and the shape of our decoder. */
import { z } from 'zod';
import { EngineError } from '#engine/engineError';
import { llamaConfigProblems, type LlamaConfig } from '#engine/model/llamaConfig';

/** The published architectures that the decoder covers, and what distinguishes them. */
const ARCHITECTURES = {
  LlamaForCausalLM: { model_type: 'llama', attention_bias: false, qk_norm: false },
  Qwen2ForCausalLM: { model_type: 'qwen2', attention_bias: true, qk_norm: false },
  Qwen3ForCausalLM: { model_type: 'qwen3', attention_bias: false, qk_norm: true },
} as const;
type Architecture = keyof typeof ARCHITECTURES;
const architectureNames = Object.keys(ARCHITECTURES).join(', ');

const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().optional(),
});

const fileSchema = z.object({
  architectures: z.array(z.string()).min(1),
  vocab_size: z.number(),
  hidden_size: z.number(),
  intermediate_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  num_key_value_heads: z.number().nullish(),
  head_dim: z.number().nullish(),
  rms_norm_eps: z.number().default(1e-6),
  max_position_embeddings: z.number().default(2048),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  rope_theta: z.number().nullish(),
  /** `transformers` 4 keeps only a changed scale here, `transformers` 5 everything about rotation. */
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  partial_rotary_factor: z.number().default(1),
});
type ConfigFile = z.infer<typeof fileSchema>;

/** Ids that a `config.json` repeats from the tokenizer. */
export interface SpecialTokenIds {
  readonly endTokenId: number;
  readonly padTokenId: number;
}

/**
 * Reads a parsed `config.json` of a Llama, Qwen2 or Qwen3 model.
 *
 * @throws EngineError `wrongCheckpoint` naming each field that is missing, wrong or not supported.
 */
export function readConfigFile(content: unknown): LlamaConfig {
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error));
  const file = parsed.data;
  const architecture = file.architectures[0];
  if (!isArchitecture(architecture)) {
    throw wrong(`the architecture ${architecture} is not supported; supported are ${architectureNames}`);
  }
  const { attention_bias, qk_norm } = ARCHITECTURES[architecture];
  const config: LlamaConfig = {
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: file.num_attention_heads,
    num_key_value_heads: file.num_key_value_heads ?? file.num_attention_heads,
    head_dim: file.head_dim ?? file.hidden_size / file.num_attention_heads,
    rms_norm_eps: file.rms_norm_eps,
    rope_theta: file.rope_theta ?? file.rope_parameters?.rope_theta ?? 10_000,
    max_position_embeddings: file.max_position_embeddings,
    tie_word_embeddings: file.tie_word_embeddings,
    attention_bias,
    qk_norm,
  };
  const problems = [...unsupportedFeatures(file, architecture), ...llamaConfigProblems(config)];
  if (problems.length > 0) throw wrong(problems.join('; '));
  return config;
}

/**
 * The content of a `config.json` that `transformers` opens as the same model, weights in float32.
 *
 * @throws EngineError `wrongCheckpoint` when no published architecture has this shape (attention bias
 *   together with query and key norms).
 */
export function createConfigFile(config: LlamaConfig, ids: SpecialTokenIds): Record<string, unknown> {
  const architecture = Object.keys(ARCHITECTURES)
    .filter(isArchitecture)
    .find((name) => {
      const { attention_bias, qk_norm } = ARCHITECTURES[name];
      return attention_bias === config.attention_bias && qk_norm === config.qk_norm;
    });
  if (architecture === undefined) {
    throw wrong('no published architecture has attention_bias together with qk_norm; switch one of them off');
  }
  const { qk_norm: _, attention_bias: hasBias, ...fields } = config;
  return {
    architectures: [architecture],
    model_type: ARCHITECTURES[architecture].model_type,
    torch_dtype: 'float32',
    ...fields,
    // Only Qwen2 has this bias, and there it is not a field.
    ...(hasBias ? {} : { attention_bias: false }),
    hidden_act: 'silu',
    attention_dropout: 0,
    bos_token_id: null,
    eos_token_id: ids.endTokenId,
    pad_token_id: ids.padTokenId,
    use_cache: true,
  };
}

function isArchitecture(name: string): name is Architecture {
  return Object.hasOwn(ARCHITECTURES, name);
}

/** What the decoder would compute differently from the published model, in sentences. */
function unsupportedFeatures(file: ConfigFile, architecture: Architecture): string[] {
  const problems: string[] = [];
  const rotation = file.rope_scaling ?? file.rope_parameters;
  const ropeType = rotation?.rope_type ?? rotation?.type ?? 'default';
  if (ropeType !== 'default') problems.push(`rotary positions of type "${ropeType}" are not supported`);
  if (file.partial_rotary_factor !== 1) problems.push('partial_rotary_factor must be 1');
  if (file.hidden_act !== 'silu') problems.push(`hidden_act must be "silu", but is "${file.hidden_act}"`);
  if (file.attention_bias && architecture !== 'Qwen2ForCausalLM') {
    problems.push(`attention_bias is not supported for ${architecture}`);
  }
  if (file.mlp_bias) problems.push('mlp_bias is not supported');
  if (file.use_sliding_window) problems.push('use_sliding_window is not supported');
  return problems;
}

function wrong(what: string): EngineError {
  return new EngineError('wrongCheckpoint', `config.json: ${what}.`);
}

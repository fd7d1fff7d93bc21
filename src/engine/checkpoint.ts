/**
 * A policy in a folder, in the layout of Hugging Face: `config.json`, `model.safetensors` (or shards
 * with `model.safetensors.index.json`), `tokenizer.json`, `tokenizer_config.json`,
 * `generation_config.json`; and, ours, `optimizer.safetensors`. `transformers` opens such a folder with
 * `AutoModelForCausalLM` and `AutoTokenizer`.
 */
import { z } from 'zod';
import { createConfigFile, readConfigFile } from '#engine/configFile';
import { EngineError } from '#engine/engineError';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import type { NamedTensor, NamedTensors, OptimizerState } from '#engine/policy';
import { decodeSafetensors, encodeSafetensors, readSafetensorsMetadata } from '#engine/safetensors';
import { openTokenizer } from '#engine/tokenizer';
import type { TokenizerFiles } from '#engine/tokenizerFiles';
import { checkWeights } from '#engine/weightCheck';

/** The files of one checkpoint folder. */
export interface CheckpointFiles {
  /** The folder as people know it, for messages. */
  readonly location: string;
  /** @returns The whole file, or `null` when there is none of this name. */
  read(name: string): Promise<Uint8Array | null>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** Everything that makes a policy. */
export interface Checkpoint {
  readonly config: LlamaConfig;
  readonly tokenizer: TokenizerFiles;
  readonly weights: NamedTensors;
  /** `null` when there is none: a published model, or an export without it. */
  readonly optimizer: OptimizerState | null;
}

const FILES = {
  config: 'config.json',
  generation: 'generation_config.json',
  weights: 'model.safetensors',
  index: 'model.safetensors.index.json',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  optimizer: 'optimizer.safetensors',
} as const;
const FIRST_MOMENT = 'firstMoment.';
const SECOND_MOMENT = 'secondMoment.';

const objectSchema = z.record(z.string(), z.unknown());
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads a checkpoint and checks that its parts belong together.
 *
 * @throws EngineError `missingCheckpoint` when a file is not there, `wrongCheckpoint` when one is
 *   damaged, of another model, or not supported; the message names the folder and the file.
 */
export async function readCheckpoint(files: CheckpointFiles): Promise<Checkpoint> {
  try {
    const config = readConfigFile(await readJson(files, FILES.config));
    const tokenizer: TokenizerFiles = {
      tokenizer: await readJson(files, FILES.tokenizer),
      config: await readJson(files, FILES.tokenizerConfig),
    };
    checkVocabulary(config, tokenizer);
    const weights = await readWeights(files, config);
    return { config, tokenizer, weights, optimizer: await readOptimizer(files, config) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `Checkpoint ${files.location}: ${error.message}`, { cause: error });
  }
}

/**
 * Writes a checkpoint. Files are written one after the other, `config.json` last; a reader must not see
 * a half-written folder, so the caller writes to a temporary folder and renames it when this resolves.
 *
 * @throws EngineError `wrongCheckpoint` when the parts do not belong together.
 */
export async function writeCheckpoint(files: CheckpointFiles, checkpoint: Checkpoint): Promise<void> {
  const { config, tokenizer, optimizer } = checkpoint;
  const { endTokenId, padTokenId } = checkVocabulary(config, tokenizer);
  const weights = checkWeights(config, checkpoint.weights, { where: FILES.weights });
  await files.write(FILES.weights, encodeSafetensors(weights));
  if (optimizer !== null) await files.write(FILES.optimizer, encodeOptimizer(config, optimizer));
  await files.write(FILES.tokenizer, encodeJson(tokenizer.tokenizer));
  await files.write(FILES.tokenizerConfig, encodeJson(tokenizer.config));
  await files.write(FILES.generation, encodeJson({ eos_token_id: endTokenId, pad_token_id: padTokenId }));
  await files.write(FILES.config, encodeJson(createConfigFile(config, { endTokenId, padTokenId })));
}

function checkVocabulary(
  config: LlamaConfig,
  files: TokenizerFiles,
): { endTokenId: number; padTokenId: number } {
  const tokenizer = openTokenizer(files);
  if (tokenizer.vocabularySize <= config.vocab_size) return tokenizer;
  throw new EngineError(
    'wrongCheckpoint',
    `${FILES.tokenizer} has ${tokenizer.vocabularySize} tokens, but vocab_size of ${FILES.config} is only ` +
      `${config.vocab_size}. Do they belong together?`,
  );
}

async function readWeights(files: CheckpointFiles, config: LlamaConfig): Promise<NamedTensors> {
  const whole = await files.read(FILES.weights);
  if (whole !== null) {
    return checkWeights(config, decodeSafetensors(whole, FILES.weights), { where: FILES.weights });
  }
  const index = await files.read(FILES.index);
  if (index === null) throw missing(`${FILES.weights} (or ${FILES.index})`);
  const parsed = indexSchema.safeParse(parseJson(index, FILES.index));
  if (!parsed.success) {
    throw new EngineError('wrongCheckpoint', `${FILES.index}: ${z.prettifyError(parsed.error)}`);
  }
  const tensors = new Map<string, NamedTensor>();
  for (const shard of new Set(Object.values(parsed.data.weight_map))) {
    const bytes = await readFile(files, shard);
    for (const [name, tensor] of decodeSafetensors(bytes, shard)) tensors.set(name, tensor);
  }
  return checkWeights(config, tensors, { where: FILES.index });
}

async function readOptimizer(files: CheckpointFiles, config: LlamaConfig): Promise<OptimizerState | null> {
  const bytes = await files.read(FILES.optimizer);
  if (bytes === null) return null;
  const updates = Number(readSafetensorsMetadata(bytes, FILES.optimizer)['updates']);
  if (!Number.isInteger(updates) || updates < 0) {
    throw new EngineError(
      'wrongCheckpoint',
      `${FILES.optimizer}: expected the metadata "updates", a whole number.`,
    );
  }
  const tensors = decodeSafetensors(bytes, FILES.optimizer);
  return {
    updates,
    firstMoments: checkWeights(config, tensors, { where: FILES.optimizer, prefix: FIRST_MOMENT }),
    secondMoments: checkWeights(config, tensors, { where: FILES.optimizer, prefix: SECOND_MOMENT }),
  };
}

function encodeOptimizer(config: LlamaConfig, state: OptimizerState): Uint8Array {
  const tensors = new Map<string, NamedTensor>();
  for (const [prefix, moments] of [
    [FIRST_MOMENT, state.firstMoments],
    [SECOND_MOMENT, state.secondMoments],
  ] as const) {
    const checked = checkWeights(config, moments, { where: `${FILES.optimizer} (${prefix})` });
    for (const [name, tensor] of checked) tensors.set(prefix + name, tensor);
  }
  return encodeSafetensors(tensors, { updates: String(state.updates) });
}

async function readFile(files: CheckpointFiles, name: string): Promise<Uint8Array> {
  const bytes = await files.read(name);
  if (bytes === null) throw missing(name);
  return bytes;
}

async function readJson(files: CheckpointFiles, name: string): Promise<Record<string, unknown>> {
  const parsed = objectSchema.safeParse(parseJson(await readFile(files, name), name));
  if (parsed.success) return parsed.data;
  throw new EngineError('wrongCheckpoint', `${name}: expected a JSON object.`);
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new EngineError('wrongCheckpoint', `${name}: not JSON (${String(error)}).`, { cause: error });
  }
}

function encodeJson(content: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
}

function missing(name: string): EngineError {
  return new EngineError(
    'missingCheckpoint',
    `there is no ${name}. A checkpoint is a folder with config.json, model.safetensors, tokenizer.json and ` +
      'tokenizer_config.json.',
  );
}

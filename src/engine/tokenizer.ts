/** Reads the tokenizer of a checkpoint folder: `tokenizer.json` and `tokenizer_config.json`. */
import { z } from 'zod';
import { EngineError } from '#engine/engineError';
import { openLibraryTokenizer } from '#engine/libraryTokenizer';
import type { Tokenizer } from '#engine/policy';
import type { SpecialTokens, TokenizerFiles } from '#engine/tokenizerFiles';
import { openWordTokenizer } from '#engine/wordTokenizer';

const modelSchema = z.object({ model: z.object({ type: z.string().optional() }) });
const specialTokenSchema = z.union([z.string(), z.object({ content: z.string() })]);
const configSchema = z.object({
  eos_token: specialTokenSchema.nullish(),
  pad_token: specialTokenSchema.nullish(),
});

/**
 * Opens the tokenizer that the files describe. A `WordLevel` model is read by our own codec (the
 * library has none); everything else (BPE of Llama and Qwen, Unigram, WordPiece) by
 * `@huggingface/tokenizers`. Nothing is added around a text: no beginning-of-text token.
 *
 * @throws EngineError `wrongCheckpoint` when the files are not a tokenizer, or name no end token.
 */
export function openTokenizer(files: TokenizerFiles): Tokenizer {
  const model = modelSchema.safeParse(files.tokenizer);
  if (!model.success) {
    throw new EngineError(
      'wrongCheckpoint',
      `tokenizer.json: expected an object with a "model"; ${z.prettifyError(model.error)}`,
    );
  }
  const special = specialTokensOf(files.config);
  return model.data.model.type === 'WordLevel'
    ? openWordTokenizer(files.tokenizer, special)
    : openLibraryTokenizer(files, special);
}

/** The padding token falls back to the end token, as usual for models that were trained without one. */
function specialTokensOf(config: unknown): SpecialTokens {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    throw new EngineError('wrongCheckpoint', `tokenizer_config.json: ${z.prettifyError(parsed.error)}`);
  }
  const endToken = contentOf(parsed.data.eos_token);
  if (endToken === null) {
    throw new EngineError(
      'wrongCheckpoint',
      'tokenizer_config.json: expected "eos_token", the token that ends a response, but there is none. Add it.',
    );
  }
  return { endToken, padToken: contentOf(parsed.data.pad_token) ?? endToken };
}

function contentOf(token: z.infer<typeof specialTokenSchema> | null | undefined): string | null {
  if (token === null || token === undefined) return null;
  return typeof token === 'string' ? token : token.content;
}

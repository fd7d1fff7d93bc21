/** Tokenizers of published models (BPE of Llama and Qwen, Unigram, WordPiece), read by the library. */
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { z } from 'zod';
import { EngineError } from '#engine/engineError';
import type { Tokenizer } from '#engine/policy';
import type { SpecialTokens, TokenizerFiles } from '#engine/tokenizerFiles';

/**
 * Opens a `tokenizer.json` with `@huggingface/tokenizers`. No special tokens are added around a text,
 * but those written in it are recognised; decoding shows them and does not tidy spaces up.
 *
 * @throws EngineError `wrongCheckpoint` when the library refuses the file or a special token is missing.
 */
export function openLibraryTokenizer(files: TokenizerFiles, special: SpecialTokens): Tokenizer {
  const library = createLibrary(files);
  const unknownToken = unknownTokenOf(files, library);
  let vocabularySize = 0;
  for (const id of library.get_vocab().values()) vocabularySize = Math.max(vocabularySize, id + 1);
  return {
    vocabularySize,
    endTokenId: specialId(library, special.endToken),
    padTokenId: specialId(library, special.padToken),
    encode: (text) => encodeText(library, text, unknownToken),
    decode: (tokens) => decodeTokens(library, tokens),
  };
}

function createLibrary(files: TokenizerFiles): Library {
  try {
    // The library writes into what it is given, and the files must stay as they were read.
    return new Library(structuredClone(files.tokenizer), structuredClone(files.config));
  } catch (error) {
    throw new EngineError('wrongCheckpoint', `tokenizer.json cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

function specialId(library: Library, token: string): number {
  const id = library.token_to_id(token);
  if (id !== undefined) return id;
  throw new EngineError(
    'wrongCheckpoint',
    `tokenizer_config.json names the special token "${token}", but tokenizer.json has no such token.`,
  );
}

const modelSchema = z.object({
  model: z.object({
    type: z.string().optional(),
    unk_token: z.string().nullish(),
    byte_fallback: z.boolean().optional(),
  }),
});

/**
 * The token that stands for what the vocabulary lacks, or `null` when nothing can be lacking. A BPE
 * model with neither that token nor every byte would drop characters in silence, so it is refused.
 */
function unknownTokenOf(files: TokenizerFiles, library: Library): string | null {
  const { model } = modelSchema.parse(files.tokenizer);
  const unknown = model.unk_token ?? null;
  if (unknown !== null || model.type !== 'BPE' || model.byte_fallback === true) return unknown;
  const missing = byteSymbols().filter((symbol) => library.token_to_id(symbol) === undefined);
  if (missing.length === 0) return null;
  throw new EngineError(
    'wrongCheckpoint',
    `tokenizer.json: a BPE model without an unknown token must have all 256 bytes; it lacks ${missing.length} ` +
      `of them, such as "${missing[0]}". Characters would be lost in silence.`,
  );
}

/** How byte-level BPE writes the 256 bytes (GPT-2's `bytes_to_unicode`). */
function byteSymbols(): string[] {
  let shifted = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(isVisible ? byte : 256 + shifted++);
  });
}

function encodeText(library: Library, text: string, unknownToken: string | null): Int32Array {
  const { ids, tokens } = library.encode(text, { add_special_tokens: false });
  const position = unknownToken === null || text.includes(unknownToken) ? -1 : tokens.indexOf(unknownToken);
  if (position < 0) return Int32Array.from(ids);
  const before = library.decode(ids.slice(0, position + 1), { clean_up_tokenization_spaces: false });
  throw new EngineError(
    'unknownToken',
    `The vocabulary of this policy lacks a character at token ${position + 1} of ${tokens.length}, ` +
      `after "${before.slice(-40)}".`,
  );
}

function decodeTokens(library: Library, tokens: ArrayLike<number>): string {
  const ids = Array.from(tokens);
  const unknown = ids.findIndex((id) => library.id_to_token(id) === undefined);
  if (unknown >= 0) {
    throw new EngineError('unknownToken', `Unknown token id ${ids[unknown]} at position ${unknown}.`);
  }
  if (ids.length === 0) return '';
  return library.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
}

/** One token per word: the tokenizer of the built-in policy, in the format of Hugging Face. */
import { z } from 'zod';
import { EngineError } from '#engine/engineError';
import type { Tokenizer } from '#engine/policy';
import type { SpecialTokens, TokenizerFiles } from '#engine/tokenizerFiles';

const wordLevelSchema = z.object({
  model: z.object({
    type: z.literal('WordLevel'),
    vocab: z.record(z.string(), z.int().nonnegative()),
  }),
  normalizer: z.null().optional(),
  post_processor: z.null().optional(),
  pre_tokenizer: z.object({ type: z.literal('WhitespaceSplit') }),
});

/** What `createWordTokenizerFiles` needs beside the vocabulary. */
export interface WordTokenizerOptions {
  /** Word that ends a response; must be in the vocabulary. */
  readonly endToken: string;
  /** Word used for padding; must be in the vocabulary. */
  readonly padToken: string;
  /** Most tokens the model can see. */
  readonly contextLength: number;
}

/**
 * The two files of a word-level tokenizer: words are what white space separates, token ids are the
 * indices of the vocabulary. `transformers` opens them unchanged (`PreTrainedTokenizerFast`). The end
 * and padding tokens are special there, so `skip_special_tokens` drops these two and no others.
 *
 * @param vocabulary Distinct words without white space, in the order of their ids.
 * @throws RangeError when a word occurs twice, is empty or has white space, or a special token is
 *   missing.
 */
export function createWordTokenizerFiles(
  vocabulary: readonly string[],
  options: WordTokenizerOptions,
): TokenizerFiles {
  const ids = idsOf(vocabulary);
  const special = [options.padToken, options.endToken].map((content) => {
    const id = ids.get(content);
    if (id === undefined) throw new RangeError(`The vocabulary lacks the special token "${content}".`);
    return {
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    };
  });
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.toSorted((first, second) => first.id - second.id),
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: null,
      decoder: null,
      // The unknown token is not in the vocabulary on purpose: an unknown word is an error, also there.
      model: { type: 'WordLevel', vocab: Object.fromEntries(ids), unk_token: '<unk>' },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: options.endToken,
      pad_token: options.padToken,
      model_max_length: options.contextLength,
      clean_up_tokenization_spaces: false,
    },
  };
}

/**
 * Opens a word-level `tokenizer.json`. `encode` splits at white space and knows whole words only;
 * `decode` joins with single spaces, so `decode(encode(text))` is `text` with its spaces normalized.
 *
 * @throws EngineError `wrongCheckpoint` when the file has another shape (a normalizer, another
 *   pre-tokenizer, ids with gaps) or lacks a special token.
 */
export function openWordTokenizer(file: unknown, special: SpecialTokens): Tokenizer {
  const parsed = wordLevelSchema.safeParse(file);
  if (!parsed.success) {
    throw new EngineError('wrongCheckpoint', `tokenizer.json (WordLevel): ${z.prettifyError(parsed.error)}`);
  }
  const ids = new Map(Object.entries(parsed.data.model.vocab));
  const words = wordsById(ids);
  return {
    vocabularySize: words.length,
    endTokenId: specialId(ids, special.endToken),
    padTokenId: specialId(ids, special.padToken),
    encode: (text) => encodeWords(ids, text),
    decode: (tokens) => decodeWords(words, tokens),
  };
}

function idsOf(vocabulary: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, word] of vocabulary.entries()) {
    if (word === '' || /\s/u.test(word)) {
      throw new RangeError(`Word ${id} of the vocabulary must be non-empty without white space: "${word}".`);
    }
    if (ids.has(word))
      throw new RangeError(`The vocabulary has "${word}" twice: ${ids.get(word)} and ${id}.`);
    ids.set(word, id);
  }
  return ids;
}

function wordsById(ids: ReadonlyMap<string, number>): string[] {
  const words: string[] = [];
  for (const [word, id] of ids) words[id] = word;
  const gap = words.findIndex((word) => word === undefined);
  if (words.length !== ids.size || gap >= 0) {
    throw new EngineError(
      'wrongCheckpoint',
      `tokenizer.json: expected the ids 0 to ${ids.size - 1} once each; id ${gap} has no word.`,
    );
  }
  return words;
}

function specialId(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token);
  if (id !== undefined) return id;
  throw new EngineError(
    'wrongCheckpoint',
    `tokenizer_config.json names the special token "${token}", but tokenizer.json has no such word.`,
  );
}

function encodeWords(ids: ReadonlyMap<string, number>, text: string): Int32Array {
  const words = text.split(/\s+/u).filter((word) => word !== '');
  return Int32Array.from(words, (word, position) => {
    const id = ids.get(word);
    if (id !== undefined) return id;
    throw new EngineError(
      'unknownToken',
      `Unknown word "${word}" (word ${position + 1} of ${words.length}): the vocabulary of this policy has ` +
        `${ids.size} words, and words must be separated by spaces.`,
    );
  });
}

function decodeWords(words: readonly string[], tokens: ArrayLike<number>): string {
  let text = '';
  for (let position = 0; position < tokens.length; position += 1) {
    const word = words[tokens[position]];
    if (word === undefined) {
      throw new EngineError(
        'unknownToken',
        `Unknown token id ${tokens[position]} at position ${position}: ids go from 0 to ${words.length - 1}.`,
      );
    }
    text += position === 0 ? word : ` ${word}`;
  }
  return text;
}

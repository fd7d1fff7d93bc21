import { describe, expect, test } from 'vitest';
import { createRandom } from '#base/random';
import { EngineError } from '#engine/engineError';
import { openTokenizer } from '#engine/tokenizer';
import type { TokenizerFiles } from '#engine/tokenizerFiles';
import { createWordTokenizerFiles } from '#engine/wordTokenizer';
import { directoryHuntVocabulary } from './vocabulary';

const options = { endToken: '<eos>', padToken: '<pad>', contextLength: 96 };
const files = createWordTokenizerFiles(directoryHuntVocabulary, options);

function codeOf(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error);
  }
}

describe('word tokenizer', () => {
  const tokenizer = openTokenizer(files);

  test('gives words the ids of their places', () => {
    expect(directoryHuntVocabulary).toHaveLength(117);
    expect(tokenizer.vocabularySize).toBe(117);
    expect([tokenizer.padTokenId, tokenizer.endTokenId]).toEqual([0, 1]);
    expect([...tokenizer.encode('age of boss of Tom + 59 ?')]).toEqual([31, 19, 28, 19, 56, 34, 116, 20]);
  });

  test('normalizes white space and shows special tokens', () => {
    const text = ' <think>  done\n</think> <answer> 40\t</answer> <eos> <pad>';
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(
      '<think> done </think> <answer> 40 </answer> <eos> <pad>',
    );
    expect([...tokenizer.encode('  \n ')]).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  test('decodes and encodes any token sequence to itself', () => {
    const random = createRandom(11);
    const tokens = Int32Array.from({ length: 2000 }, () => Math.floor(random.next() * 117));
    expect(tokenizer.encode(tokenizer.decode(tokens))).toEqual(tokens);
  });

  test('names an unknown word and its position', () => {
    expect(codeOf(() => tokenizer.encode('age of Zoe'))).toBe('unknownToken');
    expect(() => tokenizer.encode('age of Zoe')).toThrow('"Zoe" (word 3 of 3)');
    expect(() => tokenizer.decode([3, 117])).toThrow('token id 117 at position 1');
  });

  test('survives a round trip through JSON text', () => {
    const copy = JSON.parse(JSON.stringify(files)) as TokenizerFiles;
    expect([...openTokenizer(copy).encode('desk of Ann')]).toEqual([32, 19, 37]);
  });

  test('refuses a bad vocabulary', () => {
    expect(() => createWordTokenizerFiles(['<pad>', '<eos>', '<pad>'], options)).toThrow('twice: 0 and 2');
    expect(() => createWordTokenizerFiles(['<pad>', '<eos>', 'a b'], options)).toThrow('"a b"');
    expect(() => createWordTokenizerFiles(['<pad>'], options)).toThrow('special token "<eos>"');
  });

  test('refuses files of another shape', () => {
    const model = { type: 'WordLevel', vocab: { a: 0, b: 2 } };
    const tokenizerFile = { pre_tokenizer: { type: 'WhitespaceSplit' }, model };
    const config = { eos_token: 'a' };
    expect(() => openTokenizer({ tokenizer: tokenizerFile, config })).toThrow('id 1 has no word');
    expect(codeOf(() => openTokenizer({ tokenizer: {}, config }))).toBe('wrongCheckpoint');
    expect(codeOf(() => openTokenizer({ ...files, config: {} }))).toBe('wrongCheckpoint');
    expect(() => openTokenizer({ ...files, config: { eos_token: 'zzz' } })).toThrow('no such word');
    const lowercase = { ...files.tokenizer, normalizer: { type: 'Lowercase' } };
    expect(codeOf(() => openTokenizer({ ...files, tokenizer: lowercase }))).toBe('wrongCheckpoint');
  });
});

describe('library tokenizer', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  let shifted = 256;
  const symbols = bytes.map((byte) =>
    String.fromCodePoint((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : shifted++),
  );

  /** A byte-level BPE as Llama 3 and Qwen have it, with two merges: "ab" and " ab". */
  function bytePair(model: object = {}): TokenizerFiles {
    const vocab = Object.fromEntries([...symbols, 'ab', 'Ġab'].map((symbol, id) => [symbol, id]));
    return {
      tokenizer: {
        added_tokens: [{ id: 258, content: '<|end|>', special: true, normalized: false }],
        normalizer: null,
        pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        post_processor: null,
        decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
        model: { type: 'BPE', vocab, merges: ['a b', 'Ġ ab'], ...model },
      },
      config: { eos_token: { content: '<|end|>' } },
    };
  }

  test('reads byte-level BPE', () => {
    const tokenizer = openTokenizer(bytePair());
    expect([tokenizer.vocabularySize, tokenizer.endTokenId, tokenizer.padTokenId]).toEqual([259, 258, 258]);
    const tokens = tokenizer.encode('ab ab<|end|>');
    expect([...tokens]).toEqual([256, 257, 258]);
    expect(tokenizer.decode(tokens)).toBe('ab ab<|end|>');
  });

  test('keeps any text, spaces before punctuation included', () => {
    const tokenizer = openTokenizer(bytePair());
    for (const text of ["a , b . it 's", 'größe 漢字 🙂', '  two  spaces\n', '']) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  test('refuses what it does not know instead of dropping it', () => {
    const vocab = { a: 0, b: 1, ab: 2, '<unk>': 3 };
    const known = openTokenizer(bytePair({ vocab, merges: ['a b'], unk_token: '<unk>' }));
    expect([...known.encode('ab')]).toEqual([2]);
    expect(codeOf(() => known.encode('abc'))).toBe('unknownToken');
    expect(() => openTokenizer(bytePair({ vocab, merges: ['a b'] }))).toThrow('lacks 254');
    expect(codeOf(() => known.decode([77]))).toBe('unknownToken');
  });

  test('refuses files that the library cannot read', () => {
    const files = bytePair();
    const broken = { ...files, tokenizer: { ...files.tokenizer, decoder: { type: 'Nonsense' } } };
    expect(() => openTokenizer(broken)).toThrow('Nonsense');
    expect(codeOf(() => openTokenizer({ ...files, config: { eos_token: '</s>' } }))).toBe('wrongCheckpoint');
  });
});

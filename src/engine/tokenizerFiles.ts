/** The two parsed JSON files that define a tokenizer, as Hugging Face's `AutoTokenizer` reads them. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** `tokenizer_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** The words of the two tokens that every policy needs. */
export interface SpecialTokens {
  readonly endToken: string;
  readonly padToken: string;
}

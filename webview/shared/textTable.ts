/** Texts of a view by key, in English until the host replaces some. */

/** See the module comment. */
export interface TextTable<Key extends string> {
  /** The text of a key with `{0}`, `{1}`, … filled in. */
  readonly text: (key: Key, ...values: readonly (string | number)[]) => string;
  /** Replaces texts by key; keys that are missing stay English. */
  readonly setTranslations: (strings: Readonly<Record<string, string>>) => void;
}

export function createTextTable<Key extends string>(english: Readonly<Record<Key, string>>): TextTable<Key> {
  let translations: Readonly<Record<string, string>> = {};
  return {
    text: (key, ...values) => {
      const template = translations[key] ?? english[key];
      return template.replaceAll(/\{(\d)\}/g, (_match, index: string) => String(values[Number(index)] ?? ''));
    },
    setTranslations: (strings) => {
      translations = strings;
    },
  };
}

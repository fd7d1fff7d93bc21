/** The closed language of the directory hunt: 117 words, whose order is their token id. */

const planWordText = 'find moved newer retry double compute done';
const relationText = 'boss friend mentor';
const attributeText = 'age desk floor';
const nameText = 'Ann Bob Cy Dan Eve Fay Gus Hal Ida Jon Kim Leo Mia Ned Oli Pam Quin Ray Sue Tom';

/** What a plan (`<think> … </think>`) may say. */
export const planWords = planWordText.split(' ');
/** Relations between people, by index as the record hashes use it. */
export const relations: readonly string[] = relationText.split(' ');
/** Attributes of people, by index. */
export const attributes: readonly string[] = attributeText.split(' ');
/** The 20 people, by index. */
export const names: readonly string[] = nameText.split(' ');

/** Numbers are the words `0` to `59`. */
export const numberCount = 60;

/** All words in id order; `<pad>` is 0 and `<eos>` is 1. */
export const directoryHuntVocabulary: readonly string[] = [
  ...'<pad> <eos> <think> </think> <search> </search> <python> </python> <result> </result>'.split(' '),
  ...'<answer> </answer>'.split(' '),
  ...planWords,
  ...'of ? see old new none twice deep error'.split(' '),
  ...relations,
  ...attributes,
  ...'+ - *'.split(' '),
  ...names,
  ...Array.from({ length: numberCount }, (_, value) => String(value)),
];

/** Whether a word is one of `0` … `59` as the vocabulary spells them. */
export function isNumberWord(word: string): boolean {
  return /^(?:0|[1-9]\d?)$/.test(word) && Number(word) < numberCount;
}

/** The words of a text. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

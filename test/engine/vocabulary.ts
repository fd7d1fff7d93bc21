/** The vocabulary of the directory-hunt task (117 words), as test data. */
const words =
  '<pad> <eos> <think> </think> <search> </search> <python> </python> <result> </result> <answer> </answer> ' +
  'find moved newer retry double compute done of ? see old new none twice deep error boss friend mentor ' +
  'age desk floor + - * Ann Bob Cy Dan Eve Fay Gus Hal Ida Jon Kim Leo Mia Ned Oli Pam Quin Ray Sue Tom';

export const directoryHuntVocabulary: readonly string[] = [
  ...words.split(' '),
  ...Array.from({ length: 60 }, (_, number) => String(number)),
];

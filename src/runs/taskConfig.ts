/** The section `task`: which environment the policy acts in. */
import {
  choiceField,
  describe,
  integerField,
  listField,
  objectField,
  orNull,
  readMembers,
  textField,
  type Field,
  type ValueOf,
} from '#runs/configField';
import { nearestName } from '#runs/nearestName';

const directoryHuntField = objectField('The built-in example: look-ups in a directory and one sum.', {
  name: nameField('directory-hunt', 'The built-in example.'),
  level: choiceField({
    description: 'How hard the tasks are.',
    default: 'B',
    values: {
      A: 'One or two look-ups with up to two exceptions anywhere: 40 updates.',
      B: 'Three look-ups, the last one always exceptional: 24 updates.',
    },
  }),
});

const questionsField = objectField('Questions with known answers, from a file.', {
  name: nameField('questions', 'Questions from a file.'),
  file: textField({ description: 'JSON Lines with question and answer, relative to this file.' }),
  documents: orNull(
    textField({
      description: 'JSON Lines of the documents that the search tool finds, relative to this file.',
    }),
    'there is nothing to search',
    { default: null },
  ),
  reward: choiceField({
    description: 'How answers are scored.',
    default: 'corrected',
    values: {
      corrected: 'The released rule without its known defects.',
      released: 'Exactly as the released code does.',
    },
  }),
  tools: listField(
    choiceField({
      description: '',
      default: 'search',
      values: { search: 'Search in the documents.', python: 'Run Python in a sandbox.' },
    }),
    { description: 'The tools the policy may call.', default: ['search', 'python'] },
  ),
  callLimit: integerField({ description: 'Tool calls of one trajectory.', default: 3, minimum: 1 }),
  tokenLimit: integerField({
    description: 'Tokens of prompt and response together.',
    default: 5632,
    minimum: 2,
  }),
  heldOut: integerField({
    description: 'Questions at the end of the file that are kept for evaluation.',
    default: 300,
    minimum: 1,
  }),
});

/** The tasks of the built-in example. */
export type DirectoryHuntConfig = ValueOf<typeof directoryHuntField>;

/** Questions from a file. */
export type QuestionsConfig = ValueOf<typeof questionsField>;

export type TaskConfig = DirectoryHuntConfig | QuestionsConfig;

/** `task`: told apart by its `name`. */
export const taskField: Field<TaskConfig> = {
  schema: {
    description: 'What the policy is trained on.',
    oneOf: [directoryHuntField.schema, questionsField.schema],
  },
  isText: false,
  read(value, path, problems) {
    if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      readMembers(value, path, problems);
      return directoryHuntField.read(undefined, path, []);
    }
    const name = readMembers(value, path, problems)['name'];
    if (name === 'questions') return questionsField.read(value, path, problems);
    if (name === undefined || name === 'directory-hunt')
      return directoryHuntField.read(value, path, problems);
    const names = ['directory-hunt', 'questions'];
    const meant = typeof name === 'string' ? nearestName(name, names) : null;
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    const expected = `expected one of "directory-hunt", "questions", got ${describe(name)}${hint}`;
    problems.push({ path: [...path, 'name'], target: 'value', message: expected });
    return directoryHuntField.read(undefined, path, []);
  },
};

function nameField<T extends string>(name: T, meaning: string): Field<T> {
  const values = { [name]: meaning } as Record<T, string>;
  return choiceField({ description: 'The kind of task.', default: name, values });
}

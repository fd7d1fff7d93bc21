/** The section `task`: which environment the policy acts in. */
import {
  choiceField,
  describe,
  integerField,
  numberField,
  objectField,
  orNull,
  readMembers,
  textField,
  type Field,
} from '#runs/configField';
import type { DirectoryHuntConfig, QuestionsConfig, TaskConfig } from '#runs/configSections';
import { nearestName } from '#runs/nearestName';

const directoryHuntField: Field<DirectoryHuntConfig> = objectField<DirectoryHuntConfig>(
  'The built-in example: look-ups in a directory and one sum.',
  {
    name: nameField('directory-hunt', 'The built-in example.'),
    level: choiceField<DirectoryHuntConfig['level']>({
      description: 'How hard the tasks are.',
      default: 'B',
      values: {
        A: 'One or two look-ups with up to two exceptions anywhere: 40 updates.',
        B: 'Three look-ups, the last one always exceptional: 24 updates.',
      },
    }),
  },
);

const questionsField: Field<QuestionsConfig> = objectField<QuestionsConfig>(
  'Questions with known answers, from a file.',
  {
    name: nameField('questions', 'Questions from a file.'),
    file: textField({ description: 'JSON Lines with question and answer, relative to this file.' }),
    documents: orNull(
      textField({
        description: 'What the search tool finds: a folder of texts, or JSON Lines; relative to this file.',
      }),
      'there is nothing to search',
      { default: null },
    ),
    reward: choiceField<QuestionsConfig['reward']>({
      description: 'How answers are scored.',
      default: 'corrected',
      values: {
        corrected: 'The released rule without its known defects.',
        released: 'Exactly as the released code does.',
      },
    }),
    callLimit: integerField({ description: 'Tool calls of one trajectory.', default: 3, minimum: 1 }),
    tokenLimit: integerField({
      description: 'Tokens of prompt and response together.',
      default: 5632,
      minimum: 2,
    }),
    heldOutFraction: numberField({
      description: 'Share of the questions that is kept for evaluation.',
      default: 0.1,
      above: 0,
      below: 1,
    }),
  },
);

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

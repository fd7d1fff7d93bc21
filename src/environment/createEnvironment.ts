import type { DocumentReader } from '#environment/documentReader';
import type { Environment } from '#environment/environment';
import { DirectoryHunt } from '#environment/tasks/directoryHunt';
import type { HuntLevelName } from '#environment/tasks/huntTask';
import { huntLevels } from '#environment/tasks/huntTask';
import type { QuestionsConfig } from '#environment/tasks/questions';
import { loadQuestions } from '#environment/tasks/questions';
import type { PythonRunner } from '#environment/tools/python';
import { createPythonTool } from '#environment/tools/python';

export interface DirectoryHuntConfig {
  readonly name: 'directory-hunt';
  readonly level: HuntLevelName;
  /** Environments of different seeds share no task. Default 0. */
  readonly seed?: number;
}

/** The environments there are, by name. */
export type EnvironmentConfig = (DirectoryHuntConfig | QuestionsConfig) & {
  /** Time limit of one Python program, ms. Default 10,000 (the released code waits 120,000). */
  readonly pythonTimeoutMs?: number;
};

/** What environments need from the host. */
export interface EnvironmentPorts {
  readonly python: PythonRunner;
  readonly reader: DocumentReader;
}

/**
 * Builds the environment that a configuration names.
 *
 * @throws RangeError for an unknown name or level or a setting out of range; DataFileError for a problem
 *   in the user's files.
 */
export async function createEnvironment(
  config: EnvironmentConfig,
  ports: EnvironmentPorts,
): Promise<Environment> {
  const python = createPythonTool(ports.python, { timeoutMs: config.pythonTimeoutMs ?? 10_000 });
  switch (config.name) {
    case 'directory-hunt': {
      const { level, seed } = config;
      if (!Object.hasOwn(huntLevels, level)) {
        throw new RangeError(
          `level: expected one of ${Object.keys(huntLevels).join(', ')}, got ${String(level)}`,
        );
      }
      return new DirectoryHunt({ level, python, ...(seed === undefined ? {} : { seed }) });
    }
    case 'questions':
      return loadQuestions(config, { reader: ports.reader, python });
    default:
      return unknownName(config);
  }
}

/** Configurations are also written by hand, where the compiler does not see them. */
function unknownName(config: never): never {
  throw new RangeError(
    `environment: expected "directory-hunt" or "questions", got ${JSON.stringify(config)}`,
  );
}

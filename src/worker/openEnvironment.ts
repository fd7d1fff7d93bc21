import { isAbsolute, resolve } from 'node:path';
import { createEnvironment } from '#environment/createEnvironment';
import type { EnvironmentConfig } from '#environment/createEnvironment';
import type { Environment } from '#environment/environment';
import { nodeDocumentReader } from '#platform/nodeDocumentReader';
import type { RunConfig } from '#runs/runConfig';
import { PyodideRunner } from '#worker/pyodideRunner';

/** What an environment is opened from. */
export interface EnvironmentSetup {
  readonly config: RunConfig;
  /** What relative paths of the configuration are relative to. */
  readonly baseFolder: string;
  /** The folder of the bundled entry file `pyodideThread.js`. */
  readonly programFolder: string;
  /** Whether tools will be called soon: Python then starts at once, beside whatever comes next. */
  readonly startsTools: boolean;
}

/** Opens the environment of a run. Python starts at the latest with its first call, and ends with the process. */
export async function openEnvironment(setup: EnvironmentSetup): Promise<Environment> {
  const python = new PyodideRunner({ entry: `${setup.programFolder}/pyodideThread.js` });
  if (setup.startsTools) python.startAhead();
  return await createEnvironment(environmentConfig(setup), { python, reader: nodeDocumentReader });
}

function environmentConfig({ config, baseFolder }: EnvironmentSetup): EnvironmentConfig {
  const { task, rollout } = config;
  const pythonTimeoutMs = rollout.tools.timeoutMs;
  if (task.name === 'directory-hunt') return { ...task, pythonTimeoutMs };
  const { file, documents, callLimit, tokenLimit, ...rest } = task;
  const locate = (path: string): string => (isAbsolute(path) ? path : resolve(baseFolder, path));
  return {
    ...rest,
    pythonTimeoutMs,
    questions: locate(file),
    limits: { toolCalls: callLimit, totalTokens: tokenLimit },
    ...(documents === null ? {} : { documents: locate(documents) }),
  };
}

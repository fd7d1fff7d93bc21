/** Whether policy, environment and settings fit each other; all of it can be known before anything runs. */
import { EngineError } from '#engine/engineError';
import type { Tokenizer } from '#engine/policy';
import type { Environment, Split } from '#environment/environment';
import type { RunConfig } from '#runs/runConfig';

/** Settings that cannot be used; the message says which, what was expected and what came. */
export class ConfigurationError extends Error {
  readonly code = 'configuration';
}

/**
 * @throws ConfigurationError when there are fewer tasks than the configuration asks for; EngineError
 *   `wrongCheckpoint` when the policy has no tokens for the texts of the environment.
 */
export function checkSession(config: RunConfig, environment: Environment, tokenizer: Tokenizer): void {
  const { tasks } = config.evaluation;
  const heldOut = environment.taskCount('heldOut');
  if (environment.taskCount('train') < 1) {
    throw new ConfigurationError(
      `task: expected at least one task to train on, ${environment.name} has none. ` +
        `Add tasks, or lower task.heldOutFraction.`,
    );
  }
  if (tasks > heldOut) {
    throw new ConfigurationError(
      `evaluation.tasks: expected at most ${heldOut}, the number of held-out tasks of ${environment.name}, got ${tasks}. ` +
        `Lower evaluation.tasks, add tasks, or raise task.heldOutFraction.`,
    );
  }
  checkLimits(config, environment);
  checkVocabulary(environment, tokenizer, config.policy.checkpoint);
}

/** A response beyond the task's own limits is scored as malformed, so a wider limit would only waste tokens. */
function checkLimits({ rollout }: RunConfig, { name, limits }: Environment): void {
  const pairs = [
    ['callLimit', rollout.callLimit, limits.toolCalls],
    ['tokenLimit', rollout.tokenLimit, limits.totalTokens],
  ] as const;
  for (const [key, given, limit] of pairs) {
    if (given === null || given <= limit) continue;
    throw new ConfigurationError(
      `rollout.${key}: expected at most ${limit}, the limit of ${name}, got ${given}. Lower it, or leave it out.`,
    );
  }
}

/** A closed language is checked as a whole, an open one by its first prompts. */
function checkVocabulary(environment: Environment, tokenizer: Tokenizer, checkpoint: string): void {
  const splits: readonly Split[] = ['train', 'heldOut'];
  const texts = environment.vocabulary ?? splits.map((split) => environment.task(split, 0).prompt);
  for (const text of texts) {
    try {
      tokenizer.encode(text);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'unknownToken') throw error;
      throw new EngineError(
        'wrongCheckpoint',
        `policy.checkpoint ${checkpoint}: its vocabulary does not fit the task ${environment.name}. ${error.message} ` +
          `Choose a checkpoint whose tokenizer knows the words of the task.`,
        { cause: error },
      );
    }
  }
}

import type { RunConfig } from '#runs/runConfig';
import type { Evaluated, EvaluationScore } from '#runs/runEvent';
import type { EvaluationResult, RolloutService } from '#training/rolloutService';

/**
 * Tries the policy on held-out tasks: one trajectory per task, no branching, at the temperature of
 * training and greedily. The tasks and their random streams are the same at every evaluation.
 */
export async function evaluatePolicy(
  rollouts: RolloutService,
  { config, update }: { readonly config: RunConfig; readonly update: number },
  signal: AbortSignal,
): Promise<Omit<Evaluated, 'seconds'>> {
  const { tasks, sampled, greedy } = config.evaluation;
  const taskIndices = Array.from({ length: tasks }, (_, index) => index);
  const evaluate = async (isGreedy: boolean): Promise<EvaluationScore> =>
    scoreOf(await rollouts.evaluate({ split: 'heldOut', taskIndices, isGreedy }, signal));
  return {
    kind: 'evaluated',
    update,
    split: 'heldOut',
    tasks,
    sampled: sampled ? await evaluate(false) : null,
    greedy: greedy ? await evaluate(true) : null,
  };
}

function scoreOf({ tasks }: EvaluationResult): EvaluationScore {
  const mean = (value: (task: EvaluationResult['tasks'][number]) => number): number =>
    tasks.reduce((sum, task) => sum + value(task), 0) / tasks.length;
  return {
    accuracy: mean(({ isCorrect }) => (isCorrect ? 1 : 0)),
    reward: mean(({ reward }) => reward),
    toolCalls: mean(({ toolCalls }) => toolCalls),
    tokens: mean(({ tokens }) => tokens),
  };
}

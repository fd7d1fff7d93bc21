/**
 * Whether a cold start is fit for reinforcement learning. A policy can have an ordinary loss and never
 * have learnt to copy one class of words; every method then stalls on it. So accuracy is measured by
 * class, on flawless demonstrations.
 */
import type { Sampler, Tokenizer } from '#engine/policy';
import type { Environment } from '#environment/environment';
import { tokenizeDemonstration } from '#training/coldStart';

/** A class of words and the accuracy it must reach, 0..1. */
export interface GateClass {
  readonly name: string;
  readonly minimum: number;
  readonly words: readonly string[];
}

/** What one class reached. */
export interface GateResult {
  readonly name: string;
  readonly minimum: number;
  /** Share of tokens of the class that were the most probable one; `null` when none occurred. */
  readonly accuracy: number | null;
  readonly tokens: number;
  readonly isPassed: boolean;
}

/** Flawless demonstrations that the gate looks at. */
const gateTasks = 200;

/**
 * Teacher-forced accuracy by class of word, over what the policy writes in flawless demonstrations.
 *
 * @throws RangeError when the environment has no demonstrations.
 */
export async function runColdStartGate(
  policy: { readonly sampler: Sampler; readonly tokenizer: Tokenizer },
  environment: Environment,
  classes: readonly GateClass[],
  signal: AbortSignal,
): Promise<GateResult[]> {
  const { sampler, tokenizer } = policy;
  const source = environment.demonstrations;
  if (source === undefined) throw new RangeError(`${environment.name}: expected demonstrations, it has none`);
  const demonstrations = Array.from({ length: gateTasks }, (_, index) => {
    const solution = source.solve(environment.task('coldStart', index));
    const prompt = tokenizer.encode(solution.task.prompt);
    return { prompt, ...tokenizeDemonstration(solution, tokenizer) };
  });
  const requests = demonstrations.map(({ prompt, tokens }) => ({
    sequence: sampler.open(prompt),
    maxTokens: tokens.length - prompt.length,
    forcedTokens: tokens.subarray(prompt.length),
    random: { next: () => 0 },
    isComplete: () => false,
  }));
  const sampling = { temperature: 1, topP: 1, topK: 0, isGreedy: true, alternatives: 1 };
  const segments = await sampler.generate(requests, sampling, signal);
  for (const { sequence } of requests) sampler.release(sequence);
  const counts = new Map<number, { right: number; all: number }>();
  for (const [row, { prompt, tokens, mask }] of demonstrations.entries()) {
    const best = segments[row].alternatives?.ids ?? new Int32Array(0);
    for (let index = prompt.length; index < tokens.length; index += 1) {
      if (mask[index] === 0) continue;
      const count = counts.get(tokens[index]) ?? { right: 0, all: 0 };
      counts.set(tokens[index], count);
      count.all += 1;
      if (best[index - prompt.length] === tokens[index]) count.right += 1;
    }
  }
  return classes.map((gateClass) => judgeClass(gateClass, counts, tokenizer));
}

function judgeClass(
  { name, minimum, words }: GateClass,
  counts: ReadonlyMap<number, { readonly right: number; readonly all: number }>,
  tokenizer: Tokenizer,
): GateResult {
  const ofClass = words.flatMap((word) => counts.get(tokenizer.encode(word)[0]) ?? []);
  const tokens = ofClass.reduce((sum, { all }) => sum + all, 0);
  const accuracy = tokens === 0 ? null : ofClass.reduce((sum, { right }) => sum + right, 0) / tokens;
  return { name, minimum, accuracy, tokens, isPassed: accuracy === null || accuracy >= minimum };
}

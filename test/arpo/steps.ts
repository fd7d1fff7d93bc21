/** Scripted steps for tests that drive the scheduler or the tree without a policy. */
import type { BranchingOptions } from '#arpo/branchingOptions';
import type { EntropyReading } from '#arpo/entropyMeasure';
import type { NodeContent, StopReason } from '#arpo/rolloutTree';
import { GroupScheduler, type GroupSetup } from '#arpo/scheduler';

/** A step of sampled tokens, by default one end of a response. */
export function step({
  tokens = [9],
  stopReason = 'end',
}: {
  tokens?: readonly number[];
  stopReason?: StopReason;
} = {}): NodeContent {
  return {
    tokens: Int32Array.from(tokens),
    mask: new Uint8Array(tokens.length).fill(1),
    logProbs: new Float32Array(tokens.length).fill(-1),
    entropies: new Float32Array(tokens.length).fill(0.5),
    alternatives: null,
    toolCall: null,
    stopReason,
  };
}

export const ended = (): NodeContent => step();

/** A step that calls a tool, followed by `result` result tokens (all 8). */
export function calling({
  tokens = [5],
  result = 2,
}: { tokens?: readonly number[]; result?: number } = {}): NodeContent {
  const length = tokens.length + result;
  const mask = new Uint8Array(length).fill(1, 0, tokens.length);
  return {
    tokens: Int32Array.from([...tokens, ...Array.from({ length: result }, () => 8)]),
    mask,
    logProbs: Float32Array.from(mask, (bit) => -bit),
    entropies: Float32Array.from(mask, (bit) => bit / 2),
    alternatives: null,
    toolCall: {
      tool: 'search',
      input: 'q',
      output: 'r',
      failure: null,
      latencyMs: 1,
      cached: false,
      attempts: 1,
    },
    stopReason: 'toolCall',
  };
}

export function reading(value: number): EntropyReading {
  return { value, perToken: [value] };
}

/** A scheduler for a two-token prompt. */
export function scripted({
  options,
  ...setup
}: { options: BranchingOptions } & Partial<GroupSetup>): GroupScheduler {
  return new GroupScheduler({
    promptTokens: Int32Array.of(1, 1),
    options,
    callLimit: 3,
    vocabularySize: 10,
    ...setup,
  });
}

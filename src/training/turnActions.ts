/** What the segments of one turn lead to: tool calls, their results, or the end of a trajectory. */
import type { NodeContent, StopReason, ToolCall } from '#arpo/rolloutTree';
import { withForcedEnd } from '#arpo/callLimit';
import { assert } from '#base/assert';
import { EngineError } from '#engine/engineError';
import type { GeneratedSegment, Tokenizer } from '#engine/policy';
import { classifySegment, formatResult } from '#environment/tagProtocol';
import type { Tool } from '#environment/tool';
import type { AdaptiveRolloutOptions, SampledSegment } from '#training/adaptiveRollout';
import type { GroupRollout } from '#training/groupRollout';

/** One complete step, ready to be recorded. */
export interface CompletedStep {
  readonly group: GroupRollout;
  readonly slot: number;
  readonly segment: GeneratedSegment;
  readonly content: NodeContent;
  /** The tokens of the tool result in `content`, which the sampler has not seen yet. */
  readonly resultTokens: Int32Array;
}

type Verdict =
  | { readonly kind: 'stop'; readonly reason: StopReason }
  | { readonly kind: 'forceEnd' }
  | { readonly kind: 'call'; readonly tool: Tool; readonly query: string };

const noTokens = new Int32Array(0);

/** Runs all tools of a turn at the same time; a failed call is a result like any other. */
export async function runTurnActions(
  segments: readonly SampledSegment[],
  options: AdaptiveRolloutOptions,
  signal: AbortSignal,
): Promise<CompletedStep[]> {
  const judged = segments.map((sampled) => ({ sampled, verdict: judgeSegment(sampled, options) }));
  const forced = judged.filter(({ verdict }) => verdict.kind === 'forceEnd').map(({ sampled }) => sampled);
  const ends = await scoreForcedEnds(forced, options, signal);
  return await Promise.all(
    judged.map(async ({ sampled, verdict }) => {
      switch (verdict.kind) {
        case 'stop':
          return { ...sampled, content: contentOf(sampled, verdict.reason), resultTokens: noTokens };
        case 'forceEnd':
          return {
            ...sampled,
            content: endOverLimit(sampled, ends.get(sampled), options),
            resultTokens: noTokens,
          };
        case 'call':
          return completeCall(
            sampled,
            await options.runTool(sampled.group.options, verdict.tool, verdict.query, signal),
            options,
          );
      }
    }),
  );
}

function judgeSegment({ group, slot, segment }: SampledSegment, options: AdaptiveRolloutOptions): Verdict {
  if (segment.end === 'endToken') return { kind: 'stop', reason: 'end' };
  if (segment.end === 'length') return { kind: 'stop', reason: 'length' };
  const { tokenizer, queryExtraction } = options;
  const call = classifySegment({
    segment: tokenizer.decode(segment.tokens),
    context: queryExtraction === 'released' ? tokenizer.decode(wholeContext(group, slot, segment)) : '',
    tags: [...group.tools.keys()],
    rule: queryExtraction === 'released' ? 'released' : 'corrected',
  });
  const tool = call.kind === 'none' ? undefined : group.tools.get(call.tag);
  assert(call.kind !== 'none' && tool !== undefined, 'a segment complete without the tag of a tool');
  const verdict = group.scheduler.requestCall(slot, call.kind === 'toolCall' ? call.query : '');
  if (verdict.kind === 'execute' && call.kind === 'toolCall')
    return { kind: 'call', tool, query: call.query };
  if (verdict.kind === 'execute') return { kind: 'stop', reason: 'emptyCall' };
  return verdict.isEndForced ? { kind: 'forceEnd' } : { kind: 'stop', reason: verdict.stopReason };
}

/** Prompt, everything on the path, and what was just sampled. */
function wholeContext({ scheduler }: GroupRollout, slot: number, { tokens }: GeneratedSegment): Int32Array {
  const path = scheduler.tree.pathTokens(scheduler.tree.trajectory(slot).lastNodeId);
  return concatenate(Int32Array, path, tokens);
}

/** Scores the end token that is put in the policy's mouth, where there is room for it. */
async function scoreForcedEnds(
  forced: readonly SampledSegment[],
  { sampler, sampling, tokenizer }: AdaptiveRolloutOptions,
  signal: AbortSignal,
): Promise<Map<SampledSegment, GeneratedSegment>> {
  const withRoom = forced.filter(({ group, slot }) => group.roomOf(slot) >= 1);
  const requests = withRoom.map(({ group, slot }) => ({
    sequence: group.sequenceOf(slot),
    maxTokens: 1,
    random: group.randomOf(slot),
    forcedTokens: Int32Array.of(tokenizer.endTokenId),
    isComplete: () => true,
  }));
  const segments = await sampler.generate(requests, { ...sampling, alternatives: 0 }, signal);
  return new Map(withRoom.map((sampled, index) => [sampled, segments[index]]));
}

function endOverLimit(
  sampled: SampledSegment,
  end: GeneratedSegment | undefined,
  { tokenizer }: AdaptiveRolloutOptions,
): NodeContent {
  const content = contentOf(sampled, 'callLimit');
  if (end === undefined) return content;
  return withForcedEnd(content, {
    endTokenId: tokenizer.endTokenId,
    logProb: end.logProbs[0],
    entropy: end.entropies[0],
  });
}

function contentOf({ segment }: SampledSegment, stopReason: StopReason): NodeContent {
  const { tokens, logProbs, entropies, alternatives } = segment;
  const mask = new Uint8Array(tokens.length).fill(1);
  return { tokens, mask, logProbs, entropies, alternatives, toolCall: null, stopReason };
}

/**
 * The segment and the tool's result, cut at the limit; a trajectory without room for more ends. So does
 * one whose result the policy has no tokens for (a closed vocabulary and a failure it did not foresee).
 */
function completeCall(
  sampled: SampledSegment,
  toolCall: ToolCall,
  { tokenizer }: AdaptiveRolloutOptions,
): CompletedStep {
  const room = sampled.group.roomOf(sampled.slot);
  const whole = encodeResult(tokenizer, toolCall.output);
  if (whole instanceof EngineError) {
    const failure = `${toolCall.failure ?? 'the result cannot be shown to the policy'}: ${whole.message}`;
    const content = { ...contentOf(sampled, 'error'), toolCall: { ...toolCall, failure } };
    return { ...sampled, content, resultTokens: noTokens };
  }
  const resultTokens = whole.length > room ? whole.slice(0, room) : whole;
  const segment = contentOf(sampled, resultTokens.length < room ? 'toolCall' : 'length');
  const zeros = new Float32Array(resultTokens.length);
  const content: NodeContent = {
    ...segment,
    tokens: concatenate(Int32Array, segment.tokens, resultTokens),
    mask: concatenate(Uint8Array, segment.mask, new Uint8Array(resultTokens.length)),
    logProbs: concatenate(Float32Array, segment.logProbs, zeros),
    entropies: concatenate(Float32Array, segment.entropies, zeros),
    toolCall,
  };
  return { ...sampled, content, resultTokens };
}

function encodeResult(tokenizer: Tokenizer, output: string): Int32Array | EngineError {
  try {
    return tokenizer.encode(formatResult(output));
  } catch (error) {
    if (error instanceof EngineError && error.code === 'unknownToken') return error;
    throw error;
  }
}

function concatenate<T extends { set(values: T, offset?: number): void; readonly length: number }>(
  ArrayType: new (length: number) => T,
  head: T,
  tail: T,
): T {
  const joined = new ArrayType(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

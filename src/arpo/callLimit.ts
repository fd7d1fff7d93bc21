/** What becomes of a request for a tool, and of the response mask of a trajectory that it ended. */
import type { NodeContent } from '#arpo/rolloutTree';

/** Whether a requested call runs, or how the request ends its trajectory. */
export type CallVerdict =
  | { readonly kind: 'execute'; readonly callsLeft: number }
  /**
   * `callLimit`: the request came after the last allowed call; an end token is appended and trained
   * on. `emptyCall`: a tag was closed around nothing; the trajectory silently ends as it is.
   */
  | { readonly kind: 'end'; readonly stopReason: 'callLimit' | 'emptyCall'; readonly isEndForced: boolean };

/** A request: how many calls ran before it, how many may run, and what stood between the tags. */
export interface CallRequest {
  readonly callsUsed: number;
  readonly callLimit: number;
  readonly query: string;
}

/**
 * The released rule: at most `callLimit` calls run, request number `callLimit` + 1 kills the
 * trajectory. The limit is looked at before the query, so an empty request over the limit counts as
 * over the limit.
 *
 * @see RWT, classification of the stop; arXiv:2507.19849 does not say what happens over the limit.
 */
export function judgeCall({ callsUsed, callLimit, query }: CallRequest): CallVerdict {
  if (callsUsed >= callLimit) return { kind: 'end', stopReason: 'callLimit', isEndForced: true };
  if (query.trim() === '') return { kind: 'end', stopReason: 'emptyCall', isEndForced: false };
  return { kind: 'execute', callsLeft: callLimit - callsUsed - 1 };
}

/** The end token that is put in the policy's mouth, scored by the policy as if it had sampled it. */
export interface ForcedEnd {
  readonly endTokenId: number;
  /** Nats, under the sampling distribution. */
  readonly logProb: number;
  readonly entropy: number;
}

/** A step over the call limit: the end token is appended with mask 1, so it is trained on. */
export function withForcedEnd(content: NodeContent, end: ForcedEnd): NodeContent {
  return {
    ...content,
    tokens: Int32Array.from([...content.tokens, end.endTokenId]),
    mask: Uint8Array.from([...content.mask, 1]),
    logProbs: Float32Array.from([...content.logProbs, end.logProb]),
    entropies: Float32Array.from([...content.entropies, end.entropy]),
    stopReason: 'callLimit',
  };
}

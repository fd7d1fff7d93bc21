/**
 * Entropy-based adaptive rollout of a batch of groups in lock step: in every turn all live
 * trajectories of all groups sample one segment together, then all tools run, then every group
 * decides about branches and top-ups.
 *
 * @see arXiv:2507.19849 §3.1 and Algorithm 1; `arpo/scheduler` holds the rules.
 */
import type { ToolCall } from '#arpo/rolloutTree';
import type { GeneratedSegment, Sampler, Sampling, Tokenizer } from '#engine/policy';
import type { GroupRollout } from '#training/groupRollout';
import { runTurnActions } from '#training/turnActions';
import type { Task } from '#environment/environment';
import type { Tool } from '#environment/tool';
import type { RolloutEvent } from '#training/rolloutService';

/** What all groups of a batch share. */
export interface AdaptiveRolloutOptions {
  /** Recorded with the events. */
  readonly update: number;
  readonly sampler: Sampler;
  readonly tokenizer: Tokenizer;
  readonly sampling: Sampling;
  /** Tells whether a segment was just completed by a closing tool tag. */
  readonly isToolCallComplete: (tokens: Int32Array) => boolean;
  /** `released` searches the whole context for the opening tag, `segment` only what was just written. */
  readonly queryExtraction: 'released' | 'segment';
  readonly runTool: (
    group: { readonly task: Task },
    tool: Tool,
    query: string,
    signal: AbortSignal,
  ) => Promise<ToolCall>;
  readonly onEvents: (events: readonly RolloutEvent[]) => void;
}

/** A live trajectory in a turn, and what it has just sampled. */
export interface SampledSegment {
  readonly group: GroupRollout;
  readonly slot: number;
  readonly segment: GeneratedSegment;
}

/**
 * Rolls out all groups to the end. Groups must not be started.
 *
 * @throws AbortError (or the signal's reason) between decode steps once `signal` is aborted.
 */
export async function rollOutGroups(
  groups: readonly GroupRollout[],
  options: AdaptiveRolloutOptions,
  signal: AbortSignal,
): Promise<void> {
  options.onEvents(groups.flatMap((group) => startEvents(group, options.update)));
  let live = groups;
  while (live.length > 0) {
    signal.throwIfAborted();
    const segments = await sampleSegments(live, options, signal);
    const steps = await runTurnActions(segments, options, signal);
    const nodes = new Map(live.map((group) => [group, steps.filter((step) => step.group === group)]));
    const events = live.flatMap((group) => {
      const added = (nodes.get(group) ?? []).map(({ slot, content, segment, resultTokens }) => {
        const node = group.recordStep(slot, content, segment);
        if (resultTokens.length > 0) options.sampler.append(group.sequenceOf(slot), resultTokens);
        return node;
      });
      return growEvents(group, options.update, added);
    });
    const hasBatchGained = live.some((group) => group.scheduler.hasGained);
    for (const group of live) group.scheduler.endTurn({ hasBatchGained });
    options.onEvents(events);
    live = live.filter((group) => !group.scheduler.isComplete);
  }
}

async function sampleSegments(
  groups: readonly GroupRollout[],
  options: AdaptiveRolloutOptions,
  signal: AbortSignal,
): Promise<SampledSegment[]> {
  const rows = groups.flatMap((group) => group.scheduler.liveSlots().map((slot) => ({ group, slot })));
  const requests = rows.map(({ group, slot }) => ({
    sequence: group.sequenceOf(slot),
    maxTokens: group.roomOf(slot),
    random: group.randomOf(slot),
    isComplete: options.isToolCallComplete,
  }));
  const segments = await options.sampler.generate(requests, options.sampling, signal);
  return rows.map((row, index) => ({ ...row, segment: segments[index] }));
}

function startEvents(group: GroupRollout, update: number): RolloutEvent[] {
  const key = { update, group: group.options.groupIndex };
  const { task } = group.options;
  return [
    {
      kind: 'groupStarted',
      ...key,
      origin: 'training',
      taskId: task.id,
      prompt: task.prompt,
      gold: task.gold,
      promptTokens: group.promptTokens,
    },
    { kind: 'trajectoriesStarted', ...key, trajectories: group.start() },
  ];
}

/** Branches and tops up behind the nodes just recorded; all of the turn as events. */
function growEvents(
  group: GroupRollout,
  update: number,
  nodes: ReturnType<GroupRollout['recordStep']>[],
): RolloutEvent[] {
  const key = { update, group: group.options.groupIndex };
  const { decisions, started } = group.branch();
  const trajectories = [...started, ...group.topUp()];
  group.releaseFinished();
  const events: RolloutEvent[] = [{ kind: 'nodesAdded', ...key, origin: 'training', nodes }];
  if (decisions.length > 0) events.push({ kind: 'branchesDecided', ...key, decisions });
  if (trajectories.length > 0) events.push({ kind: 'trajectoriesStarted', ...key, trajectories });
  return events;
}

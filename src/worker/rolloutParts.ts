import { openEngine } from '#engine/engines';
import { createPolicy } from '#engine/llamaPolicy';
import { ToolCache } from '#environment/toolCache';
import { ToolRunner } from '#environment/toolRunner';
import type { InlineRolloutOptions } from '#training/inlineRollouts';
import { nodeToolClock } from '#worker/nodeToolClock';
import { openEnvironment } from '#worker/openEnvironment';
import type { RolloutSetup } from '#worker/rolloutProtocol';

/** Opens everything that sampling needs: engine, policy, environment and tools. */
export async function openRolloutParts(setup: RolloutSetup): Promise<InlineRolloutOptions> {
  const { config, checkpoint } = setup;
  // Decoding does not gain from threads; processes run side by side instead.
  const executor = await openEngine(setup.engine, { threads: 1 });
  const policy = createPolicy({ ...checkpoint, executor });
  const environment = await openEnvironment({ ...setup, startsTools: true });
  const { timeoutMs, retries, retryEmpty, cache } = config.rollout.tools;
  const tools = new ToolRunner({
    timeoutMs,
    maxAttempts: retries + 1,
    retryEmpty,
    clock: nodeToolClock,
    cache: cache ? new ToolCache() : null,
  });
  return {
    config,
    policy,
    environment,
    runTool: (task, tool, query, signal) => tools.run({ tool, query, scope: task.id, signal }),
  };
}

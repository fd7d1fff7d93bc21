/** Which engines work on this machine, and how fast they sample. */
import { createRandom } from '#base/random';
import { listEngines, openEngine } from '#engine/engines';
import type { EngineName } from '#engine/engines';
import { createPolicy } from '#engine/llamaPolicy';
import type { Sampler, Sampling } from '#engine/policy';
import type { EngineProbe, EngineReport, WorkerPlaces } from '#protocol/workerProtocol';
import { openCheckpoint } from '#worker/checkpointSource';

const probeBatch = 16;
const probeTokens = 48;
const probeSampling: Sampling = { temperature: 1, topP: 1, topK: 0, isGreedy: false, alternatives: 0 };

/** Tries every engine with the policy that comes with the program. */
export async function reportEngines(places: WorkerPlaces): Promise<readonly EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const engine of await listEngines()) {
    reports.push({ ...engine, probe: engine.isAvailable ? await probeEngine(engine.name, places) : null });
  }
  return reports;
}

async function probeEngine(name: EngineName, places: WorkerPlaces): Promise<EngineProbe> {
  const checkpoint = await openCheckpoint('builtin:directory-hunt', {
    builtinFolder: places.builtinFolder,
    baseFolder: places.builtinFolder,
  });
  const startedAt = performance.now();
  const executor = await openEngine(name, { threads: 1 });
  const policy = createPolicy({ ...checkpoint, executor });
  const sampler = await policy.createSampler();
  const prompt = policy.tokenizer.encode('age of boss of Ann + 1 ?');
  await sample(sampler, prompt, { rows: 1, tokens: 1 });
  const startMs = performance.now() - startedAt;
  await sample(sampler, prompt, { rows: probeBatch, tokens: 2 });
  const sampledAt = performance.now();
  const sampled = await sample(sampler, prompt, { rows: probeBatch, tokens: probeTokens });
  const tokensPerSecond = (1000 * sampled) / (performance.now() - sampledAt);
  await policy.dispose();
  await executor.dispose();
  return { startMs, tokensPerSecond, batch: probeBatch };
}

/** @returns The tokens that were sampled. */
async function sample(
  sampler: Sampler,
  prompt: Int32Array,
  { rows, tokens }: { readonly rows: number; readonly tokens: number },
): Promise<number> {
  const sequences = Array.from({ length: rows }, () => sampler.open(prompt));
  const requests = sequences.map((sequence, row) => ({
    sequence,
    maxTokens: tokens,
    random: createRandom(row),
    isComplete: () => false,
  }));
  const segments = await sampler.generate(requests, probeSampling, new AbortController().signal);
  for (const sequence of sequences) sampler.release(sequence);
  return segments.reduce((sum, segment) => sum + segment.tokens.length, 0);
}

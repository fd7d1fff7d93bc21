/** The engines by name, and which of them work on this machine. */
import { unreachable } from '#base/assert';
import { EngineError } from '#engine/engineError';
import type { Executor } from '#engine/executor';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';

/** Executors that exist. `reference` interprets in float64: slow, for comparison only. */
export const engineNames = ['onnx', 'reference'] as const;
export type EngineName = (typeof engineNames)[number];

export interface EngineOptions {
  /** Threads within one operation, ≥ 1. */
  readonly threads: number;
}

/** The engine behind `auto`: `onnx`; never `reference`, which nobody would want to wait for. */
export function resolveEngine(name: EngineName | 'auto'): EngineName {
  return name === 'auto' ? 'onnx' : name;
}

/** Whether an engine can be used here, and if not, why. */
export interface EngineAvailability {
  readonly name: EngineName;
  readonly isAvailable: boolean;
  /** The message of the failure; `null` when it loads. */
  readonly problem: string | null;
}

/**
 * Opens an engine.
 *
 * @throws EngineError `engineNotAvailable` when it does not load, with the reason and what to do;
 *   RangeError when `threads` is not a whole number of at least 1.
 */
export async function openEngine(requested: EngineName | 'auto', options: EngineOptions): Promise<Executor> {
  if (!Number.isInteger(options.threads) || options.threads < 1) {
    throw new RangeError(`threads must be a whole number of at least 1, but is ${options.threads}.`);
  }
  const name = resolveEngine(requested);
  switch (name) {
    case 'onnx':
      // Training shares the processors with rollouts, editors and other runs. There waiting threads that
      // spin halved the speed of updates; on free processors they gave 1.2 times that of sleeping ones.
      return createOnnxExecutor({ intraOpThreads: options.threads, isSpinning: false });
    case 'reference':
      return createReferenceExecutor();
    default:
      return unreachable(name);
  }
}

/** Tries every engine; takes as long as loading them. */
export async function listEngines(): Promise<EngineAvailability[]> {
  const availability: EngineAvailability[] = [];
  for (const name of engineNames) availability.push(await tryEngine(name));
  return availability;
}

async function tryEngine(name: EngineName): Promise<EngineAvailability> {
  try {
    const executor = await openEngine(name, { threads: 1 });
    await executor.dispose();
    return { name, isAvailable: true, problem: null };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { name, isAvailable: false, problem: error.message };
  }
}

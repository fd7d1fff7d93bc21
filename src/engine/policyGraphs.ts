import type { Executable, Executor } from '#engine/executor';
import type { Graph } from '#engine/graph/graph';
import { buildDecodeGraph } from '#engine/model/decodeGraph';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { buildLossGraph } from '#engine/model/lossGraph';
import { buildOptimizerGraph } from '#engine/model/optimizerGraph';
import { buildScoreGraph } from '#engine/model/scoreGraph';

const BUILDERS = {
  policy: (config: LlamaConfig): Graph => buildLossGraph(config, 'policy'),
  likelihood: (config: LlamaConfig): Graph => buildLossGraph(config, 'likelihood'),
  score: buildScoreGraph,
  decode: buildDecodeGraph,
  optimizer: buildOptimizerGraph,
} as const;

/** The computations of a policy. */
export type PolicyGraphName = keyof typeof BUILDERS;

/** Compiles each graph of a policy when it is first wanted, and once. */
export class PolicyGraphs {
  readonly #config: LlamaConfig;
  readonly #executor: Executor;
  readonly #compiled = new Map<PolicyGraphName, Promise<Executable>>();

  constructor(config: LlamaConfig, executor: Executor) {
    this.#config = config;
    this.#executor = executor;
  }

  /** The compiled graph; it lives until `dispose`. */
  get(name: PolicyGraphName): Promise<Executable> {
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const compiled = this.#executor.compile(BUILDERS[name](this.#config));
    this.#compiled.set(name, compiled);
    return compiled;
  }

  async dispose(): Promise<void> {
    const compiled = [...this.#compiled.values()];
    this.#compiled.clear();
    for (const executable of compiled) await (await executable).dispose();
  }
}

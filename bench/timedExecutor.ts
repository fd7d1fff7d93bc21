import type { Executable, Executor, HostTensor } from '#engine/executor';
import type { Graph } from '#engine/graph/graph';

/** What the runs of one graph took. */
export interface GraphTime {
  readonly seconds: number;
  readonly runs: number;
  /** Tokens computed, padding included. */
  readonly positions: number;
}

const nothing: GraphTime = { seconds: 0, runs: 0, positions: 0 };

/** Passes everything on and measures the runs by graph; runs of `decode` over a chunk count as `prefill`. */
export class TimedExecutor implements Executor {
  readonly name: string;
  readonly #inner: Executor;
  #times = new Map<string, GraphTime>();

  constructor(inner: Executor) {
    this.name = inner.name;
    this.#inner = inner;
  }

  async compile(graph: Graph): Promise<Executable> {
    const executable = await this.#inner.compile(graph);
    return {
      run: async (inputs) => {
        const start = performance.now();
        const outputs = await executable.run(inputs);
        this.#add(graph.name, inputs, (performance.now() - start) / 1000);
        return outputs;
      },
      dispose: async () => await executable.dispose(),
    };
  }

  async dispose(): Promise<void> {
    await this.#inner.dispose();
  }

  /** The time of a graph since the last `reset`. */
  timeOf(name: string): GraphTime {
    return this.#times.get(name) ?? nothing;
  }

  /** Seconds in all graphs since the last `reset`. */
  get seconds(): number {
    return [...this.#times.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  }

  reset(): void {
    this.#times = new Map();
  }

  #add(graphName: string, inputs: Readonly<Record<string, HostTensor>>, seconds: number): void {
    const [rows = 0, width = 0] = inputs['tokens']?.shape ?? [];
    const name = graphName === 'decode' && width > 1 ? 'prefill' : graphName;
    const before = this.timeOf(name);
    this.#times.set(name, {
      seconds: before.seconds + seconds,
      runs: before.runs + 1,
      positions: before.positions + rows * width,
    });
  }
}

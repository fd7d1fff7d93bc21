import { median, quantile } from '#base/median';

/** Numbers that one run of a variant measured, by name. */
export type Measures = Readonly<Record<string, number>>;

/** Something to measure. `run` gets the number of the repetition, warm-ups included. */
export interface Variant {
  readonly name: string;
  run(repetition: number): Promise<Measures>;
}

/** A ratio of two variants: the median over repetitions, and the middle half. */
export interface Ratio {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** What the variants measured, repetition by repetition. */
export class Measurements {
  readonly #runs = new Map<string, Measures[]>();

  add(variant: string, measures: Measures): void {
    this.#runs.set(variant, [...(this.#runs.get(variant) ?? []), measures]);
  }

  /** One number per repetition. */
  values(variant: string, measure: string): number[] {
    return (this.#runs.get(variant) ?? []).map((measures) => {
      const value = measures[measure];
      if (value === undefined) throw new RangeError(`${variant} does not measure ${measure}`);
      return value;
    });
  }

  median(variant: string, measure: string): number {
    return median(this.values(variant, measure));
  }

  /** The repetition that other work on the machine disturbed least. */
  fastest(variant: string): number {
    return Math.min(...this.values(variant, 'seconds'));
  }

  /** How often `measure` of `first` is that of `second`, compared within each repetition. */
  ratio(measure: string, first: string, second: string): Ratio {
    const others = this.values(second, measure);
    const ratios = this.values(first, measure).map((value, index) => value / others[index]);
    return {
      median: median(ratios),
      lowerQuartile: quantile(ratios, 0.25),
      upperQuartile: quantile(ratios, 0.75),
    };
  }
}

/**
 * Runs all variants in turn, again and again, so that whatever disturbs the machine meets all of them.
 * The order turns around every time.
 */
export async function interleave(
  variants: readonly Variant[],
  { repetitions, onRepetition }: { repetitions: number; onRepetition: (done: number) => void },
): Promise<Measurements> {
  const measurements = new Measurements();
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    for (const variant of repetition % 2 === 0 ? variants : variants.toReversed()) {
      const measures = await variant.run(repetition);
      // The first one warms up.
      if (repetition > 0) measurements.add(variant.name, measures);
    }
    onRepetition(repetition);
  }
  return measurements;
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

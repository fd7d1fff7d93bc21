/** What runs are called in the view. Pure. */
import type { MetricRun } from '#protocol/metricsViewProtocol';

/** `[runs]` the name where no other run of the view has it, else the title, which tells them apart. */
export function runNames(runs: readonly Pick<MetricRun, 'name' | 'title'>[]): readonly string[] {
  return runs.map(({ name, title }) =>
    runs.filter((other) => other.name === name).length === 1 ? name : title,
  );
}

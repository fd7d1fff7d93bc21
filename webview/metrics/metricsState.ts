/** The runs as the host last reported them. Pure. */
import { applyMetricsChanges } from '#protocol/metricsChanges';
import type { MetricRun, MetricsPatch, MetricsSnapshot } from '#protocol/metricsViewProtocol';

/** `gap`: a patch is missing, ask for a snapshot. `stale`: it is older than what is known. */
export type PatchOutcome = 'applied' | 'gap' | 'stale';

/** See the module comment. */
export class MetricsState {
  #runs: readonly MetricRun[] = [];
  /** `null` before the first snapshot, and while a gap waits for one. */
  #sequence: number | null = null;

  get runs(): readonly MetricRun[] {
    return this.#runs;
  }

  replace(snapshot: MetricsSnapshot): void {
    this.#runs = snapshot.runs;
    this.#sequence = snapshot.sequence;
  }

  /** @throws RangeError when the patch speaks of a run that is not there or leaves out rows. */
  apply(patch: MetricsPatch): PatchOutcome {
    if (this.#sequence === null || patch.sequence <= this.#sequence) return 'stale';
    if (patch.sequence !== this.#sequence + 1) {
      this.#sequence = null;
      return 'gap';
    }
    this.#runs = applyMetricsChanges(this.#runs, patch.changes);
    this.#sequence = patch.sequence;
    return 'applied';
  }
}

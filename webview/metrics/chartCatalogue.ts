/** Which charts there are and what each shows. Pure. */
import type { MetricName } from '#protocol/metricsViewProtocol';
import type { TextKey } from './metricsText';

/** How values are written. `share`: 0..1, written in percent. */
export type ValueUnit = 'number' | 'share' | 'nats' | 'count';

/** What the value axis must contain: nothing, zero, or all of 0..1. */
export type ValueRange = 'free' | 'fromZero' | 'share';

/** One chart. */
export interface ChartDefinition {
  /** Names files and elements. */
  readonly id: string;
  readonly title: TextKey;
  readonly unit: ValueUnit;
  readonly range: ValueRange;
  readonly metrics: readonly MetricName[];
  /** Drawn wider where the columns allow it. */
  readonly isProminent: boolean;
}

/** In the order in which they are shown. */
export const charts: readonly ChartDefinition[] = [
  chart('reward', 'chartReward', 'number', { range: 'free', metrics: ['rewardMean'], isProminent: true }),
  chart('accuracy', 'chartAccuracy', 'share', {
    range: 'share',
    metrics: ['heldOutSampledAccuracy', 'heldOutGreedyAccuracy', 'accuracy'],
    isProminent: true,
  }),
  chart('entropy', 'chartEntropy', 'nats', { metrics: ['entropyAfterTools', 'entropyElsewhere'] }),
  chart('branches', 'chartBranches', 'count', { metrics: ['branches'] }),
  chart('toolCalls', 'chartCalls', 'count', { metrics: ['paidCalls', 'independentCalls'] }),
  chart('speed', 'chartSpeed', 'count', { metrics: ['sampledTokensPerSecond', 'trainedTokensPerSecond'] }),
  chart('loss', 'chartLoss', 'number', { range: 'free', metrics: ['loss'] }),
  chart('kl', 'chartKl', 'nats', { metrics: ['approximateKl', 'referenceKl'] }),
  chart('clipFraction', 'chartClip', 'share', {
    metrics: ['clipFractionHigh', 'clipFractionLow', 'dualClipFraction'],
  }),
  chart('gradientNorm', 'chartGradient', 'number', { metrics: ['gradientNorm'] }),
];

function chart(
  id: string,
  title: TextKey,
  unit: ValueUnit,
  rest: Pick<ChartDefinition, 'metrics'> & Partial<ChartDefinition>,
): ChartDefinition {
  return { id, title, unit, range: 'fromZero', isProminent: false, ...rest };
}

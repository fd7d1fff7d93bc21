/** The result of a bench as data and as a table. */
import type { Ratio } from './interleave';
import type { PeakMemory } from './peakMemory';

/** Speed of one piece of work on a number of threads. */
export interface Speed {
  readonly threads: number;
  readonly tokensPerSecond: number;
  /** Of the fastest repetition: what an undisturbed machine gives. */
  readonly bestTokensPerSecond: number;
  /** Time that the necessary operations would take at the measured peak ÷ time taken, medians. */
  readonly floorShare: number;
}

export interface ModelReport {
  readonly name: string;
  readonly parameters: number;
  readonly rows: number;
  readonly context: number;
  readonly training: readonly Speed[];
  readonly decode: readonly Speed[];
}

/** Seconds by phase, medians, in the order in which they are shown. */
export type Phases = Readonly<Record<string, number>>;

/** Seconds of a piece of work: median, fastest repetition, and where the median went. */
export interface Timing {
  readonly seconds: number;
  readonly fastest: number;
  readonly phases: Phases;
}

export interface TaskReport {
  /** The whole loop. Phases add up to about `seconds`; `recording` runs beside the rollout. */
  readonly update: Timing & { readonly recording: number };
  /** The rollouts of one update in one process. */
  readonly rollout: Timing & { readonly counts: Phases };
  /** The training of one update with one thread. */
  readonly training: Timing & {
    /** Share of the computed positions that hold no predicted token. */
    readonly paddingShare: number;
    /** Predicted tokens of all trajectories ÷ distinct ones: what packing the tree would save. */
    readonly sharing: number;
  };
  readonly evaluationTasksPerSecond: number;
}

export interface Comparison {
  readonly name: string;
  readonly ratio: Ratio;
}

export interface BenchReport {
  readonly machine: {
    readonly processor: string;
    readonly processors: number;
    readonly node: string;
    /** Processes that wanted to run in the minute before and in the last minute. */
    readonly loadBefore: number;
    readonly loadAfter: number;
  };
  readonly repetitions: number;
  readonly peakOperationsPerSecond: readonly { readonly threads: number; readonly value: number }[];
  readonly models: readonly ModelReport[];
  readonly task: TaskReport;
  readonly comparisons: readonly Comparison[];
  /** `null` where it was not measured. */
  readonly memory: Readonly<Record<string, PeakMemory | null>>;
}

/** The report as lines for people. */
export function formatReport(report: BenchReport): string {
  const { machine } = report;
  const lines = [
    `${machine.processors} × ${machine.processor}, Node ${machine.node}, load ${machine.loadBefore.toFixed(2)} → ` +
      `${machine.loadAfter.toFixed(2)}; medians of ${report.repetitions} interleaved repetitions`,
    `peak of a 1024³ float32 product: ${report.peakOperationsPerSecond
      .map(({ threads, value }) => `${(value / 1e9).toFixed(0)} GFLOP/s on ${threads}`)
      .join(', ')}`,
    '',
    ...modelLines(report.models),
    '',
    ...taskLines(report.task),
    '',
    'ratios of times, median (middle half)',
    ...report.comparisons.map(({ name, ratio }) => `  ${name.padEnd(58)} ${formatRatio(ratio)}`),
    '',
    'peak memory, MB',
    ...Object.entries(report.memory).map(([name, memory]) => `  ${name.padEnd(58)} ${formatMemory(memory)}`),
  ];
  return lines.join('\n');
}

function modelLines(models: readonly ModelReport[]): string[] {
  const title = `${'tokens/s: median, best (share of the FLOP floor)'.padEnd(50)}${'training'.padEnd(26)}decode`;
  const lines = models.flatMap(({ name, parameters, rows, context, training, decode }) =>
    training.map((speed, index) => {
      const model = `${name}: ${(parameters / 1e6).toFixed(2)} M, ${rows} × ${context}, ${speed.threads} thread${speed.threads === 1 ? '' : 's'}`;
      return `  ${model.padEnd(48)}${formatSpeed(speed).padEnd(26)}${formatSpeed(decode[index])}`;
    }),
  );
  return [title, ...lines];
}

function taskLines({ update, rollout, training, evaluationTasksPerSecond }: TaskReport): string[] {
  const { counts } = rollout;
  return [
    `one update of the built-in task: ${formatTiming(update)}`,
    ...phaseLines(update.phases, update.seconds),
    `  (recording, beside the others: ${milliseconds(update.recording)})`,
    `its rollouts in one process: ${formatTiming(rollout)}`,
    ...phaseLines(rollout.phases, rollout.seconds),
    `  ${Object.entries(counts)
      .map(([name, value]) => `${Math.round(value)} ${name}`)
      .join(', ')}`,
    `its training with one thread: ${formatTiming(training)}`,
    ...phaseLines(training.phases, training.seconds),
    `  padding ${percent(training.paddingShare)} of the positions; every distinct token is computed ${training.sharing.toFixed(2)} times`,
    `evaluation: ${evaluationTasksPerSecond.toFixed(0)} tasks/s`,
  ];
}

function phaseLines(phases: Phases, total: number): string[] {
  return Object.entries(phases).map(
    ([name, seconds]) =>
      `  ${name.padEnd(34)} ${milliseconds(seconds).padStart(9)}  ${percent(seconds / total)}`,
  );
}

function formatSpeed({ tokensPerSecond, bestTokensPerSecond, floorShare }: Speed): string {
  const [middle, best] = [tokensPerSecond, bestTokensPerSecond].map((value) =>
    Math.round(value).toLocaleString('en'),
  );
  return `${middle}, ${best} (${percent(floorShare)})`;
}

function formatRatio({ median, lowerQuartile, upperQuartile }: Ratio): string {
  return `${median.toFixed(2)} (${lowerQuartile.toFixed(2)}–${upperQuartile.toFixed(2)})`;
}

function formatMemory(memory: PeakMemory | null): string {
  if (memory === null) return 'only measured on Linux';
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  if (memory.children.length === 0) return megabytes(memory.main);
  return `${megabytes(memory.main)}, rollout processes ${memory.children.map(megabytes).join(' and ')}`;
}

function formatTiming({ seconds, fastest }: Timing): string {
  return `${milliseconds(seconds)}, fastest ${milliseconds(fastest)}`;
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toFixed(1)} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

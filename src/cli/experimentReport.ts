/** The Markdown of an experiment. */
import {
  accuracyAtCalls,
  formatShare,
  meanOverRun,
  pairedDifference,
  spreadOf,
} from '#training/experimentStatistics';
import type { ExperimentRun } from '#training/experimentStatistics';
import { precedingKinds } from '#training/precedingEntropy';
import type { EntropySum, PrecedingKind } from '#training/precedingEntropy';

/** Tables of accuracy and cost by condition, of paired differences, and of entropies. */
export function formatReport(
  runs: readonly ExperimentRun[],
  entropies: ReadonlyMap<PrecedingKind, EntropySum>,
): string {
  const conditions = [...new Set(runs.map(({ condition }) => condition))];
  const byCondition = conditions.map((name) => ({
    name,
    runs: runs.filter(({ condition }) => condition === name),
  }));
  return [
    accuracyTable(byCondition),
    costTable(byCondition),
    differenceTable(byCondition),
    entropyTable(entropies),
  ].join('\n\n');
}

interface Condition {
  readonly name: string;
  readonly runs: readonly ExperimentRun[];
}

/** Call counts at which accuracies are compared: quarters of what the cheapest condition paid. */
function callMarks(conditions: readonly Condition[]): number[] {
  const least = Math.min(...conditions.flatMap(({ runs }) => runs.map(({ paidCalls }) => paidCalls)));
  return [0.25, 0.5, 0.75, 1].map((share) => Math.floor((share * least) / 100) * 100);
}

function accuracyTable(conditions: readonly Condition[]): string {
  const marks = callMarks(conditions);
  const header = [
    'Held-out accuracy, % (mean ± deviation over seeds)',
    'before',
    'mean over the run',
    ...marks.map((calls) => `at ${calls.toLocaleString('en-US')} calls`),
    'at the end, sampled',
    'at the end, greedy',
  ];
  const rows = conditions.map(({ name, runs }) => [
    name,
    formatShare(spreadOf(runs.map(({ curve }) => curve[0].sampled))),
    formatShare(spreadOf(runs.map(({ curve }) => meanOverRun(curve)))),
    ...marks.map((calls) =>
      formatShare(spreadOf(runs.map(({ curve }) => accuracyAtCalls(curve, calls) ?? 0))),
    ),
    formatShare(spreadOf(runs.map(({ curve }) => curve[curve.length - 1].sampled))),
    formatShare(spreadOf(runs.map(({ curve }) => curve[curve.length - 1].greedy))),
  ]);
  return markdownTable(header, rows);
}

function costTable(conditions: readonly Condition[]): string {
  const header = [
    'Cost of a whole run (means)',
    'calls paid',
    'calls inherited',
    'paid / all',
    'branches',
    'tokens sampled',
  ];
  const rows = conditions.map(({ name, runs }) => {
    const mean = (valueOf: (run: ExperimentRun) => number): number => spreadOf(runs.map(valueOf)).mean;
    const paid = mean((run) => run.paidCalls);
    const inherited = mean((run) => run.inheritedCalls);
    const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
    return [
      name,
      whole(paid),
      whole(inherited),
      (paid / (paid + inherited)).toFixed(3),
      whole(mean((run) => run.branches)),
      whole(mean((run) => run.generatedTokens)),
    ];
  });
  return markdownTable(header, rows);
}

/** Pairs share tasks, initial weights and evaluation tasks, so their differences are steadier. */
function differenceTable(conditions: readonly Condition[]): string {
  const marks = callMarks(conditions);
  const [first, ...others] = conditions;
  const pairs: (readonly [Condition, Condition])[] = others.map((other) => [other, first]);
  const random = conditions.find(({ name }) => name.startsWith('random'));
  if (random !== undefined) {
    for (const other of others)
      if (other !== random && other.name.startsWith('ARPO')) pairs.push([other, random]);
  }
  const header = [
    'Difference, points (mean ± standard error of pairs by seed)',
    'mean over the run',
    ...marks.map((calls) => `at ${calls.toLocaleString('en-US')} calls`),
    'at the end, sampled',
  ];
  const rows = pairs.map(([left, right]) => [
    `${left.name} − ${right.name}`,
    difference(left, right, ({ curve }) => meanOverRun(curve)),
    ...marks.map((calls) => difference(left, right, ({ curve }) => accuracyAtCalls(curve, calls))),
    difference(left, right, ({ curve }) => curve[curve.length - 1].sampled),
  ]);
  return markdownTable(header, rows);
}

function difference(
  left: Condition,
  right: Condition,
  valueOf: (run: ExperimentRun) => number | null,
): string {
  const spread = pairedDifference(left.runs, right.runs, valueOf);
  if (spread === null) return '–';
  const error = (100 * spread.deviation) / Math.sqrt(spread.count);
  const mean = 100 * spread.mean;
  return `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(1)} ± ${error.toFixed(1)}`;
}

function entropyTable(entropies: ReadonlyMap<PrecedingKind, EntropySum>): string {
  const kinds = precedingKinds.filter((kind) => entropies.has(kind));
  const cells = kinds.map((kind) => {
    const { sum, count } = entropies.get(kind) ?? { sum: 0, count: 1 };
    return { mean: (sum / count).toFixed(3), count: count.toLocaleString('en-US') };
  });
  return markdownTable(
    [
      'Plan word, cold-start policy',
      ...kinds.map((kind) => (kind === 'tags' ? 'all tags' : `after ${kind}`)),
    ],
    [
      ['mean entropy, nats', ...cells.map(({ mean }) => mean)],
      ['tokens', ...cells.map(({ count }) => count)],
    ],
  );
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

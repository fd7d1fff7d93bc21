import type { Accuracy, TrainingProgress, TrainingSummary } from '#training/trainingProgress';

/** The live line of a run: where it stands, in the order in which people look. */
export function formatProgress(progress: TrainingProgress): string {
  const { toolCalls } = progress;
  const parts = [
    `update ${String(progress.update).padStart(String(progress.updates).length)}/${progress.updates}`,
    progress.reward === null ? null : `reward ${formatSigned(progress.reward)}`,
    progress.heldOut === null ? null : `held-out ${formatAccuracy(progress.heldOut)}`,
    `calls ${formatCount(toolCalls.paid)} paid / ${formatCount(toolCalls.inherited)} inherited`,
    `branches ${formatCount(progress.branches)}`,
    progress.tokensPerSecond === null ? null : `${formatCount(Math.round(progress.tokensPerSecond))} tok/s`,
    progress.secondsLeft === null ? null : `${formatDuration(progress.secondsLeft)} left`,
    phaseNote(progress),
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

/** The last lines of a run for people. */
export function formatSummary(
  summary: TrainingSummary,
  run: { readonly folder: string; readonly engine: string },
): string {
  const { before, after } = summary.heldOut;
  const { paid, inherited } = summary.toolCalls;
  const independent = paid + inherited;
  const share = independent === 0 ? 1 : paid / independent;
  const { rollout, update, evaluation, total } = summary.seconds;
  const other = Math.max(0, total - rollout - update - evaluation);
  return [
    `Held-out accuracy   sampled ${formatPercent(before.sampled)} -> ${formatPercent(after.sampled)}, ` +
      `greedy ${formatPercent(before.greedy)} -> ${formatPercent(after.greedy)}`,
    `Tool calls          ${formatCount(paid)} paid; independent sampling of the same trajectories: ` +
      `${formatCount(independent)} (ratio ${share.toFixed(2)})`,
    `Branches            ${formatCount(summary.branches)}`,
    `Tokens sampled      ${formatCount(summary.generatedTokens)}`,
    `Time                ${total.toFixed(1)} s: rollout ${rollout.toFixed(1)}, update ${update.toFixed(1)}, ` +
      `evaluation ${evaluation.toFixed(1)}, other ${other.toFixed(1)}`,
    `Engine              ${run.engine}`,
    `Run                 ${run.folder}`,
  ].join('\n');
}

/** `sampled 87.0 % greedy 99.3 %`, leaving out what was not measured. */
export function formatAccuracy({ sampled, greedy }: Accuracy): string {
  const parts = [
    sampled === null ? null : `sampled ${formatPercent(sampled)}`,
    greedy === null ? null : `greedy ${formatPercent(greedy)}`,
  ];
  return parts.filter((part) => part !== null).join(' ');
}

function phaseNote({ phase }: TrainingProgress): string | null {
  switch (phase) {
    case 'evaluation':
      return 'evaluating';
    case 'checkpoint':
      return 'saving';
    case 'rollout':
    case 'update':
      return null;
  }
}

function formatPercent(share: number | null): string {
  return share === null ? 'not measured' : `${(100 * share).toFixed(1)} %`;
}

function formatSigned(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

function formatDuration(seconds: number): string {
  const rounded = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(rounded / 60);
  return minutes === 0 ? `${rounded} s` : `${minutes} min ${rounded % 60} s`;
}

/** The words that lists and notifications use for runs, updates and groups. */
import * as vscode from 'vscode';
import type { CatalogStatus, GroupEntry, RunEntry, UpdateEntry } from '#extension/runCatalog';

/** `+0.42`, with a real minus sign. */
export function formatReward(reward: number): string {
  return `${reward < 0 ? '−' : '+'}${Math.abs(reward).toFixed(2)}`;
}

export function statusText(status: CatalogStatus): string {
  switch (status) {
    case 'created':
      return vscode.l10n.t('created');
    case 'running':
      return vscode.l10n.t('training');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'stopped':
      return vscode.l10n.t('stopped');
    case 'finished':
      return vscode.l10n.t('finished');
    case 'failed':
      return vscode.l10n.t('failed');
    case 'interrupted':
      return vscode.l10n.t('interrupted');
  }
}

/** What stands behind the name of a run. */
export function runDescription({ status, completedUpdates, accuracy, manifest }: RunEntry): string {
  const parts = [
    statusText(status),
    `${completedUpdates}/${manifest.config.updates}`,
    accuracy === null ? null : vscode.l10n.t('{0} % right', (100 * accuracy).toFixed(1)),
    startTime(manifest.createdAt),
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

/** `23 Nov, 02:07`, in local time. */
function startTime(createdAt: string): string {
  const format = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
  return new Intl.DateTimeFormat(vscode.env.language, format).format(new Date(createdAt));
}

/** What stands behind the number of an update. */
export function updateDescription({ groups }: UpdateEntry): string {
  const scored = groups.flatMap(({ scored }) => (scored === null ? [] : [scored]));
  if (scored.length === 0) return vscode.l10n.t('sampling…');
  const rewards = scored.flatMap((group) => group.rewards.map(({ total }) => total));
  const branches = scored.reduce((sum, { ledger }) => sum + ledger.branches, 0);
  const flat = scored.filter(({ isZeroVariance }) => isZeroVariance).length;
  const parts = [
    vscode.l10n.t('reward {0}', formatReward(mean(rewards))),
    branchesText(branches),
    flat === 0 ? null : vscode.l10n.t('{0} without variance', flat),
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

/** What stands behind the prompt of a group: its rewards and its branches. */
export function groupDescription({ scored }: GroupEntry): string {
  if (scored === null) return vscode.l10n.t('sampling…');
  const branches = branchesText(scored.ledger.branches);
  return `${rewardSpread(scored.rewards.map(({ total }) => total))} · ${branches}`;
}

/** `−1.00 … +1.00, mean +0.25`, or the one value that all have. */
export function rewardSpread(rewards: readonly number[]): string {
  if (rewards.length === 0) return vscode.l10n.t('no rewards');
  const [lowest, highest] = [Math.min(...rewards), Math.max(...rewards)];
  if (lowest === highest) return vscode.l10n.t('all {0}', formatReward(lowest));
  const average = vscode.l10n.t('mean {0}', formatReward(mean(rewards)));
  return `${formatReward(lowest)} … ${formatReward(highest)}, ${average}`;
}

function branchesText(count: number): string {
  return count === 1 ? vscode.l10n.t('1 branch') : vscode.l10n.t('{0} branches', count);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

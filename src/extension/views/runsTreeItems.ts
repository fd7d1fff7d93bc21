/** How the rows of the view *Runs* look. */
import * as vscode from 'vscode';
import type { CommandId } from '#extension/contributions';
import type { CatalogStatus, GroupEntry, RunEntry, UnreadableRun, UpdateEntry } from '#extension/runCatalog';
import { isResumable } from '#extension/runCatalog';
import { groupDescription, rewardSpread, runDescription, updateDescription } from '#extension/runTexts';

const { Collapsed, None } = vscode.TreeItemCollapsibleState;

/** @param live Whether the run trains in this window, or waits there. */
export function runItem(entry: RunEntry, live: 'live' | 'paused' | null): vscode.TreeItem {
  const item = new vscode.TreeItem(entry.manifest.name, Collapsed);
  item.id = entry.folder;
  item.description = runDescription(entry);
  item.tooltip = `${entry.manifest.id}\n${item.description}\n${entry.folder}`;
  item.iconPath = new vscode.ThemeIcon(statusIcon(entry.status));
  item.contextValue = `run.${live ?? (isResumable(entry) ? 'resumable' : 'ended')}`;
  item.accessibilityInformation = { label: `${entry.manifest.id}, ${item.description}` };
  return item;
}

/** A folder that looks like a run; its problem is in the tooltip. */
export function unreadableItem({ folder, problem }: UnreadableRun): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.Uri.file(folder), None);
  item.id = folder;
  item.description = vscode.l10n.t('cannot be read');
  item.tooltip = problem;
  item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  item.contextValue = 'run.unreadable';
  return item;
}

export function updateItem(entry: UpdateEntry): vscode.TreeItem {
  const label = vscode.l10n.t('Update {0}', entry.update);
  const item = new vscode.TreeItem(label, Collapsed);
  item.id = `${entry.folder}#${entry.update}`;
  item.description = updateDescription(entry);
  item.iconPath = new vscode.ThemeIcon('git-commit');
  item.contextValue = 'update';
  item.tooltip = `${label}: ${item.description}`;
  return item;
}

/** Unfolds to the updates before `below`. */
export function olderItem(folder: string, below: number): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Earlier than update {0}', below), Collapsed);
  item.id = `${folder}#before${below}`;
  item.iconPath = new vscode.ThemeIcon('history');
  return item;
}

/** Opens the group's tree when chosen. */
export function groupItem(entry: GroupEntry): vscode.TreeItem {
  const { folder, started, scored } = entry;
  const item = new vscode.TreeItem(visible(started.prompt), None);
  item.id = `${folder}#${started.update}/${started.group}`;
  item.description = groupDescription(entry);
  item.tooltip = groupTooltip(entry);
  const isFlat = scored?.isZeroVariance === true;
  item.iconPath = new vscode.ThemeIcon(isFlat ? 'dash' : scored === null ? 'loading' : 'type-hierarchy-sub');
  item.contextValue = 'group';
  const command: CommandId = 'arpo.openRolloutTree';
  const title = vscode.l10n.t('Open Rollout Tree');
  item.command = { command, title, arguments: [{ kind: 'group', entry }] };
  return item;
}

function groupTooltip({ started, scored }: GroupEntry): string {
  const lines = [
    visible(started.prompt),
    vscode.l10n.t('Expected answer: {0}', visible(started.gold)),
    scored === null
      ? null
      : vscode.l10n.t('Rewards: {0}', rewardSpread(scored.rewards.map(({ total }) => total))),
    scored?.isZeroVariance === true
      ? vscode.l10n.t('Zero variance: all rewards are equal, so this group teaches nothing.')
      : null,
    scored === null
      ? null
      : vscode.l10n.t(
          '{0} trajectories, {1} from the prompt, {2} branches, {3} top-ups',
          scored.ledger.trajectories,
          scored.ledger.initialTrajectories,
          scored.ledger.branches,
          scored.ledger.topUps,
        ),
  ];
  return lines.filter((line) => line !== null).join('\n');
}

/** Prompts may be long and hold anything: control and direction characters are shown as a mark. */
function visible(text: string): string {
  return text
    .slice(0, 300)
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim();
}

function statusIcon(status: CatalogStatus): string {
  switch (status) {
    case 'created':
    case 'running':
      return 'pulse';
    case 'paused':
      return 'debug-pause';
    case 'stopped':
      return 'debug-stop';
    case 'finished':
      return 'pass';
    case 'failed':
      return 'error';
    case 'interrupted':
      return 'debug-disconnect';
  }
}

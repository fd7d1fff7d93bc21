import * as vscode from 'vscode';
import { formatReward } from '#extension/runTexts';
import type { TrainingRun } from '#extension/trainingRun';
import type { CommandId } from '#extension/contributions';
import type { WorkerProgress } from '#protocol/workerProtocol';

/** The entry of the status bar: where the run that trains stands, quietly, for hours. */
export class TrainingStatus {
  #item: vscode.StatusBarItem | null = null;

  /** Shows the run as it stands now. */
  show(run: TrainingRun): void {
    this.#item ??= createItem();
    this.#item.text = `${icon(run)} ARPO ${shortText(run)}`;
    this.#item.tooltip = tooltip(run);
    this.#item.accessibilityInformation = { label: `ARPO: ${shortText(run)}` };
    this.#item.show();
  }

  hide(): void {
    this.#item?.hide();
  }

  dispose(): void {
    this.#item?.dispose();
  }
}

function createItem(): vscode.StatusBarItem {
  const item = vscode.window.createStatusBarItem('arpo.training', vscode.StatusBarAlignment.Left, 0);
  const command: CommandId = 'arpo.openRolloutTree';
  item.name = vscode.l10n.t('ARPO Training');
  item.command = command;
  return item;
}

function icon({ state }: TrainingRun): string {
  return state === 'paused' ? '$(debug-pause)' : '$(pulse)';
}

function shortText({ state, progress }: TrainingRun): string {
  const place =
    progress === null
      ? vscode.l10n.t('training')
      : vscode.l10n.t('update {0}/{1}', progress.update, progress.updates);
  switch (state) {
    case 'pausing':
      return vscode.l10n.t('{0}, pausing after the next one', place);
    case 'paused':
      return vscode.l10n.t('{0}, paused', place);
    case 'stopping':
    case 'ended':
      return vscode.l10n.t('stopping');
    case 'running':
      return [place, phaseText(progress), rewardText(progress)].filter((part) => part !== '').join(' · ');
  }
}

function phaseText(progress: WorkerProgress | null): string {
  return progress?.phase === 'evaluation' ? vscode.l10n.t('evaluating') : '';
}

function rewardText(progress: WorkerProgress | null): string {
  const reward = progress?.reward ?? null;
  return reward === null ? '' : vscode.l10n.t('reward {0}', formatReward(reward));
}

function tooltip({ name, progress }: TrainingRun): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendText(`${name}\n\n`);
  if (progress === null) return text;
  const { toolCalls, branches, tokensPerSecond, secondsLeft, heldOut } = progress;
  const accuracy = heldOut?.greedy ?? heldOut?.sampled ?? null;
  const lines = [
    accuracy === null ? null : vscode.l10n.t('{0} % right on held-out tasks', (100 * accuracy).toFixed(1)),
    vscode.l10n.t('{0} tool calls paid, {1} inherited', toolCalls.paid, toolCalls.inherited),
    vscode.l10n.t('{0} branches', branches),
    tokensPerSecond === null ? null : vscode.l10n.t('{0} tokens per second', Math.round(tokensPerSecond)),
    secondsLeft === null ? null : vscode.l10n.t('about {0} s left', Math.round(secondsLeft)),
  ];
  for (const line of lines) if (line !== null) text.appendText(`${line}\n\n`);
  return text;
}

/** The parts of the details pane. Texts of models and tools only ever become text nodes. */
import type { DetailReward, NodeDetail, TreeNode } from '#protocol/treeViewProtocol';
import type { BranchDecision } from '#arpo/branchDecision';
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import type { Child } from '../shared/dom';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import { decisionRows, decisionSentence, number } from './decisionText';
import { createTokenStrip } from './tokenStrip';
import type { GroupModel } from './treeState';
import { rewardSummary } from './rewardSummary';

/** Characters of a long text that are added at a time. */
const textPage = 20_000;

/** A heading and what belongs to it. */
export function section(title: string, ...children: readonly Child[]): HTMLElement {
  return element('section', {}, element('h3', {}, title), ...children);
}

/** Names and values in two columns; rows without a value are left out. */
export function table(rows: readonly (readonly [string, string | null])[]): HTMLElement {
  const cells = rows.flatMap(([name, value]) =>
    value === null ? [] : [element('dt', {}, name), element('dd', {}, value)],
  );
  return element('dl', { className: 'table' }, ...cells);
}

/** Text of any length, shown page by page, as text. */
export function longText(content: string, className = 'long-text'): HTMLElement {
  const shown = element('pre', { className, attributes: { tabindex: '0', dir: 'ltr' } });
  const more = element('div', { className: 'more' });
  let position = 0;
  const addPage = (): void => {
    shown.append(visibleText(content.slice(position, position + textPage), 'lines'));
    position = Math.min(content.length, position + textPage);
    const left = content.length - position;
    const label = text('showMore', Math.min(textPage, left), left);
    more.replaceChildren(...(left > 0 ? [createButton({ label, onPress: addPage })] : []));
  };
  addPage();
  return element('div', {}, shown, more);
}

/** The text exactly as it was, folded away: the segments above already show what matters of it. */
export function rawText(content: string): HTMLElement {
  return element('details', {}, element('summary', {}, text('rawText')), longText(content));
}

/** What the card shows, before (or without) the whole text. */
export function segmentList({ segments }: TreeNode): HTMLElement {
  const blocks = segments.map(({ kind, text: content, fullLength }) =>
    element(
      'div',
      { className: `segment segment-${kind}` },
      element('span', { className: 'segment-kind' }, kind),
      element(
        'span',
        { className: 'segment-text' },
        visibleText(content, 'lines') + (fullLength > content.length ? '…' : ''),
      ),
    ),
  );
  return element('div', { className: 'segments' }, ...blocks);
}

export function tokenSection({ text: content, tokens }: NodeDetail): HTMLElement {
  const strip =
    tokens === null
      ? element('p', { className: 'muted' }, text('tokensAbsent'))
      : createTokenStrip({ text: content, tokens });
  return section(text('tokensHeading'), strip);
}

export function toolSection(call: NonNullable<NodeDetail['toolCall']>): HTMLElement {
  const notes = [
    `${number(call.latencyMs, call.latencyMs < 10 ? 2 : 0)} ms`,
    call.isCached ? text('toolCached') : null,
    call.attempts > 1 ? text('toolAttempts', call.attempts) : null,
  ];
  return section(
    text('toolHeading'),
    table([
      [text('toolName'), call.tool],
      [text('toolLatency'), notes.filter((note) => note !== null).join(', ')],
      [text('toolFailure'), call.failure === null ? null : `⚠ ${visibleText(call.failure, 'oneLine')}`],
    ]),
    element('h4', {}, text('toolInput')),
    longText(call.input, 'long-text small'),
    element('h4', {}, text('toolOutput')),
    longText(call.output, 'long-text small'),
  );
}

export function decisionsSection(decisions: readonly BranchDecision[]): HTMLElement {
  const items = decisions.map((decision) =>
    element(
      'div',
      { className: `decision ${decision.isTaken ? 'taken' : 'refused'}` },
      element('p', {}, `${decision.isTaken ? '◆' : '◇'} ${decisionSentence(decision)}`),
      table(decisionRows(decision)),
    ),
  );
  const empty = element('p', { className: 'muted' }, text('decisionsNone'));
  return section(text('decisionsHeading'), ...(items.length > 0 ? items : [empty]));
}

export function rewardSection(reward: DetailReward, gold: string): HTMLElement {
  const parts = Object.entries(reward.parts).map(([name, value]) => `${name} ${number(value, 2)}`);
  return section(
    text('rewardHeading'),
    element(
      'p',
      { className: reward.isCorrect ? 'right' : 'wrong' },
      `${reward.isCorrect ? '✓' : '✗'} ${number(reward.total, 2)} · ${visibleText(reward.reason, 'oneLine')}`,
    ),
    table([
      [text('answer'), reward.answer === null ? text('noAnswer') : visibleText(reward.answer, 'oneLine')],
      [text('gold'), visibleText(gold, 'oneLine')],
      ['=', parts.length > 1 ? parts.join(' + ') : null],
    ]),
  );
}

/** Every reward as a dot on a line from the lowest to the highest; equal ones are stacked. */
export function rewardsSection(group: GroupModel): HTMLElement {
  const summary = rewardSummary(group);
  if (summary === null)
    return section(text('rewardsHeading'), element('p', { className: 'muted' }, text('rewardsPending')));
  const counts = new Map<number, number>();
  for (const reward of summary.rewards) counts.set(reward, (counts.get(reward) ?? 0) + 1);
  const largest = Math.max(...counts.values());
  const bars = [...counts]
    .sort(([a], [b]) => b - a)
    .slice(0, 12)
    .flatMap(([reward, count]) => [
      element('dt', {}, number(reward, 2)),
      element('dd', {}, rewardBar(count / largest), `${count}`),
    ]);
  return section(
    text('rewardsHeading'),
    element('p', {}, summary.text),
    element('dl', { className: 'table bars' }, ...bars),
    group.header.isZeroVariance ? element('p', { className: 'wrong' }, `⊘ ${text('zeroVariance')}`) : null,
  );
}

function rewardBar(share: number): HTMLElement {
  const bar = element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } });
  bar.style.width = `${Math.max(2, share * 110)}px`;
  return bar;
}

export function ledgerSection({ header: { ledger } }: GroupModel): HTMLElement {
  if (ledger === null) {
    return section(text('ledgerHeading'), element('p', { className: 'muted' }, text('ledgerPending')));
  }
  const tokens = ledger.paidModelTokens + ledger.inheritedModelTokens;
  const calls = ledger.paidCalls + ledger.inheritedCalls;
  const share = (part: number, all: number): string =>
    all === 0 ? '0 %' : `${Math.round((100 * part) / all)} %`;
  const saved = [share(ledger.inheritedCalls, calls), share(ledger.inheritedModelTokens, tokens)];
  return section(
    text('ledgerHeading'),
    table([
      [text('ledgerKept'), String(ledger.trajectories)],
      [text('ledgerInitial'), String(ledger.initialTrajectories)],
      [text('ledgerBranches'), String(ledger.branches)],
      [text('ledgerTopUps'), String(ledger.topUps)],
      [text('ledgerCallsPaid'), String(ledger.paidCalls)],
      [text('ledgerCallsInherited'), String(ledger.inheritedCalls)],
      [text('ledgerTokensPaid'), String(ledger.paidModelTokens)],
      [text('ledgerTokensInherited'), String(ledger.inheritedModelTokens)],
    ]),
    element('p', {}, text('ledgerSaved', ...saved)),
  );
}

/** The details pane: everything about the selected step, the whole text fetched on demand. */
import type { NodeAction, NodeDetail, NodeReference, TreeNode } from '#protocol/treeViewProtocol';
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import { text } from '../shared/strings';
import { visibleText } from '../shared/visibleText';
import {
  decisionsSection,
  ledgerSection,
  longText,
  rawText,
  rewardSection,
  rewardsSection,
  section,
  segmentList,
  table,
  tokenSection,
  toolSection,
} from './detailSections';
import { colourings, valueLabel, valueOf } from './nodeAppearance';
import { describeOrigin } from './nodeText';
import type { GroupModel } from './treeState';
import { decisionsAt, slotsThrough, trajectoryOf } from './treeState';

/** Details kept after they were looked at. */
const maximalKept = 24;

/** A detail, and whether its group had been scored (so that it may have a reward) when it was asked for. */
interface KeptDetail {
  readonly detail: NodeDetail;
  readonly isScored: boolean;
}

export interface DetailsOptions {
  readonly container: HTMLElement;
  readonly fetchDetail: (reference: NodeReference) => Promise<NodeDetail>;
  readonly onAction: (reference: NodeReference, actionId: string) => void;
}

/** See the module comment. */
export class DetailsPane {
  actions: readonly NodeAction[] = [];
  readonly #options: DetailsOptions;
  readonly #kept = new Map<string, KeptDetail>();
  #shown = '';

  constructor(options: DetailsOptions) {
    this.#options = options;
  }

  /** Forgets fetched details, because the trees were replaced. */
  clear(): void {
    this.#kept.clear();
    this.#shown = '';
  }

  /** Shows a node, or what to do when none is selected. Nothing happens when it is shown already. */
  show(group: GroupModel | undefined, nodeId: number): void {
    const key = group === undefined ? '-' : `${group.header.groupId} ${nodeId} ${group.version}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const { container } = this.#options;
    const node = group?.nodes[nodeId];
    if (group === undefined || node === undefined) {
      container.replaceChildren(
        element('h2', {}, text('noNodeTitle')),
        element('p', { className: 'muted' }, text('noNode')),
      );
      return;
    }
    container.scrollTop = 0;
    if (node.id === 0) container.replaceChildren(...promptParts(group));
    else this.#showStep(group, node, key);
  }

  #showStep(group: GroupModel, node: TreeNode, key: string): void {
    const body = element('div', {});
    this.#options.container.replaceChildren(...this.#headParts(group, node), body, ledgerSection(group));
    const reference = { groupId: group.header.groupId, nodeId: node.id };
    const name = `${reference.groupId} ${node.id}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.isScored === (group.scores !== null)) {
      body.replaceChildren(...detailParts(group, node, kept.detail));
      return;
    }
    body.replaceChildren(
      section(
        text('textHeading'),
        segmentList(node),
        element('p', { className: 'muted' }, text('loadingDetail')),
      ),
      decisionsSection(decisionsAt(group, node.id)),
    );
    this.#options.fetchDetail(reference).then(
      (detail) => {
        this.#keep(name, { detail, isScored: group.scores !== null });
        if (this.#shown === key) body.replaceChildren(...detailParts(group, node, detail));
      },
      (error: unknown) => {
        if (this.#shown !== key) return;
        const message = error instanceof Error ? error.message : String(error);
        body.replaceChildren(
          section(
            text('textHeading'),
            segmentList(node),
            element('p', { className: 'wrong' }, text('detailFailed', message)),
          ),
          decisionsSection(decisionsAt(group, node.id)),
        );
      },
    );
  }

  #headParts(group: GroupModel, node: TreeNode): HTMLElement[] {
    const reference = { groupId: group.header.groupId, nodeId: node.id };
    const trajectory = trajectoryOf(group, node.id);
    const slots = slotsThrough(group, node.id);
    const sharing =
      slots.length > 1
        ? text('inheritedBy', slots.length, slots.join(', '))
        : text('onlySlot', slots[0] ?? node.slot);
    const origin = trajectory === null ? '' : ` · ${describeOrigin(group, trajectory)}`;
    const buttons = this.actions.map(({ id, title }) =>
      createButton({ label: title, onPress: () => this.#options.onAction(reference, id) }),
    );
    return [
      element('h2', {}, `${text('step', node.depth)} · ${text('slot', trajectory?.slot ?? node.slot)}`),
      element('p', { className: 'muted' }, sharing + origin),
      table(valueRows(group, node)),
      element(
        'div',
        { className: 'actions', attributes: { role: 'group', 'aria-label': text('actions') } },
        ...buttons,
      ),
    ];
  }

  #keep(name: string, detail: KeptDetail): void {
    this.#kept.delete(name);
    this.#kept.set(name, detail);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maximalKept && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function valueRows(group: GroupModel, node: TreeNode): (readonly [string, string | null])[] {
  const values = colourings
    .filter(({ value }) => value !== 'tool' && value !== 'depth')
    .map(({ value, label }): readonly [string, string] => {
      const amount = valueOf(group, node, value);
      const unit = value === 'entropy' && amount !== null ? ` ${text('nats')}` : '';
      return [text(label), amount === null ? '–' : valueLabel(amount, value) + unit];
    });
  return [
    ...values,
    [text('modelTokens'), String(node.modelTokens)],
    [text('stopReason'), node.stopReason === null ? null : text(`stop_${node.stopReason}`)],
  ];
}

function detailParts(group: GroupModel, node: TreeNode, detail: NodeDetail): HTMLElement[] {
  const { reward, toolCall } = detail;
  const isClipped = node.segments.some(({ text: shown, fullLength }) => shown.length < fullLength);
  return [
    section(text('textHeading'), segmentList(node), isClipped ? longText(detail.text) : rawText(detail.text)),
    ...(reward === null ? [] : [rewardSection(reward, group.header.gold)]),
    decisionsSection(decisionsAt(group, node.id)),
    tokenSection(detail),
    ...(toolCall === null ? [] : [toolSection(toolCall)]),
  ];
}

function promptParts(group: GroupModel): HTMLElement[] {
  const { header } = group;
  return [
    element('h2', {}, visibleText(`#${header.update} ${header.taskId}`, 'oneLine')),
    section(text('prompt'), longText(header.prompt)),
    table([[text('gold'), visibleText(header.gold, 'oneLine')]]),
    rewardsSection(group),
    ledgerSection(group),
  ];
}

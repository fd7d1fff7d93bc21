/** The row of controls above the tree, and the filter below it. */
import { createButton, createChoice, createTextField } from '../shared/controls';
import type { Choice, Field } from '../shared/controls';
import { element } from '../shared/dom';
import type { IconName } from '../shared/icons';
import { text } from '../shared/strings';
import type { Filter, OutcomeFilter, RuleFilter } from './filter';
import { conditionsOf, noFilter } from './filter';
import type { Command } from './keyboard';
import type { LayoutKind } from './layout';
import type { ColourBy } from './nodeAppearance';
import { colourings } from './nodeAppearance';
import type { ViewState } from './viewState';

export interface ToolbarOptions {
  readonly view: ViewState;
  readonly onColourBy: (colourBy: ColourBy) => void;
  readonly onLayout: (layout: LayoutKind) => void;
  readonly onQuery: (query: string) => void;
  readonly onFilter: (filter: Filter) => void;
  readonly onCommand: (command: Command) => void;
}

/** What the toolbar shows beside its controls. */
export interface ToolbarStatus {
  readonly view: ViewState;
  /** Position of the selection among the matches, from 1; 0 when it is none of them. */
  readonly matchPosition: number;
  readonly matchCount: number;
  readonly keptCount: number | null;
  readonly nodeCount: number;
  readonly tools: readonly string[];
  readonly depths: number;
  readonly runState: string;
}

/** See the module comment. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly filterPanel: HTMLElement;
  readonly #options: ToolbarOptions;
  readonly #colour: Choice<ColourBy>;
  readonly #search: Field;
  readonly #count = element('span', { className: 'count', attributes: { role: 'status' } });
  readonly #status = element('span', { className: 'run-state' });
  readonly #filterButton: HTMLElement;
  readonly #filterFields = element('div', { className: 'filter-fields' });
  readonly #filterCount = element('span', { className: 'count', attributes: { role: 'status' } });
  #filter: Filter;
  #known = '';

  constructor(options: ToolbarOptions) {
    this.#options = options;
    this.#filter = options.view.filter;
    this.#colour = createChoice({
      label: text('colourBy'),
      options: colourings.map(({ value, label }) => ({ value, label: text(label) })),
      value: options.view.colourBy,
      onChange: (value) => options.onColourBy(value),
    });
    const layout = createChoice<LayoutKind>({
      label: text('layout'),
      options: [
        { value: 'lanes', label: text('layoutLanes') },
        { value: 'tidy', label: text('layoutTidy') },
      ],
      value: options.view.layout,
      onChange: (value) => options.onLayout(value),
    });
    this.#search = this.#createSearch();
    this.#filterButton = createButton({ label: text('filter'), onPress: () => this.toggleFilter() });
    this.filterPanel = this.#createFilterPanel();
    this.element = element(
      'header',
      { className: 'toolbar', attributes: { role: 'toolbar', 'aria-label': text('toolbarLabel') } },
      element('label', { className: 'labelled' }, text('colourBy'), this.#colour.element),
      layout.element,
      element('span', { className: 'search' }, this.#search.element, this.#count),
      this.#commandButton('searchPrevious', { kind: 'match', step: -1 }),
      this.#commandButton('searchNext', { kind: 'match', step: 1 }),
      this.#filterButton,
      element('span', { className: 'spring' }),
      this.#status,
      this.#commandButton('zoomOut', { kind: 'zoom', factor: 0.8 }),
      this.#commandButton('zoomIn', { kind: 'zoom', factor: 1.25 }),
      this.#commandButton('fit', { kind: 'simple', name: 'fit' }),
      this.#commandButton('foldAll', { kind: 'simple', name: 'foldAll' }),
      this.#commandButton('unfoldAll', { kind: 'simple', name: 'unfoldAll' }),
      this.#commandButton('details', { kind: 'simple', name: 'details' }),
      this.#commandButton('help', { kind: 'simple', name: 'help' }),
    );
  }

  focusSearch(): void {
    this.#search.focus();
  }

  toggleFilter(): void {
    this.filterPanel.hidden = !this.filterPanel.hidden;
    this.#filterButton.setAttribute('aria-expanded', String(!this.filterPanel.hidden));
  }

  update(status: ToolbarStatus): void {
    const { view, matchCount, matchPosition, keptCount, nodeCount } = status;
    this.#colour.setValue(view.colourBy);
    this.#filter = view.filter;
    const found = matchCount === 0 ? text('searchNone') : text('searchCount', matchPosition, matchCount);
    this.#count.textContent = view.query.trim() === '' ? '' : found;
    this.#status.textContent = status.runState;
    const conditions = conditionsOf(view.filter);
    this.#filterButton.textContent = conditions === 0 ? text('filter') : text('filterActive', conditions);
    this.#filterCount.textContent = keptCount === null ? '' : text('filterMatches', keptCount, nodeCount);
    const known = JSON.stringify([status.tools, status.depths, view.filter]);
    if (known === this.#known) return;
    this.#known = known;
    this.#fillFilter(status);
  }

  #createSearch(): Field {
    const search = createTextField({
      label: text('search'),
      placeholder: text('searchPlaceholder'),
      value: this.#options.view.query,
      onInput: (query) => this.#options.onQuery(query),
    });
    search.element.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#options.onCommand({ kind: 'match', step: event.shiftKey ? -1 : 1 });
      if (event.key === 'Escape') this.#options.onCommand({ kind: 'simple', name: 'escape' });
    });
    return search;
  }

  #commandButton(name: IconName, command: Command): HTMLElement {
    const onPress = (): void => this.#options.onCommand(command);
    return createButton({ label: text(name), icon: name, appearance: 'icon', onPress });
  }

  #createFilterPanel(): HTMLElement {
    const clear = createButton({
      label: text('filterClear'),
      onPress: () => this.#options.onFilter(noFilter),
    });
    const panel = element(
      'div',
      { className: 'filter-panel', attributes: { role: 'group', 'aria-label': text('filter') } },
      this.#filterFields,
      clear,
      this.#filterCount,
    );
    panel.hidden = conditionsOf(this.#filter) === 0;
    return panel;
  }

  #fillFilter({ tools, depths }: ToolbarStatus): void {
    const any = { value: '*', label: text('filterAny') };
    const { outcome, tool, depth, rule } = this.#filter;
    const change = (part: Partial<Filter>): void => this.#options.onFilter({ ...this.#filter, ...part });
    const field = (label: string, choice: Choice<string>): HTMLElement =>
      element('label', { className: 'labelled' }, label, choice.element);
    const list = (
      label: string,
      options: { value: string; label: string }[],
      value: string,
      onChange: (value: string) => void,
    ) => field(label, createChoice({ label, options, value, onChange }));
    this.#filterFields.replaceChildren(
      list(text('filterReward'), outcomes(), outcome, (value) => change({ outcome: asOutcome(value) })),
      list(
        text('filterTool'),
        [
          any,
          ...tools.map((name) => ({ value: `=${name}`, label: name })),
          { value: '=', label: text('filterNoTool') },
        ],
        tool === null ? '*' : `=${tool}`,
        (value) => change({ tool: value === '*' ? null : value.slice(1) }),
      ),
      list(
        text('filterDepth'),
        [
          any,
          ...Array.from({ length: depths }, (_unused, at) => ({
            value: String(at + 1),
            label: text('filterDepthAt', at + 1),
          })),
        ],
        depth === null ? '*' : String(depth),
        (value) => change({ depth: value === '*' ? null : Number(value) }),
      ),
      list(text('filterRule'), rules(), rule, (value) => change({ rule: asRule(value) })),
    );
  }
}

function outcomes(): { value: OutcomeFilter; label: string }[] {
  return [
    { value: 'any', label: text('filterAny') },
    { value: 'right', label: text('filterRight') },
    { value: 'wrong', label: text('filterWrong') },
    { value: 'negative', label: text('filterNegative') },
  ];
}

function rules(): { value: RuleFilter; label: string }[] {
  return [
    { value: 'any', label: text('filterAny') },
    { value: 'taken', label: text('filterTaken') },
    { value: 'refused', label: text('filterRefused') },
    { value: 'exhausted', label: text('filterExhausted') },
  ];
}

function asOutcome(value: string): OutcomeFilter {
  return outcomes().find((option) => option.value === value)?.value ?? 'any';
}

function asRule(value: string): RuleFilter {
  return rules().find((option) => option.value === value)?.value ?? 'any';
}

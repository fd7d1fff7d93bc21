/** One chart with its title, values, buttons and table. */
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import type { Theme } from '../shared/theme';
import type { ChartDefinition } from './chartCatalogue';
import type { ChartModel, Domain } from './chartModel';
import { nearestIndex } from './chartModel';
import { ChartPlot } from './chartPlot';
import { createChartTable } from './chartTable';
import { sentenceAt } from './chartValues';
import type { Command } from './keyboard';
import { commandFor } from './keyboard';
import { text } from './metricsText';
import { Readout } from './readout';

/** What happens in a chart. */
export interface CardPorts {
  readonly onPoint: (x: number | null) => void;
  readonly onZoom: (domain: Domain | null) => void;
  readonly onCommand: (command: Command) => void;
}

/** What a card shows. */
export interface CardContents {
  readonly model: ChartModel;
  readonly theme: Theme;
  readonly crosshair: number | null;
  readonly isTable: boolean;
}

/** See the module comment. */
export class ChartCard {
  readonly definition: ChartDefinition;
  readonly element: HTMLElement;
  readonly #ports: CardPorts;
  readonly #place = element('span', { className: 'place' });
  readonly #readout = new Readout(this.#place);
  readonly #plotBox: HTMLElement;
  readonly #tableBox = element('div', { className: 'table-box' });
  readonly #nothing = element('p', { className: 'nothing' }, text('noValues'));
  readonly #tableButton: HTMLElement;
  readonly #plot: ChartPlot;
  #contents: CardContents | null = null;

  constructor(definition: ChartDefinition, ports: CardPorts) {
    this.definition = definition;
    this.#ports = ports;
    const title = text(definition.title);
    this.#plotBox = element('div', {
      className: 'plot',
      attributes: { tabindex: '0', role: 'slider', 'aria-label': title, 'aria-valuemin': '0' },
    });
    this.#plotBox.addEventListener('keydown', (event) => this.#onKey(event));
    this.#plot = new ChartPlot(this.#plotBox, ports);
    this.#tableButton = this.#button('table', 'Table', 'table');
    this.element = element(
      'section',
      {
        className: definition.isProminent ? 'card prominent' : 'card',
        attributes: { 'aria-label': title, 'data-chart': definition.id },
      },
      element(
        'header',
        {},
        element('h2', {}, title, unitOf(definition)),
        this.#place,
        element(
          'span',
          { className: 'card-buttons' },
          this.#tableButton,
          this.#button('exportSvg', 'SVG', 'exportSvg'),
          this.#button('exportCsv', 'CSV', 'exportCsv'),
        ),
      ),
      this.#readout.element,
      element('div', { className: 'chart-area' }, this.#plotBox, this.#nothing, this.#tableBox),
    );
  }

  focus(): void {
    this.#plotBox.focus();
  }

  /** Whether the keyboard is in this card. */
  get hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }

  show(contents: CardContents): void {
    this.#contents = contents;
    const { model, theme, isTable } = contents;
    const isEmpty = model.lines.length === 0;
    this.#plotBox.hidden = isTable || isEmpty;
    this.#nothing.hidden = !isEmpty;
    this.#tableBox.hidden = !isTable || isEmpty;
    this.#tableButton.setAttribute('aria-pressed', String(isTable));
    if (isTable) this.#tableBox.replaceChildren(createChartTable(model));
    else this.#tableBox.replaceChildren();
    // First, because they leave the plot the room that it fills.
    this.#readout.show(model, contents.crosshair, theme);
    if (!isTable && !isEmpty) this.#plot.show(model, theme);
    this.showCrosshair(contents.crosshair);
  }

  /** Only the crosshair moved. */
  showCrosshair(crosshair: number | null): void {
    if (this.#contents === null) return;
    this.#contents = { ...this.#contents, crosshair };
    const { model, theme } = this.#contents;
    this.#readout.show(model, crosshair, theme);
    this.#plot.moveCrosshair(crosshair);
    const index = crosshair === null ? model.xs.length - 1 : nearestIndex(model.xs, crosshair);
    this.#plotBox.setAttribute('aria-valuemax', String(Math.max(0, model.xs.length - 1)));
    this.#plotBox.setAttribute('aria-valuenow', String(Math.max(0, index)));
    this.#plotBox.setAttribute('aria-valuetext', sentenceAt(model, crosshair));
  }

  #onKey(event: KeyboardEvent): void {
    const command = commandFor(event);
    if (command === null) return;
    event.preventDefault();
    this.#ports.onCommand(command);
  }

  #button(label: 'table' | 'exportSvg' | 'exportCsv', caption: string, command: Command): HTMLElement {
    return createButton({
      label:
        label === 'table'
          ? text('table', text(this.definition.title))
          : text(label, text(this.definition.title)),
      caption,
      appearance: 'icon',
      onPress: () => this.#ports.onCommand(command),
    });
  }
}

function unitOf({ unit }: ChartDefinition): HTMLElement | null {
  const name = text(`unit_${unit}`);
  return name === '' ? null : element('span', { className: 'unit' }, name);
}

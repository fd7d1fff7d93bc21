/** The row above the charts: the axis, the runs, and what can be done with all charts. */
import type { AxisName, MetricRun } from '#protocol/metricsViewProtocol';
import { axisNames } from '#protocol/metricsViewProtocol';
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import type { Theme } from '../shared/theme';
import { linePalette, lineStyleOf } from './lineStyle';
import { text } from './metricsText';
import { runNames } from './runNames';
import { createSwatch } from './swatch';

export interface ToolbarPorts {
  readonly onAxis: (axis: AxisName) => void;
  readonly onToggleRun: (runId: string) => void;
  readonly onChooseRuns: () => void;
  readonly onExport: (format: 'svg' | 'csv') => void;
  readonly onResetZoom: () => void;
  readonly onHelp: () => void;
}

export interface ToolbarContents {
  readonly axis: AxisName;
  readonly runs: readonly MetricRun[];
  readonly hidden: ReadonlySet<string>;
  readonly isZoomed: boolean;
  readonly theme: Theme;
}

/** See the module comment. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #ports: ToolbarPorts;
  readonly #radios = new Map<AxisName, HTMLInputElement>();
  readonly #runs = element('div', {
    className: 'runs',
    attributes: { role: 'group', 'aria-label': text('runs') },
  });
  readonly #resetZoom: HTMLElement;
  #shownRuns = '';

  constructor(ports: ToolbarPorts) {
    this.#ports = ports;
    this.#resetZoom = createButton({ label: text('resetZoom'), onPress: ports.onResetZoom });
    this.#resetZoom.hidden = true;
    this.element = element(
      'header',
      { className: 'toolbar' },
      this.#createAxis(),
      this.#runs,
      element(
        'span',
        { className: 'toolbar-actions' },
        this.#resetZoom,
        createButton({ label: text('chooseRuns'), onPress: ports.onChooseRuns }),
        createButton({
          label: text('exportAllSvg'),
          caption: text('exportSvgShort'),
          onPress: () => ports.onExport('svg'),
        }),
        createButton({
          label: text('exportAllCsv'),
          caption: text('exportCsvShort'),
          onPress: () => ports.onExport('csv'),
        }),
        createButton({ label: text('help'), icon: 'help', appearance: 'icon', onPress: ports.onHelp }),
      ),
    );
  }

  show(contents: ToolbarContents): void {
    const radio = this.#radios.get(contents.axis);
    if (radio !== undefined) radio.checked = true;
    this.#resetZoom.hidden = !contents.isZoomed;
    this.#showRuns(contents);
  }

  #createAxis(): HTMLElement {
    const choices = axisNames.map((axis) => {
      const radio = element('input', { attributes: { type: 'radio', name: 'axis', value: axis } });
      radio.addEventListener('change', () => this.#ports.onAxis(axis));
      this.#radios.set(axis, radio);
      return element('label', { className: 'segment' }, radio, element('span', {}, text(`axis_${axis}`)));
    });
    return element('fieldset', { className: 'segments' }, element('legend', {}, text('axis')), ...choices);
  }

  /** Rebuilt only when something about the runs changed, so that the focus stays where it is. */
  #showRuns({ runs, hidden, theme }: ToolbarContents): void {
    const shown = JSON.stringify([
      runs.map(({ runId, title, state }) => [runId, title, state]),
      [...hidden],
      theme,
    ]);
    if (shown === this.#shownRuns) return;
    this.#shownRuns = shown;
    const focused = [...this.#runs.children].indexOf(document.activeElement ?? this.#runs);
    const palette = linePalette(theme.background);
    const names = runNames(runs);
    this.#runs.replaceChildren(
      ...runs.map((run, index) => {
        const style = lineStyleOf({ line: 0, run: index, runs: runs.length });
        const swatch =
          runs.length === 1 ? null : createSwatch(style, palette[style.colour] ?? theme.foreground, 'line');
        const look = { isHidden: hidden.has(run.runId), name: names[index] ?? run.title, swatch };
        return this.#runButton(run, look);
      }),
    );
    const again = this.#runs.children[focused];
    if (again instanceof HTMLElement) again.focus();
  }

  #runButton(run: MetricRun, { isHidden, name, swatch }: RunLook): HTMLElement {
    const button = element(
      'button',
      {
        className: 'run',
        attributes: {
          'aria-pressed': String(!isHidden),
          title: text(isHidden ? 'showRun' : 'hideRun', run.title),
        },
      },
      swatch,
      element('span', { className: 'run-title' }, name),
      element('span', { className: `run-state state-${run.state}` }, text(run.state)),
    );
    button.addEventListener('click', () => this.#ports.onToggleRun(run.runId));
    return button;
  }
}

interface RunLook {
  readonly isHidden: boolean;
  readonly name: string;
  readonly swatch: SVGElement | null;
}

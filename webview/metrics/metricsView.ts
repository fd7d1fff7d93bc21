/** Joins the runs with the page: what happens on input, and what is redrawn when. */
import type { AxisName, ExportedFile, MetricsPatch, MetricsSnapshot } from '#protocol/metricsViewProtocol';
import { axisNames, rowCount } from '#protocol/metricsViewProtocol';
import { createButton } from '../shared/controls';
import { element } from '../shared/dom';
import { onThemeChange, readTheme } from '../shared/theme';
import { ChartCard } from './chartCard';
import type { ChartDefinition } from './chartCatalogue';
import { charts } from './chartCatalogue';
import type { ChartContext } from './chartModel';
import { axisDomain, chartModel, nearestIndex, positionsOf } from './chartModel';
import { csvOf } from './csv';
import { createHelpSheet } from './helpSheet';
import type { Action, Command } from './keyboard';
import { crosshairAfter, isMovement } from './keyboard';
import { setTranslations, text } from './metricsText';
import { MetricsState } from './metricsState';
import { svgOf, svgOfAll } from './svgChart';
import { Toolbar } from './toolbar';
import type { ViewState } from './viewState';
import { zoomAround } from './zoom';

/** What the view needs of the outside. */
export interface MetricsViewPorts {
  readonly stored: ViewState;
  readonly save: (view: ViewState) => void;
  readonly requestSnapshot: () => void;
  readonly requestRuns: () => void;
  readonly saveFile: (file: ExportedFile) => Promise<{ readonly isSaved: boolean }>;
}

/** See the module comment. */
export class MetricsView {
  readonly element = element('main', {
    className: 'view',
    attributes: { 'aria-label': text('viewLabel') },
  });
  readonly #ports: MetricsViewPorts;
  readonly #state = new MetricsState();
  readonly #toolbar: Toolbar;
  readonly #cards: readonly ChartCard[];
  readonly #grid = element('div', { className: 'charts' });
  readonly #message = element('div', { className: 'message' });
  readonly #announcer = element('div', { className: 'announcer', attributes: { role: 'status' } });
  readonly #help = createHelpSheet();
  #view: ViewState;
  #theme = readTheme();
  #crosshair: number | null = null;
  #isScheduled = false;
  #hasScrolled = false;

  constructor(ports: MetricsViewPorts) {
    this.#ports = ports;
    this.#view = ports.stored;
    this.#toolbar = new Toolbar({
      onAxis: (axis) => this.#setAxis(axis),
      onToggleRun: (runId) => this.#toggleRun(runId),
      onChooseRuns: ports.requestRuns,
      onExport: (format) => this.#exportAll(format),
      onResetZoom: () => this.#change({ zoom: null }),
      onHelp: () => this.#help.showModal(),
    });
    this.#cards = charts.map((definition) => {
      const card: ChartCard = new ChartCard(definition, {
        onPoint: (x) => this.#moveCrosshair(x),
        onZoom: (zoom) => this.#change({ zoom }),
        onCommand: (command) => this.#run(command, card),
      });
      return card;
    });
    this.#grid.append(...this.#cards.map((card) => card.element));
    this.#grid.hidden = true;
    this.element.append(this.#toolbar.element, this.#grid, this.#message, this.#announcer, this.#help);
    this.#showMessage(text('loading'));
    onThemeChange(() => {
      this.#theme = readTheme();
      this.#schedule();
    });
    this.#grid.addEventListener('scroll', () => this.#rememberScroll(), { passive: true });
  }

  /** Starts from a snapshot. */
  show(snapshot: MetricsSnapshot): void {
    setTranslations(snapshot.strings);
    this.#state.replace(snapshot);
    this.#schedule();
  }

  /** Grows the charts; asks for a snapshot when a patch is missing. @throws RangeError when it does not fit. */
  patch(patch: MetricsPatch): void {
    const outcome = this.#state.apply(patch);
    if (outcome === 'gap') this.#ports.requestSnapshot();
    if (outcome === 'applied') this.#schedule();
  }

  /** Says what went wrong and offers to try again. */
  fail(message: string): void {
    const retry = createButton({ label: text('errorRetry'), onPress: () => this.#ports.requestSnapshot() });
    this.#grid.hidden = true;
    this.#showMessage(text('errorTitle'), message, retry);
  }

  #context(): ChartContext {
    const { hidden, axis, zoom } = this.#view;
    return { runs: this.#state.runs, hidden: new Set(hidden), axis, zoom };
  }

  #change(part: Partial<ViewState>): void {
    this.#view = { ...this.#view, ...part };
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    const context = this.#context();
    const { runs } = context;
    this.#view = { ...this.#view, runs: runs.map(({ runId }) => runId) };
    this.#ports.save(this.#view);
    this.#toolbar.show({
      ...context,
      isZoomed: context.zoom !== null,
      theme: this.#theme,
    });
    const hasCharts = this.#showStateMessage(context);
    this.#grid.hidden = !hasCharts;
    if (!hasCharts) return;
    for (const card of this.#cards) {
      card.show({
        model: chartModel(card.definition, context),
        theme: this.#theme,
        crosshair: this.#crosshair,
        isTable: this.#view.tables.includes(card.definition.id),
      });
    }
    this.#restoreScroll();
    this.element.setAttribute('data-rows', String(runs.reduce((sum, { table }) => sum + rowCount(table), 0)));
  }

  /** @returns Whether there is anything to plot. */
  #showStateMessage({ runs, hidden }: ChartContext): boolean {
    const withRows = runs.filter(({ table }) => rowCount(table) > 0);
    const isComing = runs.some(({ state }) => ['starting', 'running', 'paused'].includes(state));
    if (runs.length === 0) this.#showMessage(text('emptyTitle'), text('emptyBody'));
    else if (withRows.length === 0)
      this.#showMessage(text('waitingTitle'), text(isComing ? 'waitingBody' : 'endedBody'));
    else if (runs.every(({ runId }) => hidden.has(runId)))
      this.#showMessage(text('hiddenTitle'), text('hiddenBody'));
    else this.#message.hidden = true;
    return this.#message.hidden === true;
  }

  #showMessage(title: string, body = '', button: HTMLElement | null = null): void {
    this.#message.hidden = false;
    this.#message.replaceChildren(element('h2', {}, title), element('p', {}, body), button ?? '');
  }

  #moveCrosshair(x: number | null): void {
    if (x === this.#crosshair) return;
    this.#crosshair = x;
    for (const card of this.#cards) card.showCrosshair(x);
  }

  /** Positions mean something else on another axis, so crosshair and zoom are dropped. */
  #setAxis(axis: AxisName): void {
    this.#crosshair = null;
    this.#change({ axis, zoom: null });
  }

  #toggleRun(runId: string): void {
    const { hidden } = this.#view;
    this.#change({
      hidden: hidden.includes(runId) ? hidden.filter((other) => other !== runId) : [...hidden, runId],
    });
  }

  #run(command: Command, card: ChartCard): void {
    if (!isMovement(command)) return this.#actions[command](card);
    const xs = positionsOf(this.#context());
    const index = this.#crosshair === null ? -1 : nearestIndex(xs, this.#crosshair);
    const next = crosshairAfter(command, { count: xs.length, index });
    if (next !== null) this.#stepTo(xs[next] ?? null);
  }

  readonly #actions: Readonly<Record<Action, (card: ChartCard) => void>> = {
    zoomIn: () => this.#zoom(0.5),
    zoomOut: () => this.#zoom(2),
    resetZoom: () => this.#change({ zoom: null }),
    table: ({ definition }) => this.#toggleTable(definition.id),
    exportSvg: ({ definition }) => this.#exportSvg(definition),
    exportCsv: ({ definition }) => this.#exportCsv(definition),
    nextChart: (card) => this.#focusCard(card, 1),
    previousChart: (card) => this.#focusCard(card, -1),
    nextAxis: () => this.#setAxis(axisAfter(this.#view.axis)),
    escape: () => this.#moveCrosshair(null),
    help: () => this.#help.showModal(),
  };

  /** By the keyboard: the zoomed part follows the crosshair. */
  #stepTo(x: number | null): void {
    const { zoom } = this.#view;
    if (x !== null && zoom !== null && (x < zoom[0] || x > zoom[1])) {
      const half = (zoom[1] - zoom[0]) / 2;
      this.#change({ zoom: [x - half, x + half] });
    }
    this.#moveCrosshair(x);
  }

  #zoom(factor: number): void {
    const context = this.#context();
    const whole = axisDomain({ ...context, zoom: null });
    this.#change({ zoom: zoomAround(axisDomain(context), { factor, centre: this.#crosshair, whole }) });
  }

  #toggleTable(id: string): void {
    const { tables } = this.#view;
    this.#change({ tables: tables.includes(id) ? tables.filter((other) => other !== id) : [...tables, id] });
  }

  #focusCard(card: ChartCard, step: 1 | -1): void {
    const cards = this.#cards;
    cards[(cards.indexOf(card) + step + cards.length) % cards.length]?.focus();
  }

  #exportAll(format: 'svg' | 'csv'): void {
    const context = this.#context();
    const models = charts.map((definition) => chartModel(definition, context));
    const contents =
      format === 'svg'
        ? svgOfAll(models)
        : csvOf(
            this.#visibleRuns(),
            charts.flatMap(({ metrics }) => metrics),
          );
    this.#export({ name: `arpo-metrics.${format}`, format, text: contents });
  }

  #exportSvg(definition: ChartDefinition): void {
    const contents = svgOf(chartModel(definition, this.#context()));
    this.#export({ name: `arpo-${definition.id}.svg`, format: 'svg', text: contents });
  }

  #exportCsv({ id, metrics }: ChartDefinition): void {
    const contents = csvOf(this.#visibleRuns(), metrics);
    this.#export({ name: `arpo-${id}.csv`, format: 'csv', text: contents });
  }

  #visibleRuns(): ChartContext['runs'] {
    const { runs, hidden } = this.#context();
    return runs.filter(({ runId }) => !hidden.has(runId));
  }

  #export(file: ExportedFile): void {
    this.#ports.saveFile(file).then(
      ({ isSaved }) => {
        if (isSaved) this.#announcer.textContent = text('saved', file.name);
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#announcer.textContent = text('notSaved', file.name, reason);
      },
    );
  }

  #rememberScroll(): void {
    this.#view = { ...this.#view, scrollTop: this.#grid.scrollTop };
    this.#ports.save(this.#view);
  }

  #restoreScroll(): void {
    if (this.#hasScrolled) return;
    this.#hasScrolled = true;
    this.#grid.scrollTop = this.#view.scrollTop;
  }
}

function axisAfter(axis: AxisName): AxisName {
  return axisNames[(axisNames.indexOf(axis) + 1) % axisNames.length] ?? 'updates';
}

/** Joins the model of the view with the page: what happens on input, and what is redrawn when. */
import type { NodeDetail, NodeReference, TreePatch, TreeSnapshot } from '#protocol/treeViewProtocol';
import { createButton } from '../shared/controls';
import { element, fitCanvas } from '../shared/dom';
import { setTranslations, text } from '../shared/strings';
import { onThemeChange, readTheme } from '../shared/theme';
import { updateAccessibleTree } from './accessibleTree';
import { Announcer } from './announcer';
import { DetailsPane } from './details';
import { marksOf } from './drawMarks';
import { createHelpSheet } from './helpSheet';
import type { Command, SimpleCommand } from './keyboard';
import { commandFor } from './keyboard';
import { updateLegend } from './legend';
import { Minimap } from './minimap';
import { matchAfter, nodeTowards } from './navigation';
import { nextColouring } from './nodeAppearance';
import type { PointerTarget } from './pointer';
import { listenToPointer } from './pointer';
import { drawScene } from './render';
import { Scheduler } from './scheduler';
import type { Stage } from './stage';
import { createStage } from './stage';
import { updateTokenHeat } from './tokenHeat';
import { Toolbar } from './toolbar';
import { decisionNote, hideNote, showNote } from './tooltip';
import { ViewModel } from './viewModel';
import type { ViewState } from './viewState';

/** What the view needs of the outside. */
export interface TreeViewPorts {
  readonly stored: ViewState;
  readonly save: (view: ViewState) => void;
  readonly requestSnapshot: () => void;
  readonly fetchDetail: (reference: NodeReference) => Promise<NodeDetail>;
  readonly findText: (query: string) => Promise<readonly NodeReference[]>;
  readonly onSelect: (reference: NodeReference | null) => void;
  readonly onAction: (reference: NodeReference, actionId: string) => void;
}

/** How long new steps are marked, ms. */
const freshForMs = 1_500;

/** See the module comment. */
export class TreeView {
  readonly #ports: TreeViewPorts;
  readonly #model: ViewModel;
  readonly #page: Stage = createStage();
  readonly #toolbar: Toolbar;
  readonly #details: DetailsPane;
  readonly #minimap: Minimap;
  readonly #help = createHelpSheet();
  readonly #announcer: Announcer;
  readonly #scheduler: Scheduler;
  #snapshot: TreeSnapshot | null = null;
  #freshTimer: number | undefined;

  constructor(ports: TreeViewPorts) {
    this.#ports = ports;
    this.#model = new ViewModel(ports.stored, readTheme());
    this.#announcer = new Announcer(this.#page.announcer);
    this.#scheduler = new Scheduler({
      frame: () => this.#drawFrame(),
      contents: () => this.#drawContents(),
      save: () => ports.save(this.#model.view),
    });
    this.#toolbar = new Toolbar({
      view: ports.stored,
      onColourBy: (colourBy) => this.#change(() => this.#model.setColourBy(colourBy)),
      onLayout: (layout) => this.#change(() => this.#model.setLayout(layout)),
      onFilter: (filter) => this.#change(() => this.#model.setFilter(filter)),
      onQuery: (query) => this.#search(query),
      onCommand: (command) => this.#run(command),
    });
    this.#details = new DetailsPane({
      container: this.#page.details,
      fetchDetail: ports.fetchDetail,
      onAction: ports.onAction,
    });
    this.#minimap = new Minimap((x, y) => this.#move(() => this.#model.centreOn(x, y)));
    this.#page.stage.append(this.#minimap.element);
    this.#page.root.prepend(this.#toolbar.element, this.#toolbar.filterPanel);
    this.#page.root.append(this.#help);
    this.#showMessage(text('loading'));
    this.#listen();
  }

  get element(): HTMLElement {
    return this.#page.root;
  }

  /** Starts from a snapshot. @throws RangeError when its trees are not whole. */
  show(snapshot: TreeSnapshot): void {
    setTranslations(snapshot.strings);
    this.#snapshot = snapshot;
    this.#details.clear();
    this.#details.actions = snapshot.actions;
    this.#change(() => this.#model.replace(snapshot));
  }

  /** Grows the trees; asks for a snapshot when a patch is missing. */
  patch(patch: TreePatch): void {
    const before = this.#model.state.nodeCount;
    const outcome = this.#model.apply(patch);
    if (outcome === 'gap') this.#ports.requestSnapshot();
    if (outcome !== 'applied') return;
    this.#announcer.countSteps(this.#model.state.nodeCount - before);
    clearTimeout(this.#freshTimer);
    this.#freshTimer = window.setTimeout(() => {
      this.#model.freshFrom.clear();
      this.#scheduler.requestFrame();
    }, freshForMs);
    this.#scheduler.requestContents();
  }

  /** Selects a node and brings it into sight. */
  reveal(reference: NodeReference): void {
    this.#select(reference, 'host');
  }

  /** Says what went wrong and offers to try again. */
  fail(message: string): void {
    const retry = createButton({ label: text('errorRetry'), onPress: () => this.#ports.requestSnapshot() });
    this.#showMessage(text('errorTitle'), message, retry);
  }

  #listen(): void {
    const { stage, tree, details } = this.#page;
    new ResizeObserver(() => this.#resize()).observe(stage);
    onThemeChange(() => this.#change(() => this.#model.setTheme(readTheme())));
    tree.addEventListener('keydown', (event) => this.#onKey(event));
    tree.addEventListener('focus', () => {
      if (this.#model.view.selected === null) this.#run({ kind: 'move', direction: 'prompt' });
    });
    details.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') tree.focus();
    });
    listenToPointer({
      stage: tree,
      scene: () => this.#model.scene,
      onPan: (x, y) => this.#move(() => this.#model.pan(x, y)),
      onZoom: (factor, point) => this.#move(() => this.#model.zoom(factor, point)),
      onSelect: (reference) => this.#select(reference, 'pointer'),
      onFold: (reference) => this.#change(() => this.#model.toggleFold(reference)),
      onHover: (target, point) => this.#hover(target, point),
    });
  }

  #onKey(event: KeyboardEvent): void {
    const command = commandFor(event);
    if (command === null) return;
    event.preventDefault();
    this.#run(command);
  }

  #run(command: Command): void {
    const { selected } = this.#model.view;
    switch (command.kind) {
      case 'move':
        if (command.direction === 'child') this.#unfold(selected);
        return this.#select(nodeTowards(this.#model.forest, selected, command.direction), 'keyboard');
      case 'match':
        return this.#select(matchAfter(this.#model.matches, selected, command.step), 'keyboard');
      case 'pan':
        return this.#move(() => this.#model.pan(command.x, command.y));
      case 'zoom':
        return this.#move(() => this.#model.zoom(command.factor));
      case 'simple':
        return this.#simple[command.name]();
    }
  }

  readonly #simple: Readonly<Record<SimpleCommand, () => void>> = {
    fit: () => this.#move(() => this.#model.fit()),
    actualSize: () => this.#withSelected((selected) => this.#model.showAtFullSize(selected)),
    fold: () => this.#withSelected((selected) => this.#model.toggleFold(selected)),
    foldAll: () => this.#change(() => this.#model.foldAll(true)),
    unfoldAll: () => this.#change(() => this.#model.foldAll(false)),
    search: () => this.#toolbar.focusSearch(),
    help: () => this.#help.showModal(),
    details: () => this.#change(() => this.#model.showDetails(!this.#model.view.showsDetails)),
    nextColour: () => this.#change(() => this.#model.setColourBy(nextColouring(this.#model.view.colourBy))),
    act: () => this.#act(),
    escape: () => this.#escape(),
  };

  #unfold(selected: NodeReference | null): void {
    if (selected !== null && this.#model.isFolded(selected)) this.#model.toggleFold(selected);
  }

  #withSelected(action: (selected: NodeReference) => void): void {
    const { selected } = this.#model.view;
    if (selected !== null) this.#change(() => action(selected));
  }

  #act(): void {
    const { selected } = this.#model.view;
    const action = this.#snapshot?.actions[0];
    if (selected === null) return;
    if (action !== undefined) this.#ports.onAction(selected, action.id);
    else this.#page.details.focus();
  }

  #escape(): void {
    hideNote(this.#page.note);
    this.#page.tree.focus();
  }

  #search(query: string): void {
    this.#change(() => this.#model.setQuery(query));
    if (query.trim() === '') return;
    this.#ports.findText(query).then(
      (matches) => {
        if (this.#model.view.query === query) this.#change(() => this.#model.setHostMatches(matches));
      },
      (error: unknown) => this.#announcer.say(error instanceof Error ? error.message : String(error)),
    );
  }

  #select(reference: NodeReference | null, by: 'pointer' | 'keyboard' | 'host'): void {
    if (reference === null && by !== 'pointer') return;
    this.#model.select(reference);
    if (reference !== null && by !== 'pointer') this.#model.reveal(reference);
    this.#ports.onSelect(this.#model.view.selected);
    this.#scheduler.requestContents();
    this.#showDecision(by === 'keyboard' ? reference : null);
  }

  /** For the keyboard: the note of the first decision at the selected node, as hovering would show it. */
  #showDecision(reference: NodeReference | null): void {
    const { scene } = this.#model;
    const group = this.#model.selectedGroup;
    const placed =
      reference === null || group === undefined ? null : scene.forest.place(group, reference.nodeId);
    const mark =
      placed === null ? undefined : marksOf(scene.forest, placed).find(({ kind }) => kind !== 'exhausted');
    if (mark === undefined) return hideNote(this.#page.note);
    const { x, y, scale } = scene.camera;
    showNote(
      this.#page.note,
      decisionNote(mark.decision),
      { x: mark.x * scale + x, y: mark.y * scale + y },
      scene.size,
    );
  }

  #hover({ node, mark }: PointerTarget, point: { readonly x: number; readonly y: number }): void {
    const { hovered } = this.#model;
    const isSame = hovered?.nodeId === node?.nodeId && hovered?.groupId === node?.groupId;
    this.#page.stage.classList.toggle('over', node !== null);
    if (mark === null) hideNote(this.#page.note);
    else showNote(this.#page.note, decisionNote(mark.decision), point, this.#model.scene.size);
    if (isSame) return;
    this.#model.hovered = node;
    this.#scheduler.requestFrame();
  }

  /** A change of the camera only. */
  #move(change: () => void): void {
    change();
    hideNote(this.#page.note);
    this.#scheduler.requestFrame();
  }

  /** A change of anything else. */
  #change(change: () => void): void {
    change();
    this.#scheduler.requestContents();
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#page.stage;
    this.#model.resize({ width, height });
    this.#drawFrame();
  }

  #drawFrame(): void {
    const { scene } = this.#model;
    drawScene(fitCanvas(this.#page.canvas, scene.size.width, scene.size.height), scene);
    this.#minimap.moveFrame(scene);
  }

  /** What does not change while panning and zooming. */
  #drawContents(): void {
    const { scene, view, state } = this.#model;
    this.#page.root.classList.toggle('without-details', !view.showsDetails || state.groups.length === 0);
    if (this.#snapshot !== null) this.#showStateMessage(this.#snapshot);
    updateLegend(this.#page.legend, scene);
    updateTokenHeat(scene.palette.sequential);
    this.#minimap.draw(scene);
    const title = this.#snapshot?.scope.title ?? '';
    updateAccessibleTree(this.#page.tree, {
      forest: scene.forest,
      selected: view.selected,
      colourBy: view.colourBy,
      title,
    });
    if (view.showsDetails) this.#details.show(this.#model.selectedGroup, view.selected?.nodeId ?? 0);
    this.#toolbar.update(this.#toolbarStatus());
    this.#page.stage.setAttribute('data-nodes', String(state.nodeCount));
  }

  #toolbarStatus(): Parameters<Toolbar['update']>[0] {
    const { view, matches, keptCount, state, scene } = this.#model;
    const position = matches.findIndex(
      ({ groupId, nodeId }) => groupId === view.selected?.groupId && nodeId === view.selected.nodeId,
    );
    const tools = new Set<string>();
    for (const { nodes } of state.groups)
      for (const { toolCall } of nodes) if (toolCall !== null) tools.add(toolCall.tool);
    return {
      view,
      matchPosition: position + 1,
      matchCount: matches.length,
      keptCount,
      nodeCount: state.nodeCount,
      tools: [...tools].sort(),
      depths: Math.max(0, ...scene.forest.trees.map(({ layout }) => layout.columns.length - 1)),
      runState: state.runState === 'running' ? `● ${text('live')}` : text(state.runState),
    };
  }

  #showStateMessage({ runState }: TreeSnapshot): void {
    const { state } = this.#model;
    if (state.groups.length > 0) {
      this.#page.message.hidden = true;
      return;
    }
    const isComing = [runState, state.runState].some((now) => now === 'running' || now === 'starting');
    this.#showMessage(text('emptyTitle'), text(isComing ? 'emptyRunning' : 'emptyIdle'));
  }

  #showMessage(title: string, body = '', button: HTMLElement | null = null): void {
    this.#page.message.hidden = false;
    this.#page.message.replaceChildren(element('h2', {}, title), element('p', {}, body), button ?? '');
  }
}

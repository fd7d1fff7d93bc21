// Measures the rollout-tree view on one generated tree in headless Chromium: the time between frames while
// panning and zooming (from Chromium's own trace), the time from a click to the drawn selection and detail,
// and the heap after growth. Prints one JSON object and fails when a target is missed.
//   node bench/ui.mjs [--nodes 20000] [--no-check]
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser, startHarness } from '../scripts/webviewHarness.mjs';

const argument = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const wantedNodes = argument('--nodes', 20_000);
const targets = { frameMedianMs: 16, clickMedianMs: 100, heapMb: 150, heapGrowthMb: 30 };
const stepsPerTrajectory = 4.75;

const folder = mkdtempSync(join(tmpdir(), 'arpo-bench-ui-'));
const harness = await startHarness();
const browser = await launchBrowser([
  '--enable-precise-memory-info',
  '--js-flags=--expose-gc',
  // Without these a frame never takes less than 16.7 ms, the period of the screen.
  '--disable-frame-rate-limit',
  '--disable-gpu-vsync',
]);
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 860 } });
  const trajectories = Math.round(wantedNodes / stepsPerTrajectory);
  const opened = performance.now();
  await page.goto(
    `${harness.url}/?groups=1&trajectories=${trajectories}&initial=${Math.round(trajectories * 0.75)}`,
  );
  await page.waitForSelector('.stage[data-nodes]');
  const firstPaintMs = performance.now() - opened;
  const nodes = Number(await page.locator('.stage').getAttribute('data-nodes'));
  await page.locator('[role=tree]').focus();
  // Into the thick of it: half-way down, three steps deep.
  for (const key of ['ArrowRight', ...Array(40).fill('ArrowDown'), 'ArrowRight', 'ArrowRight']) {
    await page.keyboard.press(key);
  }

  const scenes = {};
  for (const [name, prepare] of Object.entries({
    near: async () => page.keyboard.press('0'),
    middle: async () => zoomTo(page, 0.45),
    far: async () => zoomTo(page, 0.1),
    everything: async () => page.keyboard.press('f'),
  })) {
    await prepare();
    await page.waitForTimeout(200);
    scenes[name] = { pan: await measure(`${name}-pan`, pan), zoom: await measure(`${name}-zoom`, zoom) };
  }
  const click = await measureClicks(page);
  const heap = await measureHeap(page);
  const frames = Object.values(scenes).flatMap(({ pan: a, zoom: b }) => [a, b]);
  const result = {
    nodes,
    scriptKb: round(harness.scriptBytes / 1024),
    firstPaintMs: round(firstPaintMs),
    frameMedianMs: Math.max(...frames.map(({ frameMedianMs }) => frameMedianMs)),
    mainThreadMedianMs: Math.max(...frames.map(({ mainMedianMs }) => mainMedianMs)),
    scenes,
    click,
    heap,
  };
  console.log(JSON.stringify(result, null, 2));
  if (!process.argv.includes('--no-check')) check(result);

  /** Records a trace while the gesture runs and reads the frames out of it. */
  async function measure(name, gesture) {
    const path = join(folder, `${name}.json`);
    const categories = [
      'devtools.timeline',
      'disabled-by-default-devtools.timeline.frame',
      'cc',
      'benchmark',
    ];
    await browser.startTracing(page, { path, categories });
    const inputs = await gesture(page);
    await browser.stopTracing();
    return { inputs, ...readFrames(JSON.parse(readFileSync(path, 'utf8')).traceEvents) };
  }
} finally {
  await browser.close();
  await harness.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Drags back and forth, one move per frame, so that every frame has something to draw. */
async function pan(page) {
  await page.mouse.move(500, 450);
  await page.mouse.down();
  await drive(page, 90, (index) => ({
    type: 'pointermove',
    x: 500 + 220 * Math.sin(index / 9),
    y: 450 + 160 * Math.sin(index / 7),
  }));
  await page.mouse.up();
  return 90;
}

/** Turns the wheel in and out, one notch per frame. */
async function zoom(page) {
  await drive(page, 90, (index) => ({ type: 'wheel', x: 500, y: 450, deltaY: index % 60 < 30 ? -30 : 30 }));
  return 90;
}

/** Sends input events inside of the page at the start of each frame: no round trip to the driver. */
async function drive(page, count, at) {
  const events = Array.from({ length: count }, (_unused, index) => at(index));
  await page.evaluate(async (all) => {
    const tree = document.querySelector('[role=tree]');
    const box = tree.getBoundingClientRect();
    for (const { type, x, y, deltaY = 0 } of all) {
      await new Promise((next) => requestAnimationFrame(next));
      const where = {
        clientX: x + box.left,
        clientY: y,
        bubbles: true,
        cancelable: true,
        pointerId: 1,
        buttons: 1,
      };
      tree.dispatchEvent(
        type === 'wheel' ? new WheelEvent(type, { ...where, deltaY }) : new PointerEvent(type, where),
      );
    }
    await new Promise((next) => requestAnimationFrame(next));
  }, events);
}

/** Between presented frames (`DrawFrame`), and the work of the main thread in each animation frame. */
function readFrames(events) {
  const durations = events
    .filter(({ name, dur }) => name === 'FireAnimationFrame' && dur > 0)
    .map(({ dur }) => dur / 1000);
  const drawn = events
    .filter(({ name }) => name === 'DrawFrame')
    .map(({ ts }) => ts / 1000)
    .sort((a, b) => a - b);
  const intervals = drawn
    .slice(1)
    .map((time, index) => time - drawn[index])
    .filter((gap) => gap < 500);
  return {
    frames: drawn.length,
    frameMedianMs: round(median(intervals)),
    frame95Ms: round(quantile(intervals, 0.95)),
    mainMedianMs: round(median(durations)),
    main95Ms: round(quantile(durations, 0.95)),
  };
}

/** From the press of the button until the frame with selection, path and detail has been drawn. */
async function measureClicks(page) {
  await page.keyboard.press('Home');
  await page.keyboard.press('0');
  await page.waitForTimeout(200);
  const times = await page.evaluate(async () => {
    const tree = document.querySelector('[role=tree]');
    const box = tree.getBoundingClientRect();
    const found = [];
    for (let index = 0; index < 21; index += 1) {
      const column = 1 + (index % 2);
      const clientX = box.left + box.width / 2 + (column === 1 ? 284 : 0);
      const where = {
        clientX,
        clientY: box.top + box.height / 2,
        bubbles: true,
        pointerId: 1,
        button: 0,
        buttons: 1,
      };
      const before = document.querySelector('[role=treeitem][aria-selected=true]')?.id;
      const start = performance.now();
      for (const type of ['pointerdown', 'pointerup']) tree.dispatchEvent(new PointerEvent(type, where));
      while (
        document.querySelector('[role=treeitem][aria-selected=true]')?.id === before ||
        document.querySelector('.details h2') === null
      ) {
        await new Promise((next) => requestAnimationFrame(next));
      }
      const selected = performance.now() - start;
      while (index % 2 === 0 && document.querySelector('.token-strip') === null)
        await new Promise((next) => requestAnimationFrame(next));
      found.push({ selected, detailed: performance.now() - start });
    }
    return found;
  });
  return {
    selectedMedianMs: round(median(times.map(({ selected }) => selected))),
    clickMedianMs: round(median(times.map(({ detailed }) => detailed))),
    clickMaximumMs: round(Math.max(...times.map(({ detailed }) => detailed))),
  };
}

/** Heap after everything was drawn, and what 400 selections and 20 reloaded snapshots add to it. */
async function measureHeap(page) {
  const heapMb = () => page.evaluate(() => (globalThis.gc?.(), performance.memory.usedJSHeapSize / 1048576));
  const before = await heapMb();
  for (let index = 0; index < 400; index += 1) await page.keyboard.press(index % 40 < 20 ? 'ArrowDown' : 'b');
  for (let index = 0; index < 20; index += 1) {
    await page.evaluate(() => window.arpoHost.patch([], 1));
    await page.waitForTimeout(60);
  }
  await page.waitForTimeout(1_500);
  const after = await heapMb();
  return { heapMb: round(after), heapGrowthMb: round(after - before) };
}

async function zoomTo(page, scale) {
  await page.keyboard.press('0');
  for (let now = 1; now > scale; now *= 0.8) await page.keyboard.press('-');
}

function check({ frameMedianMs, click, heap }) {
  const measured = {
    frameMedianMs,
    ...click,
    ...heap,
  };
  const missed = Object.entries(targets).filter(([name, limit]) => !(measured[name] <= limit));
  for (const [name, limit] of missed)
    console.error(`${name}: expected at most ${limit}, measured ${measured[name]}`);
  if (missed.length > 0) process.exitCode = 1;
}

function median(values) {
  return quantile(values, 0.5);
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

/** The metrics view in a headless Chromium, under the strict policy of a webview and in the built-in themes. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExportedFile } from '#protocol/metricsViewProtocol';
import type { Harness } from '../../scripts/webviewHarness.mjs';
import { launchBrowser, startHarness } from '../../scripts/webviewHarness.mjs';
import type { MetricsHost } from './metricsHost';

declare const window: { readonly metricsHost: MetricsHost; readonly violations: string[] };
declare const document: {
  readonly activeElement: unknown;
  querySelectorAll(selector: string): Iterable<{
    readonly clientHeight: number;
    readonly clientWidth: number;
    readonly scrollHeight: number;
    querySelector(selector: string): { readonly clientHeight: number; readonly clientWidth: number } | null;
  }>;
};
declare const sessionStorage: { getItem(key: string): string | null };

const themes = ['dark', 'light', 'hc-dark', 'hc-light'] as const;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screenshots = new URL('../../out/screenshots/', import.meta.url).pathname;

let harness: Harness;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  const entries = { view: 'webview/metrics/main.ts', host: 'test/webview/metricsHost.ts' };
  [harness, browser] = await Promise.all([startHarness(entries), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await harness?.close();
});

/** A fresh page; its script errors fail the test that asks for them. */
async function open(query: string, width = 1400): Promise<Page & { readonly problems: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 860 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${harness.url}/?still=1&${query}`);
  await page.waitForSelector('.view[data-rows]');
  return Object.assign(page, { problems });
}

const plot = (page: Page, chart: string) => page.locator(`[data-chart=${chart}] .plot`);
const valueText = (page: Page, chart: string) => plot(page, chart).getAttribute('aria-valuetext');

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
  await settle(page);
}

/** What was asked for is drawn with the next frame. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

async function saved(page: Page): Promise<ExportedFile[]> {
  const log = await page.evaluate(() => window.metricsHost.log.filter(({ kind }) => kind === 'saveFile'));
  return log.map(({ value }) => value as ExportedFile);
}

test('the bundle stays within its budget', () => {
  expect(harness.scriptBytes).toBeLessThanOrEqual(175_000);
});

describe.each(themes)('in %s', (theme) => {
  test('nothing breaks the policy, axe finds nothing serious, and it looks as it should', async () => {
    const page = await open(`theme=${theme}&runs=2`);
    await plot(page, 'entropy').focus();
    await press(page, 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft');
    await page.screenshot({ path: `${screenshots}metrics-${theme}.png` });
    expect(await seriousFindings(page)).toEqual([]);
    await press(page, 't');
    expect(await seriousFindings(page)).toEqual([]);
    await plot(page, 'accuracy').focus();
    await press(page, '?');
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(page.problems).toEqual([]);
    await page.context().close();
  });
});

/** axe runs inside the page through the debugger, so the page's policy does not apply to it. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  );
  return (found as { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[])
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}

test('the arrow keys move one crosshair through all charts, which say their values', async () => {
  const page = await open('runs=1');
  await plot(page, 'reward').focus();
  expect(await valueText(page, 'reward')).toBe('latest: mean of trajectories 0.705');
  await press(page, 'End', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft');
  expect(await valueText(page, 'reward')).toBe('update 5: mean of trajectories 0.577');
  expect(await plot(page, 'reward').getAttribute('aria-valuenow')).toBe('5');
  expect(await valueText(page, 'toolCalls')).toBe('update 5: paid 449; independent 705');
  // Evaluated after updates 4 and 8 only.
  expect(await valueText(page, 'accuracy')).toContain('held-out, sampled 58.7 % (update 4)');
  expect(await page.locator('[data-chart=entropy] .readout').innerText()).toContain('0.048');
  await press(page, 'j', 'j');
  expect(await page.evaluate('document.activeElement.closest("[data-chart]").dataset.chart')).toBe('entropy');
  await press(page, 'Escape');
  expect(await valueText(page, 'reward')).toContain('latest');
  await page.context().close();
});

test('pointing at one chart moves the crosshair of all, to a recorded update', async () => {
  const page = await open('runs=1');
  const box = await page.locator('[data-chart=loss] .u-over').boundingBox();
  if (box === null) throw new Error('no plot');
  // The axis shows −0.16 … 8.16: three quarters are nearest to update 6.
  await page.mouse.move(box.x + box.width * 0.75, box.y + 20);
  await settle(page);
  expect(await valueText(page, 'gradientNorm')).toContain('update 6:');
  expect(await page.locator('[data-chart=branches] .place').innerText()).toBe('update 6');
  await page.mouse.move(2, 2);
  await settle(page);
  expect(await valueText(page, 'gradientNorm')).toContain('latest');
  await page.context().close();
});

test('dragging zooms all charts, and a double-click shows everything again', async () => {
  const page = await open('generated=1&rows=100');
  const reset = page.getByRole('button', { name: 'Reset Zoom' });
  expect(await reset.isVisible()).toBe(false);
  const box = await page.locator('[data-chart=reward] .u-over').boundingBox();
  if (box === null) throw new Error('no plot');
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await settle(page);
  expect(await reset.isVisible()).toBe(true);
  const zoom = await page.evaluate(() => JSON.parse(sessionStorage.getItem('state') ?? '{}').zoom);
  expect(zoom[0]).toBeGreaterThan(20);
  expect(zoom[1]).toBeLessThan(55);
  await page.mouse.dblclick(box.x + box.width * 0.7, box.y + 20);
  await settle(page);
  expect(await reset.isVisible()).toBe(false);
  await plot(page, 'reward').focus();
  await press(page, 'End', '+', '+', 'Home');
  expect(await valueText(page, 'reward')).toContain('update 1:');
  await press(page, '0');
  expect(await reset.isVisible()).toBe(false);
  await page.context().close();
});

test('the axis is one choice for all charts', async () => {
  const page = await open('runs=2');
  await page.getByRole('radio', { name: 'Tool calls' }).check();
  await plot(page, 'reward').focus();
  await press(page, 'End');
  expect(await valueText(page, 'reward')).toContain('8,601 tool calls:');
  await press(page, 'x', 'x', 'End');
  expect(await page.getByRole('radio', { name: 'Time' }).isChecked()).toBe(true);
  expect(await valueText(page, 'reward')).toContain('28 s:');
  await page.context().close();
});

test('runs are switched off and on, and all off says so', async () => {
  const page = await open('runs=2');
  const run = (index: number) => page.locator('.runs button').nth(index);
  await run(0).click();
  await settle(page);
  expect(await run(0).getAttribute('aria-pressed')).toBe('false');
  expect(await valueText(page, 'reward')).toBe('latest: mean of trajectories 0.937');
  await run(1).click();
  await expect.poll(() => page.locator('.message').innerText()).toContain('All runs are hidden');
  await run(0).focus();
  await press(page, 'Enter');
  expect(await valueText(page, 'reward')).toBe('latest: mean of trajectories 0.705');
  expect(await run(0).evaluate((button) => button === document.activeElement)).toBe(true);
  await page.getByRole('button', { name: 'Choose Runs…' }).click();
  await expect
    .poll(() => page.evaluate(() => window.metricsHost.log.map(({ kind }) => kind)))
    .toContain('runsRequested');
  await page.context().close();
});

test('new updates appear in place, and a gap asks for a snapshot', async () => {
  const page = await open('runs=1');
  const runId = await page.evaluate(() => window.metricsHost.runs[0]?.runId ?? '');
  const rows = () => page.locator('.view').getAttribute('data-rows');
  await page.evaluate((id) => window.metricsHost.cut(id, 3), runId);
  await expect.poll(rows).toBe('3');
  expect(await page.locator('.runs').innerText()).toContain('live');
  await plot(page, 'reward').focus();
  await press(page, 'Home', 'ArrowRight');
  expect(await valueText(page, 'reward')).toContain('update 1:');
  await page.evaluate((id) => window.metricsHost.grow(id), runId);
  await expect.poll(rows).toBe('4');
  expect(await valueText(page, 'reward')).toContain('update 1:');
  await press(page, 'End');
  expect(await valueText(page, 'reward')).toBe('update 3: mean of trajectories 0.482');
  await page.evaluate(() => window.metricsHost.patch([], 2));
  await expect
    .poll(() => page.evaluate(() => window.metricsHost.log.filter(({ kind }) => kind === 'snapshot').length))
    .toBe(2);
  expect(page.problems).toEqual([]);
  await page.context().close();
});

test('charts and all of them are exported through the host', async () => {
  const page = await open('runs=2');
  await plot(page, 'loss').focus();
  await press(page, 's', 'c');
  await page.getByRole('button', { name: 'Export SVG of all charts' }).click();
  await page.getByRole('button', { name: 'Export CSV of all charts' }).click();
  await expect.poll(async () => (await saved(page)).length).toBe(4);
  const files = await saved(page);
  expect(files.map(({ name }) => name)).toEqual([
    'arpo-loss.svg',
    'arpo-loss.csv',
    'arpo-metrics.svg',
    'arpo-metrics.csv',
  ]);
  expect(files[0]?.text).toMatch(/^<svg xmlns/);
  // A header, and a row per update of both runs, 0 included.
  expect(files[1]?.text.trim().split('\r\n')).toHaveLength(1 + 9 + 13);
  expect(files[2]?.text.length).toBeGreaterThan((files[0]?.text.length ?? 0) * 5);
  await expect.poll(() => page.locator('[role=status]').innerText()).toBe('arpo-metrics.csv saved.');
  await page.context().close();
  const full = await open('runs=1&refuses=1');
  await plot(full, 'loss').focus();
  await press(full, 's');
  await expect.poll(() => full.locator('[role=status]').innerText()).toContain('The disk is full.');
  await full.context().close();
});

test('a chart is also a table with its values', async () => {
  const page = await open('runs=1');
  await page.locator('[data-chart=toolCalls]').hover();
  await page.getByRole('button', { name: 'Tool calls per update: Table' }).click();
  const table = page.getByRole('table', { name: 'Tool calls per update over updates of the policy' });
  const cells = await table.getByRole('row').nth(2).allInnerTexts();
  expect(cells.join(' ').split(/\s+/)).toEqual(['1', '547', '680']);
  await page.context().close();
});

test('after a reload everything is where it was', async () => {
  const page = await open('runs=2', 800);
  await plot(page, 'accuracy').focus();
  await press(page, 'x', 't');
  await page.locator('.runs button').nth(1).click();
  await page.locator('.charts').evaluate((charts) => void Reflect.set(charts, 'scrollTop', 120));
  await settle(page);
  const state = await page.evaluate(() => sessionStorage.getItem('state'));
  expect(JSON.parse(state ?? '{}')).toMatchObject({
    axis: 'toolCalls',
    tables: ['accuracy'],
    scrollTop: 120,
  });
  expect(JSON.parse(state ?? '{}').runs).toHaveLength(2);
  await page.reload();
  await page.waitForSelector('.view[data-rows]');
  await settle(page);
  expect(await page.evaluate(() => sessionStorage.getItem('state'))).toBe(state);
  expect(await page.locator('.charts').evaluate((charts) => charts.scrollTop)).toBe(120);
  expect(await page.getByRole('table').count()).toBe(1);
  await page.context().close();
});

test.each([1400, 1100, 700, 420])(
  'at a width of %d every plot fills its box, also after resizing',
  async (width) => {
    const page = await open('generated=3&rows=40', width);
    const sizes = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('.plot')].map((box) => {
          const canvas = box.querySelector('canvas');
          return [
            box.clientWidth - (canvas?.clientWidth ?? 0),
            box.clientHeight - (canvas?.clientHeight ?? 0),
          ];
        }),
      );
    const fitting = Array.from({ length: 10 }, () => [0, 0]);
    await expect.poll(sizes).toEqual(fitting);
    await page.setViewportSize({ width: width - 60, height: 900 });
    await expect.poll(sizes).toEqual(fitting);
    const overflow = await page.evaluate(
      'document.querySelector(".charts").scrollWidth - document.querySelector(".charts").clientWidth',
    );
    expect(overflow).toBe(0);
    const cards = await page.evaluate(() =>
      [...document.querySelectorAll('.card')].map(
        ({ scrollHeight, clientHeight }) => scrollHeight - clientHeight,
      ),
    );
    expect(cards).toEqual(Array.from({ length: 10 }, () => 0));
    await page.screenshot({ path: `${screenshots}metrics-${width}.png` });
    await page.context().close();
  },
);

test('a long run is drawn and answers within a tenth of a second', async () => {
  const page = await open('generated=3&rows=2000');
  await plot(page, 'reward').focus();
  await press(page, 'End');
  const times = await page.evaluate(`(() => {
    const chart = document.querySelector('[data-chart=reward] .plot');
    return Array.from({ length: 20 }, () => {
      const start = performance.now();
      chart.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
      return performance.now() - start;
    }).sort((a, b) => a - b);
  })()`);
  expect((times as number[])[10]).toBeLessThan(100);
  await page.context().close();
});

test('empty, waiting, failed and lost states say what to do', async () => {
  const message = (page: Page) => page.locator('.message').innerText();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${harness.url}/?empty=1`);
  await expect.poll(() => message(page)).toContain('Choose runs to compare them');
  await page.goto(`${harness.url}/?runs=1`);
  await page.waitForSelector('.view[data-rows]');
  const runId = await page.evaluate(() => window.metricsHost.runs[0]?.runId ?? '');
  await page.evaluate((id) => window.metricsHost.cut(id, 0), runId);
  await expect.poll(() => message(page)).toContain('The first values appear');
  await page.goto(`${harness.url}/?fails=1`);
  await expect.poll(() => message(page)).toContain('line 12 is cut off');
  await page.getByRole('button', { name: 'Try Again' }).click();
  await expect.poll(() => page.evaluate(() => window.metricsHost.log.length)).toBe(2);
  await page.evaluate(() => window.metricsHost.fail('The run folder was deleted.'));
  await expect.poll(() => message(page)).toContain('The run folder was deleted.');
  await context.close();
});

/**
 * The rollout-tree view in a headless Chromium, under the strict policy of a webview and in the four
 * built-in themes, in front of a fake host.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeReference } from '#protocol/treeViewProtocol';
import { nodeSegments } from '#protocol/nodeSegments';
import type { Harness } from '../../scripts/webviewHarness.mjs';
import { launchBrowser, startHarness } from '../../scripts/webviewHarness.mjs';
import type { FakeHost } from './fakeHost';

declare const window: { readonly arpoHost: FakeHost; readonly violations: string[]; pwned?: boolean };
declare const document: {
  querySelector(selector: string): { getAttribute(name: string): string | null } | null;
};
declare const sessionStorage: { clear(): void; getItem(key: string): string | null };

const themes = ['dark', 'light', 'hc-dark', 'hc-light'] as const;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screenshots = new URL('../../out/screenshots/', import.meta.url).pathname;

let harness: Harness;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  [harness, browser] = await Promise.all([startHarness(), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await harness?.close();
});

/** A fresh page; its script errors fail the test that asks for them. */
async function open(query = 'theme=dark'): Promise<Page & { readonly problems: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${harness.url}/?still=1&${query}`);
  await page.waitForSelector('.stage[data-nodes]');
  return Object.assign(page, { problems });
}

const tree = (page: Page) => page.locator('[role=tree]');
const activeItem = (page: Page) => page.locator('[role=treeitem][aria-selected=true]');
const requests = (page: Page, kind: string) =>
  page.evaluate((wanted) => window.arpoHost.log.filter((entry) => entry.kind === wanted).length, kind);

async function selection(page: Page): Promise<NodeReference> {
  const item = activeItem(page);
  return {
    groupId: (await item.getAttribute('data-group-id')) ?? '',
    nodeId: Number(await item.getAttribute('data-node-id')),
  };
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
  await settle(page);
}

/** What was asked for is drawn with the next frame. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

test('the bundle stays within its budget', () => {
  expect(harness.scriptBytes).toBeLessThanOrEqual(300 * 1024);
});

describe.each(themes)('in %s', (theme) => {
  test('nothing breaks the policy, axe finds nothing serious, and it looks as it should', async () => {
    const page = await open(`theme=${theme}&groups=2`);
    await page.evaluate(() => {
      const { group } = window.arpoHost.groups[0];
      const branch = group.trajectories.find(({ origin }) => origin === 'branch');
      window.arpoHost.reveal(group.groupId, branch?.lastNodeId ?? 0);
    });
    await page.waitForSelector('.token-strip');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.screenshot({ path: `${screenshots}tree-${theme}.png` });
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(page.problems).toEqual([]);
    expect(await seriousFindings(page)).toEqual([]);
    await tree(page).focus();
    await press(page, '?');
    expect(await seriousFindings(page)).toEqual([]);
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

test('every node can be reached with the arrow keys, and the tree says where one is', async () => {
  const page = await open('groups=1&trajectories=6&initial=3');
  const count = await page.evaluate(() => window.arpoHost.groups[0].group.nodes.length);
  await tree(page).focus();
  await settle(page);
  const seen = new Set<number>([(await selection(page)).nodeId]);
  await press(page, 'Home');
  for (let depth = 1; depth < 9; depth += 1) {
    await press(page, 'ArrowRight');
    const isDeeper = (await activeItem(page).getAttribute('aria-level')) === String(depth + 1);
    if (!isDeeper) break;
    // The column is walked up and down to its ends; a node without children is passed by.
    for (const key of ['ArrowUp', 'ArrowDown']) {
      for (let step = 0; step < 8; step += 1) {
        seen.add((await selection(page)).nodeId);
        await press(page, key);
      }
    }
    await walkToParent(page);
  }
  expect(seen.size).toBe(count);
  await press(page, 'Home');
  expect((await selection(page)).nodeId).toBe(0);
  const item = activeItem(page);
  expect(await item.getAttribute('aria-expanded')).toBe('true');
  expect(await tree(page).getAttribute('aria-activedescendant')).toBe(await item.getAttribute('id'));
  await press(page, ' ');
  expect(await activeItem(page).getAttribute('aria-expanded')).toBe('false');
  await press(page, 'ArrowRight');
  expect(await activeItem(page).getAttribute('aria-level')).toBe('2');
  await page.context().close();
});

/** Moves within the column to a node that goes on. */
async function walkToParent(page: Page): Promise<void> {
  for (let step = 0; step < 8; step += 1) {
    if ((await activeItem(page).getAttribute('aria-expanded')) !== null) return;
    await press(page, 'ArrowUp');
  }
}

test('search goes from match to match, and finds clipped texts through the host', async () => {
  const page = await open('groups=2');
  await tree(page).focus();
  await press(page, '/');
  await page.keyboard.type('</search> <result> see');
  await expect.poll(() => page.locator('.search .count').textContent()).toMatch(/^0 of \d+$/);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('.search .count').textContent()).toMatch(/^1 of \d+$/);
  const first = await selection(page);
  await page.keyboard.press('Escape');
  await press(page, 'n');
  expect(await selection(page)).not.toEqual(first);
  await press(page, 'N');
  expect(await selection(page)).toEqual(first);
  await page.context().close();
});

test('every control says what it is', async () => {
  const page = await open('groups=1');
  await page.getByRole('toolbar', { name: 'View of the trees' }).waitFor();
  await page.getByRole('textbox', { name: 'Search the texts' }).waitFor();
  for (const name of ['Colour by', 'Layout']) await page.getByRole('combobox', { name }).waitFor();
  await page.context().close();
});

test('the numbers of a decision are not broken in a narrow pane', async () => {
  const page = await open('groups=1');
  await page.setViewportSize({ width: 900, height: 860 });
  await tree(page).focus();
  await press(page, 'Home', 'b');
  const values = page.locator('.details .decision dd');
  await values.first().waitFor();
  const heights = await values.evaluateAll((all) => all.map((value) => value.getBoundingClientRect().height));
  expect(new Set(heights).size).toBe(1);
  const pane = page.locator('.details');
  expect(await pane.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  await page.context().close();
});

test('a filter counts what it keeps, and is cleared again', async () => {
  const page = await open('groups=1');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.locator('.filter-panel vscode-dropdown').nth(1).click();
  await page.locator('.filter-panel vscode-option', { hasText: 'python' }).first().click();
  const expected = await page.evaluate(() => {
    const { nodes } = window.arpoHost.groups[0].group;
    return `${nodes.filter(({ toolCall }) => toolCall?.tool === 'python').length} of ${nodes.length}`;
  });
  await expect.poll(() => page.locator('.filter-panel .count').textContent()).toContain(expected);
  await page.getByRole('button', { name: 'Clear filter' }).click();
  await expect.poll(() => page.locator('.filter-panel .count').textContent()).toBe('');
  await page.context().close();
});

test('a click on a card selects it, and its whole text is fetched once', async () => {
  const page = await open('groups=1');
  await tree(page).focus();
  await press(page, 'Home', 'ArrowRight', '0');
  const before = await selection(page);
  const box = await page.locator('.stage').boundingBox();
  if (box === null) throw new Error('no stage');
  // At full size the selected card is in the middle; the next one stands a column to the right.
  await page.mouse.click(box.x + box.width / 2 + 284, box.y + box.height / 2);
  await page.waitForTimeout(100);
  const after = await selection(page);
  const parent = await page.evaluate(
    ({ nodeId }) => window.arpoHost.groups[0].group.nodes[nodeId].parentId,
    after,
  );
  expect(parent).toBe(before.nodeId);
  await page.waitForSelector('.token-strip');
  const asked = await requests(page, 'nodeDetail');
  await press(page, 'ArrowLeft', 'ArrowRight');
  expect(await requests(page, 'nodeDetail')).toBe(asked);
  const context = await tree(page).getAttribute('data-vscode-context');
  expect(JSON.parse(context ?? '{}')).toMatchObject({ webviewSection: 'node', ...after });
  await page.context().close();
});

test('hovering a branch mark tells the decision', async () => {
  const page = await open('groups=1');
  await tree(page).focus();
  await press(page, 'Home', 'b', '0');
  const decided = await selection(page);
  const note = page.locator('.note');
  const box = await page.locator('.stage').boundingBox();
  if (box === null) throw new Error('no stage');
  await page.mouse.move(box.x + 5, box.y + 5);
  await expect.poll(() => note.isVisible()).toBe(false);
  await page.mouse.move(box.x + box.width / 2 + 110 + 13, box.y + box.height / 2);
  await expect.poll(() => note.isVisible()).toBe(true);
  const words = await note.innerText();
  const decision = await page.evaluate(
    ({ nodeId }) => window.arpoHost.groups[0].group.decisions.find((made) => made.nodeId === nodeId),
    decided,
  );
  for (const value of [decision?.deltaEntropy, decision?.probability, decision?.draw]) {
    expect(words).toContain(Math.abs(value ?? 0).toFixed(3));
  }
  await page.context().close();
});

test('hostile text is text: nothing runs, nothing is invisible, a megabyte is paged', async () => {
  const page = await open('groups=1&trajectories=2&initial=2');
  const hostile = `<img src=x onerror="window.pwned=true"><script>window.pwned=true</script>\u001b[31m\u202egnp.exe ${'A'.repeat(1_000_000)}`;
  const segments = nodeSegments(`<search> ${hostile} </search> <result> ${hostile} </result>`, ['search']);
  await page.evaluate(
    ({ text, parts }) => {
      const [{ group, texts }] = window.arpoHost.groups;
      const nodes = group.nodes.map((node) => (node.id === 1 ? { ...node, segments: parts } : node));
      const next = texts.map((known, id) => (id === 1 ? text : known));
      const header = { taskId: '<img src=x onerror="window.pwned=true">', prompt: text };
      window.arpoHost.use([{ group: { ...group, ...header, nodes }, texts: next }]);
      window.arpoHost.patch([], 1);
    },
    { text: hostile, parts: segments },
  );
  await expect.poll(() => requests(page, 'snapshot')).toBe(2);
  await page.waitForTimeout(100);
  await page.evaluate(() => window.arpoHost.reveal(window.arpoHost.groups[0].group.groupId, 1));
  await page.waitForSelector('.token-strip');
  const details = page.locator('.details');
  expect(await details.innerText()).toContain('<img src=x onerror="window.pwned=true">');
  expect(await details.innerText()).toContain('␛[31m[U+202E]gnp.exe');
  expect((await details.innerText()).length).toBeLessThan(200_000);
  expect(await page.locator('.details img, .details script').count()).toBe(0);
  expect(await page.evaluate(() => window.pwned)).toBeUndefined();
  expect(await page.evaluate(() => window.violations)).toEqual([]);
  expect(page.problems).toEqual([]);
  await page.screenshot({ path: `${screenshots}tree-hostile.png` });
  await page.context().close();
});

test('trees grow without moving what is looked at, and a gap asks for a snapshot', async () => {
  const page = await open('groups=1&trajectories=4&initial=4');
  await tree(page).focus();
  await press(page, 'Home', 'End');
  const place = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('state') ?? '{}').camera);
  await page.waitForTimeout(400);
  const before = await place();
  const grow = (skip: number) =>
    page.evaluate((left) => {
      const { group } = window.arpoHost.groups[0];
      const [, first] = group.nodes;
      const id = Number(document.querySelector('.stage')?.getAttribute('data-nodes'));
      const node = { ...first, id, parentId: 0, slot: 90 };
      window.arpoHost.patch([{ kind: 'nodesAdded', groupId: group.groupId, nodes: [node] }], left);
    }, skip);
  const count = Number(await page.locator('.stage').getAttribute('data-nodes'));
  await grow(0);
  await expect.poll(() => page.locator('.stage').getAttribute('data-nodes')).toBe(String(count + 1));
  await page.waitForTimeout(400);
  expect(await place()).toEqual(before);
  expect(await requests(page, 'snapshot')).toBe(1);
  await grow(2);
  await expect.poll(() => requests(page, 'snapshot')).toBe(2);
  await expect.poll(() => page.locator('.stage').getAttribute('data-nodes')).toBe(String(count));
  expect(page.problems).toEqual([]);
  await page.context().close();
});

test('after a reload everything is where it was', async () => {
  const page = await open('groups=2');
  await tree(page).focus();
  await press(page, 'Home', 'ArrowRight', 'ArrowRight', ' ', 'c', '+', '+');
  await page.waitForTimeout(400);
  const state = await page.evaluate(() => sessionStorage.getItem('state'));
  const selected = await selection(page);
  await page.reload();
  await page.waitForSelector('.stage[data-nodes]');
  expect(await selection(page)).toEqual(selected);
  expect(await activeItem(page).getAttribute('aria-expanded')).toBe('false');
  expect(await page.locator('.legend strong').textContent()).toBe('Step advantage');
  await press(page, 'Shift');
  await page.waitForTimeout(400);
  expect(await page.evaluate(() => sessionStorage.getItem('state'))).toBe(state);
  await page.context().close();
});

test('empty, failed and lost states say what to do', async () => {
  const empty = await open('empty=1');
  expect(await empty.locator('.message').innerText()).toContain('The first tree appears');
  await empty.context().close();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${harness.url}/?fails=1`);
  await expect.poll(() => page.locator('.message').innerText()).toContain('line 12 is cut off');
  await page.getByRole('button', { name: 'Try Again' }).click();
  await expect.poll(() => requests(page, 'snapshot')).toBe(2);
  await page.evaluate(() => window.arpoHost.fail('The run folder was deleted. Open another run.'));
  await expect.poll(() => page.locator('.message').innerText()).toContain('The run folder was deleted');
  await context.close();
});

test('actions of the host are offered, and Enter takes the first', async () => {
  const page = await open('groups=1');
  await tree(page).focus();
  await press(page, 'Home', 'ArrowRight', 'Enter');
  await page.getByRole('button', { name: 'Re-roll from Here' }).click();
  const invoked = () =>
    page.evaluate(() =>
      window.arpoHost.log.filter(({ kind }) => kind === 'actionInvoked').map(({ value }) => value),
    );
  await expect
    .poll(invoked)
    .toMatchObject([{ actionId: 'openTrajectory' }, { actionId: 'relaunchFromNode' }]);
  await page.context().close();
});

// The trees of a whole run as they are drawn, node by node, against its record on disk; then the same run in
// a folder that is not trusted.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { packageUnderTest } from '../sharedWorkbench.mjs';
import { startWorkbench } from '../workbench.mjs';

const updates = 2;
const configuration = {
  name: 'record',
  updates,
  rollout: { groupsPerUpdate: 2 },
  engine: { threads: 1, processes: 1 },
  evaluation: { tasks: 2, every: 0, greedy: false },
};

describe('the trees of a recorded run', function () {
  this.timeout(180_000);
  let workbench;
  let record;
  before(async () => {
    workbench = await startWorkbench({ vsix: packageUnderTest() });
    await workbench.openContainer('ARPO');
    writeFileSync(join(workbench.folder, 'record.arpo.jsonc'), JSON.stringify(configuration));
    await workbench.runCommand('ARPO: Train');
    const row = workbench.page.locator('.quick-input-list .monaco-list-row', {
      hasText: 'record.arpo.jsonc',
    });
    await row.first().click();
    const finished = workbench.sideBar.getByText(new RegExp(`finished · ${updates}/${updates}`));
    await finished.first().waitFor({ timeout: 120_000 });
    const [run] = readdirSync(join(workbench.folder, 'runs'));
    record = readRecord(join(workbench.folder, 'runs', run));
    await workbench.sideBar.locator('.monaco-list-row .monaco-tl-twistie').first().click();
  });
  after(() => workbench?.stop());

  for (let update = 1; update <= updates; update += 1) {
    it(`draws every node of update ${update} with the parent, text and colour value of the record`, async () => {
      const recorded = record.filter((node) => node.groupId.startsWith(`${update}/`));
      await openUpdate(workbench, update);
      const frame = await workbench.webviewFrame(`[data-nodes="${countNodes(recorded)}"]`);
      const drawn = await frame.evaluate(
        revealAll,
        recorded.map(({ groupId, id }) => ({ groupId, nodeId: id })),
      );
      assert.ok(drawn.length > 20, `${drawn.length} nodes`);
      for (const [index, node] of recorded.entries()) checkNode(node, drawn[index]);
      await workbench.screenshot(`record-update-${update}`);
    });
  }

  it('can be looked at in a folder that is not trusted, where nothing can be trained', async () => {
    const restricted = await startWorkbench({
      vsix: packageUnderTest(),
      folder: workbench.folder,
      hasWorkspaceTrust: true,
    });
    try {
      await restricted.page.getByText('Restricted Mode', { exact: true }).waitFor({ timeout: 30_000 });
      await restricted.openContainer('ARPO');
      await restricted.sideBar
        .getByText(/finished · 2\/2/)
        .first()
        .waitFor();
      await restricted.sideBar.locator('.monaco-list-row .monaco-tl-twistie').first().click();
      await openUpdate(restricted, 1);
      await restricted.webviewFrame('[data-nodes]:not([data-nodes="0"])');
      await restricted.screenshot('untrusted');
      assert.deepEqual(await offeredCommands(restricted, 'ARPO: Open Rollout'), ['ARPO: Open Rollout Tree']);
      assert.deepEqual(await offeredCommands(restricted, 'ARPO: Train'), []);
      assert.deepEqual(await offeredCommands(restricted, 'ARPO: Resume Training'), []);
      const button = restricted.sideBar.page().locator('.part.sidebar .action-label[aria-label^="Train"]');
      assert.equal(
        await button.and(restricted.page.locator(':not(.disabled)')).count(),
        0,
        'a button that trains',
      );
    } finally {
      await restricted.stop();
    }
  });
});

/** Opens the trees of an update by the button of its row. */
async function openUpdate(workbench, update) {
  const row = workbench.sideBar.locator('.monaco-list-row', { hasText: `Update ${update}` }).first();
  await row.hover();
  await row.getByRole('button', { name: 'Open Rollout Tree' }).click();
}

/** The commands of ours that the palette offers for a text. */
async function offeredCommands(workbench, text) {
  const input = workbench.page.locator('.quick-input-widget:visible .quick-input-box input');
  await workbench.until('the palette', async () => {
    await workbench.page.keyboard.press('F1');
    // A palette that was just closing takes the key and goes: then it is asked for again.
    return input.fill(`>${text}`, { timeout: 2000 }).then(
      () => true,
      () => false,
    );
  });
  await workbench.page.waitForTimeout(700); // the list is built while one types
  const rows = workbench.page.locator('.quick-input-list .monaco-list-row .label-name');
  const labels = await rows.allInnerTexts();
  await workbench.page.keyboard.press('Escape');
  return labels.map((label) => label.trim()).filter((label) => label.startsWith(text));
}

function countNodes(recorded) {
  return recorded.length + new Set(recorded.map(({ groupId }) => groupId)).size; // and the prompts
}

/** Runs in the view: brings every node into sight as the host would, and reads what is said about it. */
async function revealAll(references) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
  const found = [];
  for (const reference of references) {
    const data = { kind: 'event', event: 'revealed', payload: reference };
    window.dispatchEvent(new MessageEvent('message', { data }));
    await frame();
    await frame();
    const items = [...document.querySelectorAll('[role="treeitem"]')];
    const at = items.findIndex((item) => item.getAttribute('aria-selected') === 'true');
    const level = Number(items[at]?.getAttribute('aria-level'));
    const parent = items
      .slice(0, at)
      .findLast((item) => Number(item.getAttribute('aria-level')) === level - 1);
    found.push({
      groupId: items[at]?.getAttribute('data-group-id'),
      id: Number(items[at]?.getAttribute('data-node-id')),
      parentId: Number(parent?.getAttribute('data-node-id')),
      depth: level - 1,
      label: items[at]?.textContent ?? '',
    });
  }
  return found;
}

function checkNode(node, drawn) {
  const { groupId, id, parentId, depth, slot, segments, entropy } = node;
  const where = `node ${id} of ${groupId}: ${drawn.label}`;
  assert.deepEqual(
    { groupId: drawn.groupId, id: drawn.id, parentId: drawn.parentId, depth: drawn.depth },
    { groupId, id, parentId, depth },
    where,
  );
  assert.ok(drawn.label.startsWith(`Step ${depth}, Slot ${slot}. `), where);
  for (const segment of segments) assert.ok(drawn.label.includes(segment), `${where}\nlacks ${segment}`);
  const shown = /Entropy after tool (\d+\.\d+)/.exec(drawn.label)?.[1];
  if (entropy === null) assert.equal(shown, undefined, where);
  else assert.ok(Math.abs(Number(shown) - entropy) <= 0.005 + 1e-6, `${where}\nrecorded ${entropy}`);
}

/** The nodes of a run, read from its files by the description of docs/run-format.md alone. */
function readRecord(folder) {
  const entropies = new Float32Array(bytesOf(join(folder, 'columns', 'entropies.f32')));
  const mask = new Uint8Array(bytesOf(join(folder, 'columns', 'mask.u8')));
  const { window } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')).config.rollout.branching
    .entropy;
  const events = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n').map(JSON.parse);
  const nodes = events
    .filter(({ kind }) => kind === 'nodesAdded')
    .flatMap(({ update, group, nodes: added }) =>
      added.map((node) => ({ ...node, groupId: `${update}/${group}` })),
    );
  const byKey = new Map(nodes.map((node) => [`${node.groupId}#${node.id}`, node]));
  return nodes.map((node) => {
    const parent = byKey.get(`${node.groupId}#${node.parentId}`);
    const { offset, length } = node.tokens;
    const written = [...entropies.subarray(offset, offset + length)].filter(
      (_, at) => mask[offset + at] === 1,
    );
    const read = written.slice(0, window);
    const followsTool = parent !== undefined && parent.toolCall !== null && read.length > 0;
    return {
      ...node,
      segments: [
        ...`${node.modelText}${node.resultText}`.matchAll(
          /<(think|search|python|result|answer)>(.*?)<\/\1>/gs,
        ),
      ]
        .map(([, , content]) => content.trim())
        .filter((content) => content !== '' && content.length < 100),
      entropy: followsTool ? read.reduce((sum, value) => sum + value, 0) / read.length : null,
    };
  });
}

/** An array buffer of its own, so that typed arrays may start at its beginning. */
function bytesOf(file) {
  return new Uint8Array(readFileSync(file)).buffer;
}

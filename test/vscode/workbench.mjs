// The VS Code workbench as tests and screenshots see it: a page object over Playwright. The selectors are
// those of VS Code 1.139.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  exampleFolder,
  installVsix,
  launchBrowser,
  openWorkbench,
  projectFolder,
  startServer,
} from '../../scripts/vscodeWeb.mjs';

/** VS Code's four built-in looks: short name → label in the list of themes, class of the workbench. */
export const themes = {
  darkModern: { label: 'Dark Modern', className: 'vs-dark' },
  lightModern: { label: 'Light Modern', className: 'vs' },
  darkHighContrast: { label: 'Dark High Contrast', className: 'hc-black' },
  lightHighContrast: { label: 'Light High Contrast', className: 'hc-light' },
};

/** Screenshots are written here, as `name.png`. */
export const screenshotFolder = join(projectFolder, 'out', 'screenshots');

/**
 * A VS Code of its own: server, browser, page, with the VSIX installed as a user would have it and a
 * copy of examples/workspace open.
 *
 * @param vsix the package to install; none if not given.
 * @param folder the folder to open, instead of the copy.
 * @param settings user settings beside the quiet ones.
 * @param hasWorkspaceTrust true: VS Code asks whether the folder is trusted.
 */
export async function startWorkbench({ vsix, folder, settings = {}, hasWorkspaceTrust = false }) {
  const server = await startServer({ settings, hasWorkspaceTrust });
  let browser;
  try {
    if (vsix !== undefined) installVsix(vsix, server.dataFolder);
    browser = await launchBrowser();
    const opened = folder ?? copyExampleFolder(server.dataFolder);
    const page = await openWorkbench(browser, server, { folder: opened });
    return new Workbench({ page, browser, server, folder: opened });
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
}

/** Tests may write into what they open: they get a copy. */
function copyExampleFolder(dataFolder) {
  const copy = join(dataFolder, 'workspace');
  cpSync(exampleFolder, copy, { recursive: true });
  return copy;
}

/** One open VS Code window. `page` is Playwright's; `folder` the opened folder on disk. */
export class Workbench {
  constructor({ page, browser, server, folder }) {
    this.page = page;
    this.browser = browser;
    this.server = server;
    this.folder = folder;
  }

  /** Ends the browser and the server. */
  async stop() {
    await this.browser.close();
    await this.server.stop();
  }

  /** Runs a command through the palette, by its full label: `ARPO: Show Log`. */
  async runCommand(label) {
    await this.pick({
      open: () => this.page.keyboard.press('F1'),
      text: `>${label}`,
      row: `[aria-label^="${label}"]`,
    });
  }

  /** Opens a file of the folder through the palette, by its name. */
  async openFile(name) {
    await this.pick({
      open: () => this.page.keyboard.press('Control+P'),
      text: name,
      row: `[aria-label^="${name},"], [aria-label^="${name} "], [aria-label="${name}"]`,
    });
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  }

  /**
   * Opens a quick-open list, types, and clicks the row. The list is built when it opens, while commands,
   * files and themes may still be on their way: so it is opened again until the row is there.
   */
  async pick({ open, text, row, limitMs = 30_000 }) {
    const deadline = Date.now() + limitMs;
    for (let isFirst = true; ; isFirst = false) {
      // no Escape before the first try: it would leave a webview's focus nowhere
      if (!isFirst) await this.page.keyboard.press('Escape');
      try {
        await this.tryPick({ open, text, row });
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  }

  async tryPick({ open, text, row }) {
    await open();
    const timeout = 3000;
    const input = this.page.locator('.quick-input-widget:visible .quick-input-box input');
    await input.waitFor({ timeout });
    await input.fill(text, { timeout });
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    await rows.and(this.page.locator(row)).first().click({ timeout });
  }

  /** Shows a container of the activity bar, by its title: `ARPO`. */
  async openContainer(title) {
    const button = this.page.locator(`.activitybar .action-item a[aria-label^="${title}"]`);
    await button.waitFor({ timeout: 30_000 });
    const isShown = async () => (await button.locator('..').getAttribute('aria-expanded')) === 'true';
    if (!(await isShown())) await button.click();
    await this.until(`the container ${title}`, isShown);
  }

  /** The locator of the side bar's content. */
  get sideBar() {
    return this.page.locator('.part.sidebar .content');
  }

  /** The locator of the editor area's tabs. */
  tab(title) {
    return this.page.locator('.tabs-container .tab', { hasText: title });
  }

  /**
   * The frame of the webview that holds the selector: a webview is two nested frames, this is the inner
   * one. Wait for something that the webview's own script wrote before covering it with another editor.
   */
  async webviewFrame(selector, limitMs = 30_000) {
    let found;
    await this.until(
      `a webview with ${selector}`,
      async () => {
        for (const frame of this.page.frames().filter((candidate) => /fake\.html/.test(candidate.url()))) {
          const count = await frame.locator(selector).count().catch(ignoreGoneFrame);
          if (count > 0) found = frame;
        }
        return found !== undefined;
      },
      limitMs,
    );
    return found;
  }

  /** Waits for the notification toast with the text and returns its whole message. */
  async notification(text) {
    const toast = this.page.locator('.notification-list-item', { hasText: text }).first();
    await toast.waitFor({ timeout: 15_000 });
    return (await toast.locator('.notification-list-item-message').innerText()).trim();
  }

  /** Hides every notification. */
  async clearNotifications() {
    await this.runCommand('Notifications: Clear All Notifications');
  }

  /** Switches to one of `themes` and waits until the workbench wears it. */
  async setTheme(name) {
    const { label, className } = themes[name];
    await this.pick({
      open: () => this.runCommand('Preferences: Color Theme'),
      text: label,
      row: `[aria-label^="${label}"]`,
    });
    await this.page.locator(`.monaco-workbench.${className}`).waitFor({ timeout: 15_000 });
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await wait(300); // colours fade
  }

  /** Writes a picture of the window, or of the locator, and returns its file. */
  async screenshot(name, locator = this.page) {
    mkdirSync(screenshotFolder, { recursive: true });
    const path = join(screenshotFolder, `${name}.png`);
    await locator.screenshot({ path });
    return path;
  }

  /** Four pictures, `name-<theme>.png`; ends in the theme darkModern. Returns the files. */
  async screenshotInThemes(name, locator = this.page) {
    const files = [];
    for (const theme of Object.keys(themes).toReversed()) {
      await this.setTheme(theme);
      files.push(await this.screenshot(`${name}-${theme}`, locator));
    }
    return files;
  }

  /** Waits until the condition holds; fails after the time with what was awaited. */
  async until(what, holds, limitMs = 15_000) {
    const deadline = Date.now() + limitMs;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`Waited ${limitMs} ms in vain for ${what}.`);
      await wait(50);
    }
  }

  /** A button of the debug toolbar: `Step Back`. */
  debugButton(name) {
    return this.page.locator(`.debug-toolbar .action-label[aria-label^="${name}"]`);
  }

  /** The line of the editor with the arrow of the top stack frame, from 1; null without one. */
  async debugLine() {
    return this.page.evaluate(() => {
      const arrow = document.querySelector(
        '.codicon-debug-stackframe, .codicon-debug-breakpoint-stackframe, .debug-top-stack-frame-line',
      );
      if (arrow === null) return null;
      const { top } = arrow.getBoundingClientRect();
      const numbers = [...document.querySelectorAll('.monaco-editor .margin .line-numbers')];
      const line = numbers.find((element) => Math.abs(element.getBoundingClientRect().top - top) < 4);
      return line === undefined ? null : Number(line.textContent);
    });
  }

  /** The rows of the Variables pane that are shown: name → value. */
  async debugVariables() {
    return this.page.evaluate(() => {
      const rows = [...document.querySelectorAll('.debug-variables .monaco-list-row .expression')];
      const nameOf = (row) =>
        row
          .querySelector('.name')
          ?.textContent?.replace(/\s*[=:]\s*$/, '')
          .trim();
      return Object.fromEntries(rows.map((row) => [nameOf(row), row.querySelector('.value')?.textContent]));
    });
  }

  /** Unfolds a scope of the Variables pane. */
  async expandScope(name) {
    const row = this.page.locator('.debug-variables .monaco-list-row', { hasText: name }).first();
    await row.waitFor();
    if ((await row.getAttribute('aria-expanded')) === 'false')
      await row.locator('.monaco-tl-twistie').click();
  }
}

/** A frame may go away while it is asked; then it does not hold the selector. */
function ignoreGoneFrame(error) {
  if (/detached|destroyed|closed/i.test(error.message)) return 0;
  throw error;
}

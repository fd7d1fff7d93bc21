#!/usr/bin/env node
// Stands in for the desktop `code` executable where there is none: the command line and the exit code that
// @vscode/test-electron expects (--extensionDevelopmentPath= --extensionTestsPath= [folder]), with VS Code
// running as server + headless Chromium behind it.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { launchBrowser, openWorkbench, startServer } from './vscodeWeb.mjs';

const limitMs = 120_000;
/** What VS Code itself logs to the console and no test is about; shown with VERBOSE=1. */
const workbenchNoise = [
  /^(Resolv(ing|ed) connection token|Creating a socket|\[reconnection|Updating additional builtin)/,
  /^(\[Service Worker\]|\[AgentHost|\[RemoteAgentHost|\[AccountPolicy|\[DefaultAccount|\[chat-|\[ChatModel)/,
  /^(Creation of workbench contribution|Timed out waiting for authentication|No search provider|Using the )/,
  /^(getaddrinfo ENOTFOUND|Failed to fetch|TypeError: Failed to fetch|Error while (querying|fetching))/,
  /^(Network|An unknown error)/,
];

process.exitCode = await runTests(readArguments(process.argv.slice(2)));

function readArguments(words) {
  const pathOf = (name) => {
    const word = words.find((candidate) => candidate.startsWith(`--${name}=`));
    if (word === undefined) throw new Error(`code-web: --${name}=PATH is required`);
    const path = word.slice(name.length + 3);
    return path.startsWith('file:') ? fileURLToPath(path) : resolve(path);
  };
  return {
    folder: words.find((word) => !word.startsWith('-')) ?? process.cwd(),
    extensionDevelopmentPath: pathOf('extensionDevelopmentPath'),
    extensionTestsPath: pathOf('extensionTestsPath'),
  };
}

async function runTests(paths) {
  const server = await startServer({ isTest: true });
  let browser;
  try {
    browser = await launchBrowser();
    return await new Promise((settle, reject) => {
      browser.on('disconnected', () => reject(new Error('Chromium ended.')));
      setTimeout(() => reject(new Error(`The tests took over ${limitMs / 1000} s.`)), limitMs).unref();
      openWorkbench(browser, server, { ...paths, onLog: print, onExit: settle }).catch(reject);
    });
  } catch (error) {
    console.error(`code-web: ${error.message}`);
    return 1;
  } finally {
    await browser?.close();
    await server.stop();
  }
}

/** A console call of the extension host, with its printf-style arguments. */
function print(type, args) {
  const line = format(...args);
  if (process.env.VERBOSE !== '1' && workbenchNoise.some((pattern) => pattern.test(line))) return;
  const stream = type === 'error' || type === 'warn' ? process.stderr : process.stdout;
  stream.write(`${line}\n`);
}

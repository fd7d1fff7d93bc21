// A page that loads a bundled view as VS Code does (same policy, classes and theme variables), in front
// of a fake host. Used by the browser tests and by bench/ui.mjs; run directly, it serves the page for people:
//   node scripts/webviewHarness.mjs [--port 8099]   then open /?theme=dark (light, hc-dark, hc-light)
import { build } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const themes = JSON.parse(readFileSync(join(root, 'test/fixtures/themes/builtIn.json'), 'utf8'));

async function bundle(entry, options = {}) {
  const result = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    outdir: 'dist',
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'error',
    ...options,
  });
  const text = (extension) => result.outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? '';
  return { script: text('.js'), styles: text('.css') };
}

/** The variables of a theme, as VS Code puts them on the html element; here in a style sheet. */
function themeStyles(theme) {
  const rules = Object.entries(theme.variables).map(([name, value]) => `--vscode-${name}: ${value};`);
  return `html { ${rules.join('\n')} }`;
}

function page(theme, isStill) {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'self'; img-src 'self'; font-src 'self'`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ARPO rollout tree</title>
<link rel="stylesheet" href="/theme.css?theme=${theme}">
<link rel="stylesheet" href="/view.css">
<script nonce="${nonce}" src="/host.js"></script>
</head>
<body class="${themes[theme].class}${isStill ? ' vscode-reduce-motion' : ''}">
<script nonce="${nonce}" src="/view.js"></script>
</body>
</html>`;
  return { html, policy };
}

/**
 * Serves the harness.
 * @param {{ view?: string, host?: string, port?: number }} options entry points, relative to the repository.
 * @returns {Promise<{ url: string, scriptBytes: number, close(): Promise<void> }>}
 */
export async function startHarness({
  view = 'webview/tree/main.ts',
  host = 'test/webview/fakeHost.ts',
  port = 0,
} = {}) {
  const [viewBundle, hostBundle] = await Promise.all([bundle(view, { minify: true }), bundle(host)]);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const theme = themes[url.searchParams.get('theme') ?? ''] ? url.searchParams.get('theme') : 'dark';
    const send = (type, body, headers = {}) => {
      response.writeHead(200, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'no-store',
        ...headers,
      });
      response.end(body);
    };
    if (url.pathname === '/') {
      const { html, policy } = page(theme, url.searchParams.has('still'));
      send('text/html', html, { 'content-security-policy': policy });
    } else if (url.pathname === '/theme.css') send('text/css', themeStyles(themes[theme]));
    else if (url.pathname === '/view.css') send('text/css', viewBundle.styles);
    else if (url.pathname === '/view.js') send('text/javascript', viewBundle.script);
    else if (url.pathname === '/host.js') send('text/javascript', hostBundle.script);
    else response.writeHead(url.pathname === '/favicon.ico' ? 204 : 404).end();
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    scriptBytes: Buffer.byteLength(viewBundle.script),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

/** CHROME_PATH, an installed Chromium or Chrome, else the one of @sparticuz/chromium (linux-x64). */
async function findBrowser() {
  const installed = [
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ].find((path) => path && existsSync(path));
  if (installed !== undefined && process.env.ARPO_BROWSER !== 'package')
    return { executablePath: installed, env: {} };
  return unpackBrowser();
}

/** Its libraries and its only font come with the package; system fonts make this build abort. */
async function unpackBrowser() {
  const cache = join(root, 'node_modules/.cache/sparticuz');
  mkdirSync(cache, { recursive: true });
  const temporary = process.env.TMPDIR;
  process.env.TMPDIR = cache;
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs22.x';
  const { default: sparticuz } = await import('@sparticuz/chromium');
  const executablePath = await sparticuz.executablePath();
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  const fonts = join(cache, 'fonts.conf');
  writeFileSync(
    fonts,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(cache, 'fonts/fonts')}</dir><cachedir>${join(cache, 'fontcache')}</cachedir></fontconfig>`,
  );
  return {
    executablePath,
    env: { LD_LIBRARY_PATH: join(cache, 'al2023/lib'), FONTCONFIG_FILE: fonts },
  };
}

/** A headless Chromium. @param {readonly string[]} args further switches. */
export async function launchBrowser(args = []) {
  const { chromium } = await import('playwright-core');
  const { executablePath, env } = await findBrowser();
  return chromium.launch({
    executablePath,
    headless: true,
    env: { ...process.env, ...env },
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', ...args],
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = process.argv.indexOf('--port');
  const { url } = await startHarness({ port: at === -1 ? 8099 : Number(process.argv[at + 1]) });
  console.log(
    `${Object.keys(themes)
      .map((theme) => `${url}/?theme=${theme}`)
      .join('\n')}`,
  );
}

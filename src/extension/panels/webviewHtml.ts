/** The page of a webview. Pure: the panel supplies what depends on VS Code. */

/** What a page is made of. */
export interface WebviewPage {
  readonly language: string;
  readonly title: string;
  /** `Webview.cspSource`. */
  readonly cspSource: string;
  /** Fresh for every page. */
  readonly nonce: string;
  /** Addresses of the view's script and style sheet. */
  readonly script: string;
  readonly style: string;
  /** What the page shows, for the view's stored state; any text. */
  readonly source: string;
}

/** Only the view's own script runs, and nothing is loaded but its own files. */
export function webviewHtml(page: WebviewPage): string {
  const { cspSource, nonce } = page;
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `img-src ${cspSource}`,
    `font-src ${cspSource}`,
  ].join('; ');
  return `<!doctype html>
<html lang="${escapeHtml(page.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<link rel="stylesheet" href="${escapeHtml(page.style)}">
</head>
<body data-source="${escapeHtml(page.source)}">
<script nonce="${nonce}" src="${escapeHtml(page.script)}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

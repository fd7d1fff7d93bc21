import { expect, test } from 'vitest';
import { readTreePanelSource } from '#extension/panels/treePanel';
import { webviewHtml } from '#extension/panels/webviewHtml';

const page = {
  language: 'en',
  title: 'Tree',
  cspSource: 'https://view.test',
  nonce: 'bm9uY2U=',
  script: 'https://view.test/tree.js',
  style: 'https://view.test/tree.css',
  source: '{}',
};

test('only the view’s own script may run, and nothing is allowed that is not named', () => {
  const html = webviewHtml(page);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
  expect(policy).toBe(
    "default-src 'none'; script-src 'nonce-bm9uY2U='; style-src https://view.test; " +
      'img-src https://view.test; font-src https://view.test',
  );
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).not.toMatch(/unsafe|<style|style="/);
});

test('folder names cannot leave their attribute', () => {
  const html = webviewHtml({ ...page, title: '</title><b>', source: `"><script>alert('x')</script>&amp;` });
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).toContain('data-source="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"');
});

test('what a view showed is read back from its state; anything else is not', () => {
  const source = { folder: '/runs/a', scope: { kind: 'update', update: 3 } };
  expect(readTreePanelSource({ colourBy: 'depth', source: JSON.stringify(source) })).toEqual(source);
  for (const state of [undefined, null, {}, { source: 3 }, { source: '{' }, { source: '{"folder":3}' }])
    expect(readTreePanelSource(state)).toBeNull();
});

// Renders media/icon.png (256 x 256, the extension's picture in VS Code) from media/arpo.svg. Run it after
// changing the drawing; the picture is kept in the repository so that packaging needs no browser.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser, projectFolder } from './vscodeWeb.mjs';

const manifest = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
const drawing = readFileSync(join(projectFolder, 'media', 'arpo.svg'), 'utf8');
const style = `
  body { margin: 0; width: 256px; height: 256px; }
  main { box-sizing: border-box; height: 256px; padding: 32px; border-radius: 48px;
         background: ${manifest.galleryBanner.color}; color: #7fd1b9; }
  svg { width: 192px; height: 192px; }`;

const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
  await page.setContent(`<style>${style}</style><main>${drawing}</main>`);
  await page.screenshot({ path: join(projectFolder, 'media', 'icon.png'), omitBackground: true });
} finally {
  await browser.close();
}
console.log('media/icon.png');

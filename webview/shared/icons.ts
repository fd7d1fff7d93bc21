/** Small pictures for buttons, in the colour of their text. */

const paths = {
  zoomIn: 'M8 3v10M3 8h10',
  zoomOut: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  foldAll: 'M2.5 2.5h11v11h-11zM5 8h6',
  unfoldAll: 'M2.5 2.5h11v11h-11zM5 8h6M8 5v6',
  details: 'M2.5 2.5h11v11h-11zM9.5 2.5v11M11 5.5h1M11 8h1',
  help: 'M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 12.2v.6',
  searchNext: 'M8 3v10M4 9l4 4 4-4',
  searchPrevious: 'M8 13V3M4 7l4-4 4 4',
} as const;

export type IconName = keyof typeof paths;

/** A picture of 16 × 16 CSS pixels, hidden from screen readers: its button has a name. */
export function createIcon(name: IconName): SVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const attributes = {
    viewBox: '0 0 16 16',
    width: '16',
    height: '16',
    'aria-hidden': 'true',
    class: 'icon',
  };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, value);
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

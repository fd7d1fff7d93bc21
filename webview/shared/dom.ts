/** Small helpers for building pages without HTML strings: text only ever becomes text nodes. */

/** A part of an element: an element, text, or nothing. */
export type Child = Node | string | null;

export interface ElementOptions {
  readonly className?: string;
  /** Attributes by name; `null` leaves one out. */
  readonly attributes?: Readonly<Record<string, string | null>>;
}

/** A new element with its class, attributes and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  options: ElementOptions = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  if (options.className !== undefined) created.className = options.className;
  for (const [attribute, value] of Object.entries(options.attributes ?? {})) {
    if (value !== null) created.setAttribute(attribute, value);
  }
  for (const child of children) if (child !== null) created.append(child);
  return created;
}

/** The 2D context of a canvas. @throws Error when the browser has none. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('canvas: expected a 2D context, the browser has none');
  return context;
}

/** Makes the drawing buffer fit the box on screen and scales the context to CSS pixels. */
export function fitCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const pixelWidth = Math.max(1, Math.round(width * ratio));
  const pixelHeight = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

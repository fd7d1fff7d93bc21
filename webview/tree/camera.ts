/** Pan and zoom: screen = world × scale + offset. Pure. */
import type { Box } from './forestLayout';

export interface Camera {
  /** Screen position of the world's origin, CSS pixels. */
  readonly x: number;
  readonly y: number;
  /** CSS pixels per world unit. */
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const maximalScale = 2.5;

/** Zooms by a factor, keeping what is at the screen point where it is. */
export function zoomAt(
  camera: Camera,
  factor: number,
  point: { x: number; y: number },
  minimum: number,
): Camera {
  const scale = Math.min(maximalScale, Math.max(minimum, camera.scale * factor));
  const ratio = scale / camera.scale;
  return { x: point.x - (point.x - camera.x) * ratio, y: point.y - (point.y - camera.y) * ratio, scale };
}

/** The camera that shows a box with a margin, at most at `largest` scale, from its top left. */
export function fitBox(box: Box, size: Size, largest = 1): Camera {
  const margin = 24;
  const width = Math.max(1, box.right - box.left);
  const height = Math.max(1, box.bottom - box.top);
  const scale = Math.min(
    largest,
    Math.max(1, size.width - 2 * margin) / width,
    Math.max(1, size.height - 2 * margin) / height,
  );
  return {
    scale,
    x: Math.max(margin, (size.width - width * scale) / 2) - box.left * scale,
    y: Math.max(margin, (size.height - height * scale) / 2) - box.top * scale,
  };
}

/** The least movement that brings a box into sight with a margin. */
export function bringIntoSight(camera: Camera, box: Box, size: Size): Camera {
  const margin = 28;
  const shift = (low: number, high: number, limit: number): number => {
    if (high - low > limit - 2 * margin || low < margin) return margin - low;
    return high > limit - margin ? limit - margin - high : 0;
  };
  const screen = toScreen(camera, box);
  return {
    ...camera,
    x: camera.x + shift(screen.left, screen.right, size.width),
    y: camera.y + shift(screen.top, screen.bottom, size.height),
  };
}

/** A world box on screen. */
export function toScreen({ x, y, scale }: Camera, box: Box): Box {
  return {
    left: box.left * scale + x,
    right: box.right * scale + x,
    top: box.top * scale + y,
    bottom: box.bottom * scale + y,
  };
}

/** The part of the world that is on screen. */
export function visibleBox({ x, y, scale }: Camera, size: Size): Box {
  return {
    left: -x / scale,
    top: -y / scale,
    right: (size.width - x) / scale,
    bottom: (size.height - y) / scale,
  };
}

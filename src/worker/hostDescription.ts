import { arch, cpus, platform, totalmem } from 'node:os';
import type { HostDescription } from '#runs/runEvent';

/** This machine, without anything that would identify it. */
export function describeHost(): HostDescription {
  return {
    platform: platform(),
    architecture: arch(),
    processors: cpus().length,
    memoryBytes: totalmem(),
    accelerator: null,
  };
}

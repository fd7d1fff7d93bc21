/** A seeded source of uniform numbers: the only randomness of the core. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
}

/**
 * Mixes any number of integers into one 32-bit seed, so that streams for (run, update, task, slot)
 * are independent and can be made anywhere without sharing state.
 *
 * @param parts Integers; only their low 32 bits count.
 * @returns An unsigned 32-bit integer.
 */
export function mixSeed(...parts: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const part of parts) {
    hash ^= part;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/**
 * The sfc32 generator (Chris Doty-Humphrey, PractRand), seeded with `mixSeed(...seeds)`.
 *
 * @param seeds Integers; equal seeds give equal streams on every machine.
 */
export function createRandom(...seeds: readonly number[]): Random {
  let a = mixSeed(...seeds, 1);
  let b = mixSeed(...seeds, 2);
  let c = mixSeed(...seeds, 3);
  let counter = 1;
  function next(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();
  return { next };
}

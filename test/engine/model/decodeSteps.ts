import type { HostTensor } from '#engine/executor';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { floats, integers, type Inputs } from './tinyModel';

/** Keys `[B, Hkv, head_dim, P]` and values `[B, Hkv, P, head_dim]` of every layer, as the decode graph takes them. */
export type Cache = Map<string, HostTensor>;

export function emptyCache(config: LlamaConfig, batch: number): Cache {
  const cache: Cache = new Map();
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const { num_key_value_heads: groups, head_dim: width } = config;
    cache.set(`past.${layer}.key`, floats([batch, groups, width, 0], []));
    cache.set(`past.${layer}.value`, floats([batch, groups, 0, width], []));
  }
  return cache;
}

/** Two arrays joined along an axis. */
function join(left: HostTensor, right: HostTensor, axis: number): HostTensor {
  const shape = left.shape.map((size, index) => (index === axis ? size + right.shape[axis] : size));
  const [leftWidth, rightWidth] = [left, right].map((tensor) =>
    tensor.shape.slice(axis).reduce((a, b) => a * b, 1),
  );
  const rows = left.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const data: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    data.push(...left.data.slice(row * leftWidth, (row + 1) * leftWidth));
    data.push(...right.data.slice(row * rightWidth, (row + 1) * rightWidth));
  }
  return floats(shape, data);
}

export function appendToCache(
  config: LlamaConfig,
  cache: Cache,
  outputs: Readonly<Record<string, HostTensor>>,
): void {
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    for (const [kind, axis] of [
      ['key', 3],
      ['value', 2],
    ] as const) {
      const name = `past.${layer}.${kind}`;
      const past = cache.get(name);
      if (past === undefined) throw new Error(`no ${name}`);
      cache.set(name, join(past, outputs[`present.${layer}.${kind}`], axis));
    }
  }
}

/** Columns start..end of a `[B, T, …]` array. */
function columns(tensor: HostTensor, start: number, end: number): number[] {
  const [batch, length, ...rest] = tensor.shape;
  const width = rest.reduce((a, b) => a * b, 1);
  const data: number[] = [];
  for (let row = 0; row < batch; row += 1) {
    data.push(...tensor.data.slice((row * length + start) * width, (row * length + end) * width));
  }
  return data;
}

/** Inputs of the decode graph for tokens start..end of whole sequences, whose earlier tokens are cached. */
export function decodeInputs(
  config: LlamaConfig,
  { whole, cache, start, end }: { whole: Inputs; cache: Cache; start: number; end: number },
): Inputs {
  const [batch] = whole['tokens'].shape;
  const chunk = end - start;
  const mask = Array.from({ length: batch * chunk * end }, (_, index) =>
    index % end <= start + (Math.floor(index / end) % chunk) ? 0 : -1e9,
  );
  const select = Array.from({ length: batch * chunk }, (_, index) => (index % chunk === chunk - 1 ? 1 : 0));
  const table = [batch, chunk, config.head_dim];
  return {
    ...whole,
    ...Object.fromEntries(cache),
    tokens: integers([batch, chunk], columns(whole['tokens'], start, end)),
    cos: floats(table, columns(whole['cos'], start, end)),
    sin: floats(table, columns(whole['sin'], start, end)),
    attentionMask: floats([batch, 1, chunk, end], mask),
    select: floats([batch, 1, chunk], select),
  };
}

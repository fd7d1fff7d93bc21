/** Whether weights belong to a model. */
import { EngineError } from '#engine/engineError';
import type { LlamaConfig } from '#engine/model/llamaConfig';
import { weightShapes } from '#engine/model/llamaWeights';
import type { NamedTensor, NamedTensors } from '#engine/policy';

/** Names listed in full in a message; the rest is counted. */
const LISTED = 4;

/**
 * The tensors of a model, in its own order, with everything checked that can be.
 *
 * Two kinds of surplus tensors are left out, because published checkpoints have them: a
 * `lm_head.weight` beside tied embeddings, and the rotary frequencies that old versions saved.
 *
 * @param where Begins the message of an error: a file name, or what was called.
 * @param prefix Before every name, e.g. `firstMoment.`.
 * @returns The tensors by weight name, without the prefix; their data is not copied.
 * @throws EngineError `wrongCheckpoint` with the names that are missing or unknown, or the first shape
 *   that differs.
 */
export function checkWeights(
  config: LlamaConfig,
  tensors: NamedTensors,
  { where, prefix = '' }: { readonly where: string; readonly prefix?: string },
): NamedTensors {
  const shapes = weightShapes(config);
  const missing = [...shapes.keys()].filter((name) => !tensors.has(prefix + name));
  const surplus = [...tensors.keys()].filter(
    (name) => name.startsWith(prefix) && !shapes.has(name.slice(prefix.length)) && !isHarmless(config, name),
  );
  if (missing.length > 0) throw wrong(where, `lacks ${list(missing)}${surplusHint(surplus)}`);
  if (surplus.length > 0) throw wrong(where, `has ${list(surplus)}, which this model does not have`);
  const checked = new Map<string, NamedTensor>();
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(prefix + name);
    if (tensor === undefined) continue;
    if (tensor.shape.join() !== shape.join()) {
      throw wrong(
        where,
        `${prefix}${name} has the shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
      );
    }
    checked.set(name, tensor);
  }
  return checked;
}

function isHarmless(config: LlamaConfig, name: string): boolean {
  return (config.tie_word_embeddings && name === 'lm_head.weight') || name.endsWith('.rotary_emb.inv_freq');
}

function list(names: readonly string[]): string {
  const rest = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function surplusHint(surplus: readonly string[]): string {
  return surplus.length === 0 ? '' : `, but has ${list(surplus)}`;
}

function wrong(where: string, what: string): EngineError {
  return new EngineError(
    'wrongCheckpoint',
    `${where}: ${what}. Do config.json and the weights belong together?`,
  );
}

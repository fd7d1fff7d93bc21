import { createRandom } from '#base/random';
import type { BranchingOptions } from '#arpo/branchingOptions';
import { grpoPreset } from '#arpo/branchingOptions';
import { SlotBaselines } from '#arpo/slotBaselines';
import type { GeneratedSegment, GenerateRequest, Sampler, SequenceId, Tokenizer } from '#engine/policy';
import type { Environment } from '#environment/environment';
import { GroupRollout } from '#training/groupRollout';

/** Log-prob and entropy of everything a scripted policy writes. */
export const scriptedLogProb = -1.25;
export const scriptedEntropy = 0.5;

/** Writes the given texts, one per request in the order of requests; a text without `<eos>` at its end is cut by the script. */
export class ScriptedSampler implements Sampler {
  readonly counters = { sampledTokens: 0, fedTokens: 0, decodeSteps: 0 };
  readonly #tokenizer: Tokenizer;
  readonly #texts: string[];
  readonly #sequences = new Map<SequenceId, number[]>();
  #nextId = 1;

  constructor(tokenizer: Tokenizer, texts: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#texts = [...texts];
  }

  get openSequences(): number {
    return this.#sequences.size;
  }

  open(tokens: Int32Array): SequenceId {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#sequences.set(id, [...tokens]);
    return id;
  }

  fork(sequence: SequenceId, length: number): SequenceId {
    return this.open(Int32Array.from(this.tokensOf(sequence).slice(0, length)));
  }

  append(sequence: SequenceId, tokens: Int32Array): void {
    this.tokensOf(sequence).push(...tokens);
  }

  lengthOf(sequence: SequenceId): number {
    return this.tokensOf(sequence).length;
  }

  release(sequence: SequenceId): void {
    if (!this.#sequences.delete(sequence)) throw new RangeError(`sequence ${sequence} is not open`);
  }

  async generate(requests: readonly GenerateRequest[]): Promise<GeneratedSegment[]> {
    return requests.map((request) => this.#write(request));
  }

  tokensOf(sequence: SequenceId): number[] {
    const tokens = this.#sequences.get(sequence);
    if (tokens === undefined) throw new RangeError(`sequence ${sequence} is not open`);
    return tokens;
  }

  #write(request: GenerateRequest): GeneratedSegment {
    const { sequence, maxTokens, forcedTokens } = request;
    const wanted = forcedTokens ?? this.#tokenizer.encode(this.#texts.shift() ?? '<eos>');
    const tokens = wanted.slice(0, maxTokens);
    this.append(sequence, tokens);
    const isEnded = tokens.at(-1) === this.#tokenizer.endTokenId;
    return {
      tokens,
      logProbs: new Float32Array(tokens.length).fill(scriptedLogProb),
      entropies: new Float32Array(tokens.length).fill(scriptedEntropy),
      alternatives: null,
      end: isEnded ? 'endToken' : request.isComplete(tokens) ? 'complete' : 'length',
    };
  }
}

/** A group of one trajectory per script, or of what `branching` says. */
export function scriptedGroup(
  sampler: ScriptedSampler,
  parts: {
    readonly tokenizer: Tokenizer;
    readonly environment: Environment;
    readonly branching?: Partial<BranchingOptions>;
    readonly callLimit?: number;
    readonly totalTokens?: number;
  },
): GroupRollout {
  return new GroupRollout({
    groupIndex: 0,
    task: parts.environment.task('train', 0),
    environment: parts.environment,
    tokenizer: parts.tokenizer,
    sampler,
    branching: { ...grpoPreset, globalRollouts: 1, initialRollouts: 1, ...parts.branching },
    entropyHistory: [],
    slotBaselines: new SlotBaselines(),
    callLimit: parts.callLimit ?? 2,
    totalTokens: parts.totalTokens ?? 40,
    tokenRandom: () => createRandom(1),
    branchRandom: createRandom(2),
  });
}

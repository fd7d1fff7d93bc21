/**
 * The directory of one task: every record is a hash of (directory seed, kind, key), so facts cannot be
 * memorised and any query gets a consistent answer.
 */
import { mixSeed } from '#base/random';
import { ToolFailure } from '#environment/tool';
import { attributes, names, relations, wordsOf } from '#environment/tasks/directoryWords';

/** How often records are exceptional. */
export interface RecordRates {
  /** Share of relation records that are `see`, `new`/`old` or `none`, a third each. */
  readonly relation: number;
  /** Share of attribute records that are `twice` or `none`, half each. */
  readonly attribute: number;
}

/**
 * `see y`: ask the same of y. `newer`: y, with an outdated z beside it. `none`: y only by `deep`. People are indices.
 */
export interface RelationRecord {
  readonly kind: 'plain' | 'see' | 'newer' | 'none';
  readonly person: number;
  /** A wrong person, shown as `old` in `newer` records. */
  readonly decoy: number;
  /** Of `newer`: whether `old` is printed first. */
  readonly isOldFirst: boolean;
}

/** `twice`: the shown value must be doubled. `none`: the value only by `deep`. */
export interface AttributeRecord {
  readonly kind: 'plain' | 'twice' | 'none';
  /** The value as shown, not yet doubled. */
  readonly shown: number;
}

const twoTo32 = 2 ** 32;

export class VirtualDirectory {
  readonly #seed: number;
  readonly #rates: RecordRates;

  constructor(seed: number, rates: RecordRates) {
    this.#seed = seed;
    this.#rates = rates;
  }

  /** The record of a relation (0–2) of a person (0–19). */
  relation(relation: number, person: number): RelationRecord {
    const draw = mixSeed(this.#seed, 1, relation, person) / twoTo32;
    let target = mixSeed(this.#seed, 2, relation, person) % names.length;
    if (target === person) target = (target + 1) % names.length;
    let decoy = mixSeed(this.#seed, 3, relation, person) % names.length;
    while (decoy === person || decoy === target) decoy = (decoy + 1) % names.length;
    const isOldFirst = (mixSeed(this.#seed, 4, relation, person) & 1) === 1;
    const rate = this.#rates.relation;
    const kind = draw < rate / 3 ? 'see' : draw < (2 * rate) / 3 ? 'newer' : draw < rate ? 'none' : 'plain';
    return { kind, person: target, decoy, isOldFirst };
  }

  /** The record of an attribute (0–2) of a person (0–19). */
  attribute(attribute: number, person: number): AttributeRecord {
    const draw = mixSeed(this.#seed, 5, attribute, person) / twoTo32;
    const value = 10 + (mixSeed(this.#seed, 6, attribute, person) % 40);
    const rate = this.#rates.attribute;
    if (draw < rate / 2) return { kind: 'twice', shown: 10 + (value % 15) };
    return { kind: draw < rate ? 'none' : 'plain', shown: value };
  }

  /**
   * The answer to `[deep] relation|attribute of Name`.
   *
   * @throws ToolFailure `error` for a malformed query, and for `deep` on a record that is not `none`, so
   *   that always asking deep is no shortcut.
   */
  search(query: string): string {
    const words = wordsOf(query);
    const isDeep = words[0] === 'deep';
    const [subject, link, name, ...rest] = isDeep ? words.slice(1) : words;
    const person = names.indexOf(name);
    if (link !== 'of' || person < 0 || rest.length > 0) throw huntError(malformedQuery(query));
    const relation = relations.indexOf(subject);
    if (relation >= 0) return this.#answerRelation(relation, person, isDeep);
    const attribute = attributes.indexOf(subject);
    if (attribute >= 0) return this.#answerAttribute(attribute, person, isDeep);
    throw huntError(malformedQuery(query));
  }

  #answerRelation(relation: number, person: number, isDeep: boolean): string {
    const record = this.relation(relation, person);
    const target = names[record.person];
    if (isDeep) return deepAnswer(record.kind, target);
    switch (record.kind) {
      case 'plain':
        return target;
      case 'see':
        return `see ${target}`;
      case 'none':
        return 'none';
      case 'newer': {
        const old = `old ${names[record.decoy]}`;
        return record.isOldFirst ? `${old} new ${target}` : `new ${target} ${old}`;
      }
    }
  }

  #answerAttribute(attribute: number, person: number, isDeep: boolean): string {
    const { kind, shown } = this.attribute(attribute, person);
    if (isDeep) return deepAnswer(kind, String(shown));
    if (kind === 'none') return 'none';
    return kind === 'twice' ? `twice ${shown}` : String(shown);
  }
}

/** What the model sees is always the word `error`; people see why. */
export function huntError(why: string): ToolFailure {
  return new ToolFailure('error', { isTransient: false, summary: why });
}

function deepAnswer(kind: string, answer: string): string {
  if (kind === 'none') return answer;
  throw huntError('"deep" answers only where the plain query answers "none".');
}

function malformedQuery(query: string): string {
  return `Expected "[deep] relation|attribute of Name", got "${query}".`;
}

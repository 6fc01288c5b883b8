// The electoral roll (spec 4): batches, entries, registrations, re-invitations and the roll's log.

import { concat, hex, unhex } from './bytes.js';
import { Refused, require } from './fault.js';
import { differ, type Manifest } from './manifest.js';
import { list, u32, u8, type Decoder } from './scale.js';
import * as transcript from './transcript.js';

export type Access =
  | { readonly kind: 'invited'; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'credential'; readonly credential: Uint8Array };

export interface RollEntry {
  readonly access: Access;
  readonly weight: bigint;
  readonly style: number;
  readonly unit: number;
  readonly person: Uint8Array;
}

function access(d: Decoder): Access {
  const index = d.u8();
  if (index === 0) return { kind: 'invited', keys: d.list(2, (d) => d.id()) };
  if (index === 1) return { kind: 'credential', credential: d.id() };
  throw new Refused('4.1', `there is no access ${index}`);
}

export const rollEntry = (d: Decoder): RollEntry => ({
  access: access(d),
  weight: d.u64(),
  style: d.u16(),
  unit: d.u16(),
  person: d.id(),
});

const keysOf = ({ access }: RollEntry): readonly Uint8Array[] =>
  access.kind === 'invited' ? access.keys : [access.credential];

/** A confirmed entry. */
interface Confirmed {
  readonly weight: bigint;
  readonly style: number;
  readonly unit: number;
  /** Its invitation keys in hexadecimal, as among those of the roll; none if it was given a credential at once. */
  keys: readonly string[];
  round: number;
  credential: string | undefined;
}

interface Batch {
  readonly digest: Uint8Array;
  /** Forgotten at confirmation. */
  entries: readonly RollEntry[] | undefined;
}

/** The ballot that counts for a voter. */
export interface CountedBallot {
  readonly hash: Uint8Array;
  readonly sequence: number;
  /** The encodings of its commitments to options, joined. */
  readonly commitments: Uint8Array;
  /** The trustees whose receipts it carries. */
  readonly receipts: readonly number[];
}

/** A voter: an entry of the roll with a credential. */
export interface Voter {
  readonly entry: number;
  readonly weight: bigint;
  readonly style: number;
  readonly unit: number;
  ballots: number;
  counted: CountedBallot | undefined;
}

export class Roll {
  readonly #batches: Batch[] = [];
  readonly #entries: Confirmed[] = [];
  readonly #invitations = new Set<string>();
  readonly #voters = new Map<string, Voter>();
  #head = new Uint8Array(32);

  constructor(readonly manifest: Manifest) {}

  /** The head of the roll's log (spec 4.4). */
  get head(): Uint8Array {
    return this.#head;
  }

  get entries(): readonly { readonly unit: number }[] {
    return this.#entries;
  }

  /** The voters by their credentials in hexadecimal. */
  get voters(): ReadonlyMap<string, Voter> {
    return this.#voters;
  }

  #log(...event: Uint8Array[]): void {
    this.#head = transcript.log(this.#head, concat(...event)) as Uint8Array<ArrayBuffer>;
  }

  /** Takes a batch that a registrar proposes (spec 4.2). */
  propose(number: number, entries: readonly RollEntry[], digest: Uint8Array): void {
    require(number === this.#batches.length, '4.2', `batch ${this.#batches.length} is the next, not ${number}`);
    this.#fits(entries);
    this.#batches.push({ digest: digest.slice(), entries: entries.map(copy) });
  }

  #fits(entries: readonly RollEntry[]): void {
    const { weights, styles, units, maxVoters } = this.manifest;
    require(entries.length > 0, '4.2', 'the batch has no entry');
    require(this.#entries.length + entries.length <= maxVoters, '4.2', 'the roll would pass max_voters');
    for (const entry of entries) {
      const keys = keysOf(entry);
      require(keys.length > 0, '4.1', 'an entry has no invitation key');
      require(weights.includes(entry.weight), '4.1', 'an entry has a weight that the manifest has not');
      require(entry.style < styles.length, '4.1', 'an entry has a style that the manifest has not');
      require(entry.unit < units.length, '4.1', 'an entry has a reporting unit that the manifest has not');
      for (const key of keys) {
        const taken = entry.access.kind === 'invited' ? this.#invitations : this.#voters;
        require(!taken.has(hex(key)), '4.2', 'a key of the batch is on the roll already');
      }
    }
    require(differ(entries.flatMap(keysOf)), '4.2', 'the batch holds a key twice');
  }

  /** The entries of a batch that can be confirmed now. */
  confirmable(number: number, digest: Uint8Array): readonly RollEntry[] {
    const batch = this.#batches[number];
    require(batch !== undefined && hex(batch.digest) === hex(digest), '8.1', 'there is no batch of this digest');
    require(batch.entries !== undefined, '8.1', 'the batch is confirmed already');
    this.#fits(batch.entries);
    return batch.entries;
  }

  confirm(number: number, digest: Uint8Array): void {
    const entries = this.confirmable(number, digest);
    const first = this.#entries.length;
    this.#batches[number]!.entries = undefined;
    for (const { access, weight, style, unit } of entries) {
      const index = this.#entries.length;
      this.#entries.push({ weight, style, unit, keys: [], round: 0, credential: undefined });
      if (access.kind === 'invited') this.#invite(index, access.keys);
      else this.#enrol(index, access.credential);
    }
    this.#log(u8(0), u32(number), digest, u32(first), u32(entries.length));
  }

  #invite(index: number, keys: readonly Uint8Array[]): void {
    const ids = keys.map(hex);
    this.#entries[index]!.keys = ids;
    for (const id of ids) this.#invitations.add(id);
  }

  #enrol(index: number, credential: Uint8Array): void {
    const entry = this.#entries[index]!;
    const { weight, style, unit } = entry;
    entry.credential = hex(credential);
    this.#voters.set(entry.credential, { entry: index, weight, style, unit, ballots: 0, counted: undefined });
  }

  #entry(index: number): Confirmed {
    const entry = this.#entries[index];
    require(entry !== undefined, '4.3', `the roll has no entry ${index}`);
    return entry;
  }

  /** The invitation keys of an entry that this credential may be registered for. */
  invited(index: number, credential: Uint8Array): readonly Uint8Array[] {
    const entry = this.#entry(index);
    require(entry.credential === undefined, '4.3', 'the entry has a credential already');
    require(!this.#voters.has(hex(credential)), '4.3', 'the credential is on another entry');
    return entry.keys.map(unhex);
  }

  register(index: number, credential: Uint8Array): void {
    this.#enrol(index, credential);
    this.#log(u8(1), u32(index), credential);
  }

  /** Refuses a re-invitation that can't be carried out now (spec 4.3). */
  reinvitable(index: number, round: number, keys: readonly Uint8Array[]): Confirmed {
    const entry = this.#entry(index);
    require(round === entry.round && round <= 254, '4.3', `the entry was re-invited ${entry.round} times`);
    require(keys.length > 0 && differ(keys), '4.3', 'not one or two different keys');
    require(!keys.some((key) => this.#invitations.has(hex(key))), '4.3', 'an invitation key is on the roll already');
    return entry;
  }

  reinvite(index: number, round: number, keys: readonly Uint8Array[]): void {
    const entry = this.reinvitable(index, round, keys);
    for (const id of entry.keys) this.#invitations.delete(id);
    if (entry.credential !== undefined) this.#voters.delete(entry.credential);
    entry.credential = undefined;
    entry.round++;
    this.#invite(index, keys);
    this.#log(u8(2), u32(index), list(keys));
  }
}

/** An entry that does not keep the bytes of its block alive. */
const copy = (entry: RollEntry): RollEntry => ({
  ...entry,
  access:
    entry.access.kind === 'invited'
      ? { kind: 'invited', keys: entry.access.keys.map((key) => key.slice()) }
      : { kind: 'credential', credential: entry.access.credential.slice() },
  person: entry.person.slice(),
});

// The set of counted ballots and the trustees' agreement on it (spec 7.1, 7.2).

import { MAX } from './bounds.js';
import { compare, concat, hex, unhex } from './bytes.js';
import { require } from './fault.js';
import type { Missing, SetStatement } from './messages.js';
import type { Voter } from './roll.js';
import { u16, u32, u64 } from './scale.js';
import * as transcript from './transcript.js';

/** The voters with an accepted ballot, sorted by credential. */
export const counted = (voters: ReadonlyMap<string, Voter>): (readonly [credential: string, voter: Voter])[] =>
  [...voters].filter(([, voter]) => voter.counted !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));

/** The leaf of a counted ballot, with weight and unit from the roll. */
export function leaf(credential: Uint8Array, sequence: number, hash: Uint8Array, weight: bigint, unit: number): Uint8Array {
  return transcript.acceptedLeaf(concat(credential, u32(sequence), hash, u64(weight), u16(unit)));
}

/** The root over leaves: neighbours are joined level by level, the last of an odd level goes up as it is. */
export function root(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      next.push(right === undefined ? level[i]! : transcript.acceptedNode(level[i]!, right));
    }
    level = next;
  }
  return level[0] ?? new Uint8Array(32);
}

/** The root of the set of counted ballots. */
export const rootOf = (set: readonly (readonly [string, Voter])[]): Uint8Array =>
  root(
    set.map(([credential, { weight, unit, counted }]) =>
      leaf(unhex(credential), counted!.sequence, counted!.hash, weight, unit)),
  );

/** What the trustees said that they can't serve. */
export class Declarations {
  readonly #declared = new Map<number, Missing>();

  /** Takes a declaration; `accepted` tells whether a credential, in hexadecimal, has an accepted ballot. */
  add(trustee: number, missing: Missing, accepted: (credential: string) => boolean): void {
    require(!this.#declared.has(trustee), '7.2', 'the trustee made its declaration already');
    if (missing.kind === 'all') {
      this.#declared.set(trustee, missing);
      return;
    }
    const { credentials } = missing;
    const ascend = credentials.every((credential, i) => i === 0 || compare(credentials[i - 1]!, credential) < 0);
    require(ascend, '7.2', 'the credentials do not ascend strictly');
    require(credentials.every((credential) => accepted(hex(credential))), '7.2', 'a credential has no accepted ballot');
    this.#declared.set(trustee, { kind: 'some', credentials: credentials.map((credential) => credential.slice()) });
  }

  /** The ballots that more than n − t trustees lack, by credential, and who lacks each. */
  excluded(trustees: number, threshold: number): Map<string, readonly number[]> {
    const most = trustees - threshold;
    const all = [...this.#declared].filter(([, { kind }]) => kind === 'all').map(([trustee]) => trustee);
    if (all.length > most) return new Map();
    const lacking = new Map<string, number[]>();
    for (const [trustee, missing] of this.#declared) {
      if (missing.kind === 'all') continue;
      for (const credential of missing.credentials) {
        const id = hex(credential);
        const others = lacking.get(id);
        if (others === undefined) lacking.set(id, [...all, trustee]);
        else others.push(trustee);
      }
    }
    const excluded = [...lacking].filter(([, trustees]) => trustees.length > most);
    return new Map(excluded.map(([credential, trustees]) => [credential, trustees.sort((a, b) => a - b)] as const));
  }
}

/** A statement, and the trustees who signed it. */
export interface Signed {
  readonly statement: SetStatement;
  readonly trustees: readonly number[];
}

/** The set statements that trustees signed, and how many of them make the agreement. */
export class Statements {
  readonly #statements = new Map<string, { statement: SetStatement; trustees: number[] }>();
  readonly #lowered: { quorum: number; from: number }[] = [];

  constructor(readonly quorum: number) {}

  /** The quorum that was asked for last, whether it holds yet or not. */
  get last(): number {
    return this.#lowered.at(-1)?.quorum ?? this.quorum;
  }

  /** The board lowers the quorum in the block of this height. */
  lower(quorum: number, height: number): void {
    this.#lowered.push({ quorum, from: height + MAX.blocksToLower });
  }

  has(trustee: number): boolean {
    return [...this.#statements.values()].some(({ trustees }) => trustees.includes(trustee));
  }

  add(trustee: number, statement: SetStatement): void {
    const id = hex(statement.encoding);
    const same = this.#statements.get(id);
    if (same === undefined) this.#statements.set(id, { statement: copy(statement), trustees: [trustee] });
    else same.trustees.push(trustee);
  }

  /** The trustees who signed another statement than this one. */
  others(encoding: Uint8Array): number[] {
    const other = [...this.#statements].filter(([id]) => id !== hex(encoding));
    return other.flatMap(([, { trustees }]) => trustees).sort((a, b) => a - b);
  }

  /**
   * The statement that is agreed at this height: q trustees signed it; or as many as a lowered quorum that holds
   * did, no other statement has as many, and it is one of the set as it is now, as far as the chain can tell.
   */
  agreed(height: number, isCurrent: (statement: SetStatement) => boolean): Signed | undefined {
    const all = [...this.#statements.values()];
    const whole = all.find(({ trustees }) => trustees.length >= this.quorum);
    if (whole !== undefined) return whole;
    const lowered = this.#lowered.filter(({ from }) => from <= height).at(-1);
    if (lowered === undefined) return undefined;
    const [first, ...others] = all.filter(({ trustees }) => trustees.length >= lowered.quorum);
    return first !== undefined && others.length === 0 && isCurrent(first.statement) ? first : undefined;
  }
}

/** A statement that does not keep the bytes of its block alive. */
const copy = ({ closing, root, ballots, log, encoding }: SetStatement): SetStatement => ({
  closing: { height: closing.height, hash: closing.hash.slice() },
  root: root.slice(),
  ballots,
  log: log.slice(),
  encoding: encoding.slice(),
});

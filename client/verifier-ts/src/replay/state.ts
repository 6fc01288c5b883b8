// What a replay knows of the election so far, and what all its steps need (spec 9.2).

import type { Declarations, Statements } from '../agreement.js';
import type { Ballots } from '../ballot.js';
import { Approvals } from '../board.js';
import type { Cell } from '../cells.js';
import { Chain, type Linked } from '../chain.js';
import { Waiting } from '../equation.js';
import { Fault, Refused, type Place } from '../fault.js';
import type { Point } from '../group.js';
import type { Manifest } from '../manifest.js';
import type { Opening } from '../record.js';
import type { Roll, Voter } from '../roll.js';
import { signatureTerms } from '../signature.js';
import type * as tally from '../tally.js';
import * as transcript from '../transcript.js';
import type { Role } from '../transcript.js';
import { MISSING_IN, PHASES, type Phase } from './checks.js';

/** What its reader knows of an election beforehand, from elsewhere than the record. */
export interface Known {
  readonly genesis?: Uint8Array;
  readonly eid?: Uint8Array;
  readonly board?: { readonly members: readonly Uint8Array[]; readonly threshold: number };
  /** The SHA-256 of the key of the board's certificates (spec 9.6). */
  readonly fingerprint?: Uint8Array;
}

/** A ballot that too many trustees lack (spec 7.2). */
export interface Excluded {
  readonly voter: Voter;
  readonly lacking: readonly number[];
}

/** The counted ballots, once voting is over: a declaration can change them until the set is agreed. */
export interface CountedSet {
  readonly closing: Linked;
  readonly root: Uint8Array;
  /** The encoding of the set statement. */
  readonly statement: Uint8Array;
  readonly voters: readonly Voter[];
  /** By credential, in its order. */
  readonly excluded: ReadonlyMap<string, Excluded>;
  readonly cells: readonly Cell[];
  /** Cell by cell, as the turnouts. */
  readonly sums: readonly Point[];
  readonly turnout: readonly tally.Turnout[];
  /** The group that forbids opening anything, if there is one. */
  readonly withheld: string | undefined;
}

export interface Result {
  readonly contributors: readonly number[];
  /** Of each cell and contest, the options' totals. */
  readonly totals: readonly (readonly (readonly bigint[])[])[];
  readonly digest: Uint8Array;
  readonly wrong: readonly number[];
}

/** The election, once it is created. */
export interface Election extends Ballots {
  readonly number: number;
  readonly manifest: Manifest;
  /** The columns of each style's commitments. */
  readonly columns: readonly (readonly number[])[];
  readonly roll: Roll;
  readonly sums: tally.Sums;
  readonly accepted: Set<number>;
  /** The number of each trustee's last statement of its address. */
  readonly addresses: Map<number, number>;
  readonly declarations: Declarations;
  readonly statements: Statements;
  readonly contributions: Map<number, tally.Contribution>;
}

export class State {
  readonly chain = new Chain();
  /** The checks that were carried out to their end. */
  readonly passed = new Set<number>();
  phase: Phase | undefined;
  /** The election that approvals of its creation describe. */
  created: Election | undefined;
  election: Election | undefined;
  set: CountedSet | undefined;
  result: Result | undefined;
  opensAt = 0n;
  closesAt = 0n;
  ballots = 0;
  olderAnchors = 0;
  ballotLog: Uint8Array = new Uint8Array(32);
  voidReason: string | undefined;

  readonly waiting = new Waiting();
  readonly approvals = new Approvals();

  constructor(readonly opening: Opening) {}

  /** Checks what still waits. */
  settle(): void {
    this.waiting.check();
  }

  /** The election, in one of these phases. What comes too early fails the check whose subject is missing (spec 9.2). */
  in(place: Place, ...phases: Phase[]): Election {
    const { phase, election } = this;
    if (phase !== undefined && election !== undefined && phases.includes(phase)) return election;
    throw this.#notAllowed(place, phases);
  }

  #notAllowed(place: Place, phases: readonly Phase[]): Fault {
    const { phase } = this;
    const early = phase !== undefined && PHASES.indexOf(phase) < Math.min(...phases.map((allowed) => PHASES.indexOf(allowed)));
    const missing = phase === undefined ? 4 : early ? MISSING_IN[phase] : undefined;
    return new Fault({ ...place, check: missing ?? place.check }, '8.1', `not allowed ${inPhase(phase)}`);
  }

  /** A signature of this election: its equation waits. */
  signature(
    place: Place,
    rule: string,
    key: Uint8Array,
    role: Role,
    index: number,
    payload: Uint8Array,
    signature: Uint8Array,
    eid = this.opening.eid,
  ): void {
    const refused = new Refused(rule, 'the signature is not by the key that it must be by');
    const message = transcript.signed(role, this.opening.genesis, eid, index, payload);
    const terms = signatureTerms(key, message, signature);
    if (terms === undefined) throw Fault.at(place, refused);
    this.waiting.add(place, [{ terms, refused }]);
  }

  /** The key of a trustee. */
  trustee(place: Place, trustee: number): Uint8Array {
    const key = this.election!.manifest.trustees[trustee - 1]?.signingKey;
    if (key === undefined) throw new Fault(place, '3.1', `the manifest has no trustee ${trustee}`);
    return key;
  }

  /** The key of a trustee who may take part in the tally: a rehearsal holds one back (spec 3.8). */
  tallying(place: Place, trustee: number): Uint8Array {
    const key = this.trustee(place, trustee);
    if (trustee === this.election!.manifest.rehearsal) {
      throw new Fault(place, '3.8', `trustee ${trustee} is held back in this rehearsal`);
    }
    return key;
  }
}

const inPhase = (phase: Phase | undefined): string =>
  phase === undefined ? 'before the election is created' : `in phase ${phase}`;

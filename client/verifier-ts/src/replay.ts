// The replay of an election (spec 8.1, 9.2): every message was allowed when it was its turn, and takes effect.
//
// Equations (of signatures and proofs) wait until there are many; a message that the rules forbid ends the
// replay, but what waits before it is checked first, so that the first fault of the record is the one named.

import { counted, Declarations, rootOf, Statements } from './agreement.js';
import { ballotName, check as checkBallot, type Anchor, type Ballots } from './ballot.js';
import { Approvals } from './board.js';
import { MAX } from './bounds.js';
import { concat, equal, hex } from './bytes.js';
import { cells, type Cell } from './cells.js';
import { Chain, type Linked } from './chain.js';
import { Waiting } from './equation.js';
import { at, Fault, Refused, require, type Place } from './fault.js';
import * as generators from './generators.js';
import { decodePoint, type Point } from './group.js';
import { Groups } from './groups.js';
import { columnsOf, identifier, isBoard, validate, type Manifest } from './manifest.js';
import type * as Messages from './messages.js';
import type { Block, Opening } from './record.js';
import { Roll, type Voter } from './roll.js';
import { u32 } from './scale.js';
import { decodeKey, signatureTerms } from './signature.js';
import * as tally from './tally.js';
import * as transcript from './transcript.js';
import { ROLE, type Role } from './transcript.js';

export type Phase =
  | 'Setup'
  | 'Registration'
  | 'Frozen'
  | 'Open'
  | 'Closed'
  | 'Agreed'
  | 'Tallied'
  | 'Certified'
  | 'Void';

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
interface Election extends Ballots {
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

const NOBODY = new Uint8Array(32);
const EXPORTER = 'whoever made the record';

/** The check that a message belongs to; that of an approval is its action's. */
const CHECK_OF_MESSAGE: Record<Exclude<Messages.Message['kind'], 'Approve'>, number> = {
  AddBatch: 6,
  Register: 6,
  Accept: 5,
  Cast: 8,
  Agree: 11,
  Contribute: 13,
  Finalize: 14,
  Announce: 5,
  Declare: 11,
};

/** The check that a board action belongs to. */
const CHECK_OF_ACTION: Record<Messages.Action['kind'], number> = {
  CreateElection: 4,
  ConfirmBatch: 6,
  Reinvite: 6,
  Freeze: 7,
  Postpone: 7,
  Extend: 7,
  Close: 7,
  Certify: 15,
  Void: 15,
  LowerQuorum: 11,
};

const PHASES: readonly Phase[] = ['Setup', 'Registration', 'Frozen', 'Open', 'Closed', 'Agreed', 'Tallied', 'Certified', 'Void'];

/** The check whose subject is missing before a message that comes too early, in this phase. */
const MISSING_IN: Partial<Record<Phase, number>> = { Setup: 5, Registration: 7, Closed: 11, Agreed: 14 };

export class Replay {
  readonly chain = new Chain();
  /** The checks that were carried out to their end. */
  readonly passed = new Set<number>();
  phase: Phase | undefined;
  election: Election | undefined;
  set: CountedSet | undefined;
  result: Result | undefined;
  opensAt = 0n;
  closesAt = 0n;
  ballots = 0;
  olderAnchors = 0;
  ballotLog: Uint8Array = new Uint8Array(32);
  voidReason: string | undefined;

  readonly #waiting = new Waiting();
  readonly #approvals = new Approvals();

  constructor(
    readonly opening: Opening,
    known: Known = {},
  ) {
    const place = (check: number): Place => ({ check, object: 'the first frame', party: EXPORTER });
    at(place(3), () => {
      require(!known.genesis || equal(known.genesis, opening.genesis), '9.2', 'the record is of another chain');
      require(!known.eid || equal(known.eid, opening.eid), '9.2', 'the record is of another election');
    });
    at(place(4), () => {
      require(isBoard(opening.board), '9.1', 'the chain’s board is not valid');
      require(!known.board || sameBoard(known.board, opening.board), '9.2', 'the chain has another board');
    });
  }

  get over(): boolean {
    return this.phase === 'Certified' || this.phase === 'Void';
  }

  block({ header, time, messages }: Block): void {
    const previous = this.chain.last;
    const name = previous === undefined ? 'the first block' : `the block after ${previous.height}`;
    if (this.over) this.#nothingFollows(name);
    const linked = at({ check: 2, object: name, party: EXPORTER }, () => this.chain.extend(header, time));
    if (previous !== undefined) this.#clock(previous);
    this.#agreed(linked, `the start of block ${linked.height}`);
    messages.forEach((message, index) => {
      const object = `block ${linked.height}, message ${index} (${message.kind})`;
      if (this.over) this.#nothingFollows(object);
      this.#message(message, object, linked);
    });
  }

  #nothingFollows(object: string): never {
    throw new Fault({ check: 16, object, party: EXPORTER }, '9.1', 'something follows the end of the election');
  }

  /** Checks what still waits. */
  settle(): void {
    this.#waiting.check();
  }

  /** The record ends here. */
  end(): void {
    this.settle();
    const object = this.chain.last === undefined ? 'the file' : `block ${this.chain.last.height}`;
    at({ check: 1, object, party: EXPORTER }, () => {
      require(this.over, '9.1', 'the record ends before the election was certified or voided');
    });
    for (const check of [1, 2, 16]) this.passed.add(check);
  }

  // The clock (spec 6.6).

  #clock(previous: Linked): void {
    if (this.phase === 'Frozen' && previous.time >= this.opensAt) {
      this.phase = 'Open';
    } else if (this.phase === 'Open' && previous.time >= this.closesAt) {
      this.phase = 'Closed';
      this.#close(previous);
    } else if (this.phase === 'Closed' && this.set === undefined) {
      this.#close(previous);
    }
  }

  /** Voting is over, and this was its last block: the counted set is fixed. */
  #close(closing: Linked): void {
    this.settle();
    for (const check of [7, 8]) this.passed.add(check);
    this.#count(closing, new Map());
    at({ check: 9, object: `the counted set at block ${closing.height}`, party: 'the validators' }, () => {
      const { voters } = this.set!;
      require(new Set(voters.map(({ entry }) => entry)).size === voters.length, '9.2', 'two ballots have one roll entry');
    });
    this.passed.add(9);
  }

  /** Computes the counted set, without the ballots that are excluded. */
  #count(closing: Linked, excluded: CountedSet['excluded']): void {
    const { manifest, roll, sums } = this.election!;
    const set = counted(roll.voters).filter(([credential]) => !excluded.has(credential));
    const voters = set.map(([, voter]) => voter);
    const root = rootOf(set);
    const statement = concat(u32(closing.height), closing.hash, root, u32(voters.length), this.ballotLog);
    const withheld = Groups.of(manifest, voters).small();
    const own = cells(manifest, voters);
    const turnout = tally.turnouts(manifest, own, voters);
    const without = [...excluded.values()].map(({ voter }) => voter);
    this.set = { closing, root, statement, voters, excluded, cells: own, sums: this.#without(sums, own, without), turnout, withheld };
    if (withheld === undefined) this.passed.add(10);
    else this.passed.delete(10);
    this.passed.add(12);
  }

  /** The sums but for some voters' ballots. */
  #without(sums: tally.Sums, cells: readonly Cell[], voters: readonly Voter[]): Point[] {
    const own = ({ style }: Voter): readonly number[] => this.election!.columns[style]!;
    const each = (change: 'add' | 'remove'): void =>
      voters.forEach((voter) => sums[change](voter, own(voter), points(voter.counted!.commitments)));
    each('remove');
    const totals = sums.totals(cells);
    each('add');
    return totals;
  }

  // Messages.

  #message(message: Messages.Message, object: string, block: Linked): void {
    const eid = eidOf(message);
    if (eid !== undefined) {
      at({ check: 1, object, party: EXPORTER }, () => {
        require(equal(eid, this.opening.eid), '9.1', 'the message is of another election');
      });
    }
    switch (message.kind) {
      case 'Approve':
        return this.#approve(message, object, block);
      case 'AddBatch':
        return this.#addBatch(message, object);
      case 'Register':
        return this.#register(message, object);
      case 'Accept':
        return this.#accept(message, object);
      case 'Cast':
        return this.#cast(message, object, block);
      case 'Agree':
        return this.#agree(message, object, block);
      case 'Contribute':
        return this.#contribute(message, object);
      case 'Finalize':
        return this.#finalize(message, object);
      case 'Announce':
        return this.#announce(message, object);
      case 'Declare':
        return this.#declare(message, object);
    }
  }

  /** The election, in one of these phases. What comes too early fails the check whose subject is missing (spec 9.2). */
  #in(place: Place, ...phases: Phase[]): Election {
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
  #signature(
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
    this.#waiting.add(place, [{ terms, refused }]);
  }

  // Boards (spec 3.4, 8.1).

  #approve({ action, encoding, member, signature }: Messages.Approve, object: string, block: Linked): void {
    const creates = action.kind === 'CreateElection';
    const place: Place = {
      check: CHECK_OF_ACTION[action.kind],
      object: `${object}: ${action.kind}`,
      party: `member ${member} of the ${creates ? 'chain’s' : 'election’s'} board, and the validators`,
    };
    this.#permit(action, place, block);
    const board = creates ? this.opening.board : this.election!.manifest.board;
    const digest = transcript.action(encoding);
    const key = board.members[member];
    at(place, () => require(key !== undefined, '3.4', `the board has no member ${member}`));
    this.#signature(place, '3.4', key!, ROLE.boardMember, member, digest, signature, creates ? NOBODY : this.opening.eid);
    const carried = at(place, () => this.#approvals.count(digest, member, board.threshold, block.height));
    if (carried) at(place, () => this.#carryOut(action, block));
  }

  /** Refuses an action that could not be carried out in this block. */
  #permit(action: Messages.Action, place: Place, { time }: Linked): void {
    switch (action.kind) {
      case 'CreateElection':
        at({ ...place, check: 3 }, () => {
          const eid = identifier(this.opening.genesis, action.number, action.encoding);
          require(equal(eid, this.opening.eid), '3.2', 'genesis, number and manifest do not give the election’s identifier');
        });
        at(place, () => require(this.phase === undefined, '8.1', 'the election was created already'));
        return at({ ...place, check: 3 }, () => {
          this.#created ??= this.#create(action);
        });
      case 'ConfirmBatch':
        return at(place, () => {
          this.#in(place, 'Setup', 'Registration').roll.confirmable(action.batch, action.digest);
        });
      case 'Reinvite':
        return at(place, () => {
          this.#in(place, 'Registration').roll.reinvitable(action.entry, action.round, action.keys);
        });
      case 'Freeze': {
        const { roll, manifest } = at(place, () => {
          const election = this.#in(place, 'Registration');
          require(time < this.closesAt, '8.1', 'the roll is frozen after the close');
          return election;
        });
        at({ ...place, check: 6 }, () => {
          require(equal(action.head, roll.head), '4.4', 'the head is not that of the roll’s log');
          require(roll.voters.size > 0, '4.4', 'the roll has no voters');
        });
        return at({ ...place, check: 10 }, () => {
          const small = Groups.of(manifest, roll.voters.values()).small();
          require(small === undefined, '7.1', `a group on the roll is below the privacy minimum: ${small}`);
        });
      }
      case 'Postpone':
        return at(place, () => {
          this.#in(place, 'Setup', 'Registration', 'Frozen');
          require(this.phase !== 'Frozen' || time < this.opensAt, '8.1', 'voting is about to open');
          require(action.opensAt > this.opensAt, '8.1', 'the opening is not later than before');
          require(action.closesAt >= this.closesAt, '8.1', 'the close is earlier than before');
          require(action.closesAt > action.opensAt, '8.1', 'it closes before it opens');
        });
      case 'Extend':
        return at(place, () => {
          this.#in(place, 'Open');
          require(time < this.closesAt, '8.1', 'voting is about to close');
          require(action.closesAt > this.closesAt, '8.1', 'the close is not later than before');
          reason(action.reason);
        });
      case 'Close':
        return at(place, () => {
          const { manifest } = this.#in(place, 'Open');
          require(time < this.closesAt, '8.1', 'voting is about to close');
          require(manifest.earlyClose, '8.1', 'the manifest does not allow closing early');
        });
      case 'Certify':
        return at(place, () => {
          this.#in(place, 'Tallied');
          require(equal(action.digest, this.result!.digest), '7.6', 'the digest is not that of the result');
        });
      case 'Void':
        return at(place, () => {
          this.#in(place, 'Setup', 'Registration', 'Frozen', 'Open', 'Closed', 'Agreed', 'Tallied');
          reason(action.reason);
        });
      case 'LowerQuorum':
        return at(place, () => {
          const { manifest, statements } = this.#in(place, 'Closed');
          const lowers = manifest.threshold <= action.quorum && action.quorum < statements.last;
          require(lowers, '8.1', 'the quorum is not lower than the last one, or is below the threshold');
          reason(action.reason);
        });
    }
  }

  /** The election that approvals of its creation describe. */
  #created: Election | undefined;

  #create({ number, manifest }: Extract<Messages.Action, { kind: 'CreateElection' }>): Election {
    const shapes = validate(manifest, generators.digest());
    return {
      genesis: this.opening.genesis,
      eid: this.opening.eid,
      number,
      manifest,
      shapes,
      quorum: manifest.quorum,
      trustees: manifest.trustees.map(({ signingKey }) => ({ signingKey, point: decodeKey(signingKey) })),
      columns: manifest.styles.map((style) => columnsOf(manifest, style)),
      roll: new Roll(manifest),
      sums: new tally.Sums(manifest),
      accepted: new Set(),
      addresses: new Map(),
      declarations: new Declarations(),
      statements: new Statements(manifest.quorum),
      contributions: new Map(),
    };
  }

  #carryOut(action: Messages.Action, { height }: Linked): void {
    switch (action.kind) {
      case 'CreateElection':
        this.settle();
        this.election = this.#created!;
        this.opensAt = action.manifest.opensAt;
        this.closesAt = action.manifest.closesAt;
        this.phase = 'Setup';
        this.passed.add(3).add(4);
        return;
      case 'ConfirmBatch':
        return this.election!.roll.confirm(action.batch, action.digest);
      case 'Reinvite':
        return this.election!.roll.reinvite(action.entry, action.round, action.keys);
      case 'Freeze':
        this.settle();
        this.phase = 'Frozen';
        this.passed.add(6);
        return;
      case 'Postpone':
        this.opensAt = action.opensAt;
        this.closesAt = action.closesAt;
        return;
      case 'Extend':
        this.closesAt = action.closesAt;
        return;
      case 'Close':
        this.phase = 'Closed';
        return;
      case 'Certify':
        this.settle();
        this.phase = 'Certified';
        this.passed.add(15);
        return;
      case 'Void':
        this.settle();
        this.phase = 'Void';
        this.voidReason = reason(action.reason);
        this.passed.add(15);
        return;
      case 'LowerQuorum':
        this.election!.statements.lower(action.quorum, height);
        return;
    }
  }

  // Trustees accept (spec 3.6), and say where they are (spec 3.7).

  #accept({ trustee, signature }: Messages.Accept, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Accept, object, party: `trustee ${trustee}, and the validators` };
    const { manifest, accepted } = this.#in(place, 'Setup');
    const key = this.#trustee(place, trustee);
    at(place, () => require(!accepted.has(trustee), '3.6', 'the trustee accepted already'));
    this.#signature(place, '3.6', key, ROLE.acceptance, trustee, new Uint8Array(), signature);
    accepted.add(trustee);
    if (accepted.size < manifest.trustees.length) return;
    this.settle();
    this.phase = 'Registration';
    this.passed.add(5);
  }

  #announce({ trustee, number, address, isText, encoding, signature }: Messages.Announce, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Announce, object, party: `trustee ${trustee}, and the validators` };
    const { addresses } = this.#in(place, 'Setup', 'Registration', 'Frozen', 'Open', 'Closed', 'Agreed', 'Tallied');
    const key = this.#trustee(place, trustee);
    at(place, () => {
      require(number > (addresses.get(trustee) ?? 0), '3.7', 'the number is not more than that of the last statement');
      require(isText, '3.7', 'the address is not UTF-8');
      require(isAddress(address), '3.7', 'the address is not one of http or https, without white space');
    });
    this.#signature(place, '3.7', key, ROLE.endpoint, trustee, encoding, signature);
    addresses.set(trustee, number);
  }

  #trustee(place: Place, trustee: number): Uint8Array {
    const key = this.election!.manifest.trustees[trustee - 1]?.signingKey;
    if (key === undefined) throw new Fault(place, '3.1', `the manifest has no trustee ${trustee}`);
    return key;
  }

  /** The key of a trustee who may take part in the tally: a rehearsal holds one back (spec 3.8). */
  #tallying(place: Place, trustee: number): Uint8Array {
    const key = this.#trustee(place, trustee);
    if (trustee === this.election!.manifest.rehearsal) {
      throw new Fault(place, '3.8', `trustee ${trustee} is held back in this rehearsal`);
    }
    return key;
  }

  // The roll (spec 4).

  #addBatch({ registrar, batch, entries, encoding, signature }: Messages.AddBatch, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.AddBatch, object: `${object}: batch ${batch}`, party: `registrar ${registrar}, and the validators` };
    const { manifest, roll } = this.#in(place, 'Setup', 'Registration');
    const key = manifest.registrars[registrar];
    at(place, () => require(key !== undefined, '4.2', `the manifest has no registrar ${registrar}`));
    const digest = transcript.batch(encoding);
    this.#signature(place, '4.2', key!, ROLE.registrar, registrar, concat(u32(batch), digest), signature);
    at(place, () => roll.propose(batch, entries, digest));
  }

  #register({ entry, credential, invitations, signature }: Messages.Register, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Register, object: `${object}: entry ${entry}`, party: 'the voter, and the validators' };
    const { roll } = this.#in(place, 'Registration');
    const keys = at(place, () => roll.invited(entry, credential));
    const payload = transcript.registration(entry, credential);
    at(place, () => require(invitations.length === keys.length, '4.3', 'not one signature for each invitation key'));
    keys.forEach((key, i) => this.#signature(place, '4.3', key, ROLE.invitation, i, payload, invitations[i]!));
    this.#signature(place, '4.3', credential, ROLE.registration, 0, payload, signature);
    roll.register(entry, credential);
  }

  // Ballots (spec 6).

  #cast({ cast }: Messages.Cast, object: string, { height, time }: Linked): void {
    const { ballot } = cast;
    const place: Place = {
      check: CHECK_OF_MESSAGE.Cast,
      object: `${object}: ${ballotName(ballot)}`,
      party: `the voter with credential ${hex(ballot.credential)}, and the validators`,
    };
    at(place, () => {
      const election = this.#in(place, 'Open');
      require(time < this.closesAt, '6.5', 'voting is over');
      const voter = election.roll.voters.get(hex(ballot.credential));
      require(voter !== undefined, '6.5', 'the credential is not on the roll');
      require(ballot.style === voter.style, '6.5', 'the style is not the one that the roll gives the voter');
      require(voter.ballots < election.manifest.maxBallots, '6.5', 'the credential has cast all its ballots');
      const step = ballot.sequence - (voter.counted?.sequence ?? 0);
      require(1 <= step && step <= MAX.sequenceStep, '6.5', 'the sequence number is not 1 to 16 more than the last');
      const { anchor, expiry } = ballot;
      require(height <= expiry, '6.5', 'the ballot has expired');
      require(expiry <= anchor.height + MAX.blocksToExpiry, '6.5', 'the ballot expires too long after its anchor');
      require(anchor.height < height, '6.5', 'the anchor is not an earlier block');
      const known = this.chain.has(anchor.height, anchor.hash);
      require(known !== false, '6.5', 'the anchor is not a block of this chain');
      const { options, equations } = checkBallot(election, cast);
      this.#waiting.add(place, equations);

      const own = election.columns[ballot.style]!;
      if (voter.counted !== undefined) election.sums.remove(voter, own, points(voter.counted.commitments));
      election.sums.add(voter, own, options);
      voter.ballots++;
      voter.counted = {
        hash: ballot.hash,
        sequence: ballot.sequence,
        commitments: concat(...ballot.options),
        receipts: cast.receipts.map(({ trustee }) => trustee),
      };
      this.ballotLog = transcript.log(this.ballotLog, ballot.hash);
      this.ballots++;
      if (known === 'older') this.olderAnchors++;
    });
  }

  // The tally (spec 7).

  #declare({ trustee, closing, missing, encoding, signature }: Messages.Declare, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Declare, object, party: `trustee ${trustee}, and the validators` };
    const { declarations, manifest, roll } = this.#in(place, 'Closed');
    const key = this.#tallying(place, trustee);
    const set = at(place, () => this.#closed(closing));
    this.#signature(place, '7.2', key, ROLE.declaration, trustee, encoding, signature);
    at(place, () => {
      declarations.add(trustee, missing, (credential) => roll.voters.get(credential)?.counted !== undefined);
    });
    const lacking = declarations.excluded(manifest.trustees.length, manifest.threshold);
    const excluded = [...lacking].sort(([a], [b]) => (a < b ? -1 : 1));
    if (excluded.length === 0 && set.excluded.size === 0) return;
    const named = excluded.map(([id, lacking]) => [id, { voter: roll.voters.get(id)!, lacking }] as const);
    this.#count(set.closing, new Map(named));
  }

  /** The set, whose closing block is over and is the one named. */
  #closed(closing: Anchor): CountedSet {
    const { set } = this;
    require(set !== undefined, '7.2', 'the closing block is not over');
    const ties = closing.height === set.closing.height && equal(closing.hash, set.closing.hash);
    require(ties, '7.2', 'the block named is not the closing block');
    return set;
  }

  #agree({ trustee, statement, signature }: Messages.Agree, object: string, block: Linked): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Agree, object, party: `trustee ${trustee}, and the validators` };
    const { statements } = this.#in(place, 'Closed', 'Agreed');
    const key = this.#tallying(place, trustee);
    const set = at(place, () => this.#closed(statement.closing));
    at({ ...place, check: 10 }, () => {
      require(set.withheld === undefined, '7.1', `nothing may be opened: ${set.withheld}`);
    });
    at(place, () => {
      require(!statements.has(trustee), '7.2', 'the trustee signed a set already');
      require(statement.ballots === set.voters.length, '7.2', 'the number of ballots is not that of the set');
      require(equal(statement.log, this.ballotLog), '7.2', 'the log of ballots is not the election’s');
    });
    this.#signature(place, '7.2', key, ROLE.agreement, trustee, statement.encoding, signature);
    statements.add(trustee, statement);
    this.#agreed(block, object);
  }

  /** Whether the set is agreed now; a lowered quorum can do it at the start of a block too (spec 7.2). */
  #agreed({ height }: Linked, object: string): void {
    const { set } = this;
    if (this.phase !== 'Closed' || set === undefined) return;
    const agreed = this.election!.statements.agreed(
      height,
      ({ ballots, log }) => ballots === set.voters.length && equal(log, this.ballotLog),
    );
    if (agreed === undefined) return;
    this.settle();
    at({ check: 11, object, party: `trustees ${agreed.trustees.join(', ')}` }, () => {
      require(equal(agreed.statement.encoding, set.statement), '7.2', 'the agreed set is not the one that the record gives');
    });
    this.phase = 'Agreed';
    this.passed.add(11);
  }

  #contribute({ trustee, root, sums, encoding, signature }: Messages.Contribute, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Contribute, object, party: `trustee ${trustee}, and the validators` };
    const { contributions } = this.#in(place, 'Agreed');
    const key = this.#tallying(place, trustee);
    const set = this.set!;
    const contribution = at(place, () => {
      require(!contributions.has(trustee), '7.3', 'the trustee contributed already');
      require(equal(root, set.root), '7.3', 'the contribution is not for the agreed set');
      return tally.contribution(set.sums.length, sums);
    });
    this.#signature(place, '7.3', key, ROLE.contribution, trustee, encoding, signature);
    contributions.set(trustee, contribution);
  }

  #finalize({ contributors }: Messages.Finalize, object: string): void {
    const place: Place = { check: CHECK_OF_MESSAGE.Finalize, object, party: 'whoever finalized, and the validators' };
    const { contributions, eid, manifest } = this.#in(place, 'Agreed');
    this.settle();
    const { cells, turnout, sums, root } = this.set!;
    at(place, () => {
      const named = tally.areContributors(manifest, contributors) && contributors.every((i) => contributions.has(i));
      require(named, '7.5.2', 'the contributors are not exactly t, in ascending order, who have contributed');
      const openings = tally.interpolate(contributions, contributors, 0);
      require(tally.opens(openings, sums), '7.5.4', 'the named contributions do not open the sums');
      this.result = {
        contributors,
        totals: tally.totals(manifest, cells.length, openings, turnout),
        digest: transcript.result(eid, root, tally.encodeResult(openings, turnout, contributors)),
        wrong: tally.wrongContributions(contributions, contributors, manifest.quorum),
      };
    });
    this.phase = 'Tallied';
    this.passed.add(13).add(14);
  }
}

/** The election that a message is of; nothing for its creation, which its identifier follows from. */
function eidOf(message: Messages.Message): Uint8Array | undefined {
  if (message.kind !== 'Approve') return message.eid;
  return message.action.kind === 'CreateElection' ? undefined : message.action.eid;
}

const inPhase = (phase: Phase | undefined): string =>
  phase === undefined ? 'before the election is created' : `in phase ${phase}`;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A reason: not empty, and UTF-8. */
function reason(bytes: Uint8Array): string {
  require(bytes.length > 0, '8.1', 'no reason is given');
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Refused('8.1', 'the reason is not UTF-8');
  }
}

/** Whether a trustee can be reached there, as far as the text of its address shows it (spec 3.7). */
const isAddress = (address: string): boolean => /^https?:\/\//.test(address) && !/[\p{White_Space}\p{Cc}]/u.test(address);

function sameBoard(a: NonNullable<Known['board']>, b: NonNullable<Known['board']>): boolean {
  return a.threshold === b.threshold && a.members.map(hex).join() === b.members.map(hex).join();
}

/** The points of commitments that were checked when their ballot was taken. */
function points(commitments: Uint8Array): Point[] {
  const all: Point[] = [];
  for (let i = 0; i < commitments.length; i += 32) all.push(decodePoint(commitments.subarray(i, i + 32))!);
  return all;
}

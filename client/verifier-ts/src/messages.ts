// Messages and board actions, as they are encoded (spec 3.4, 8.1).

import { anchor, castBallot, type Anchor, type CastBallot } from './ballot.js';
import { MAX } from './bounds.js';
import { Refused, require } from './fault.js';
import { manifest, type Manifest } from './manifest.js';
import { rollEntry, type RollEntry } from './roll.js';
import { Decoder } from './scale.js';

export type Action =
  | { readonly kind: 'CreateElection'; readonly number: number; readonly manifest: Manifest; readonly encoding: Uint8Array }
  | { readonly kind: 'ConfirmBatch'; readonly eid: Uint8Array; readonly batch: number; readonly digest: Uint8Array }
  | {
      readonly kind: 'Reinvite';
      readonly eid: Uint8Array;
      readonly entry: number;
      readonly round: number;
      readonly keys: readonly Uint8Array[];
    }
  | { readonly kind: 'Freeze'; readonly eid: Uint8Array; readonly head: Uint8Array }
  | { readonly kind: 'Postpone'; readonly eid: Uint8Array; readonly opensAt: bigint; readonly closesAt: bigint }
  | { readonly kind: 'Extend'; readonly eid: Uint8Array; readonly closesAt: bigint; readonly reason: Uint8Array }
  | { readonly kind: 'Close'; readonly eid: Uint8Array }
  | { readonly kind: 'Certify'; readonly eid: Uint8Array; readonly digest: Uint8Array }
  | { readonly kind: 'Void'; readonly eid: Uint8Array; readonly reason: Uint8Array }
  | { readonly kind: 'LowerQuorum'; readonly eid: Uint8Array; readonly quorum: number; readonly reason: Uint8Array };

export interface Approve {
  readonly kind: 'Approve';
  readonly action: Action;
  /** The encoding of the action, of which its digest is. */
  readonly encoding: Uint8Array;
  readonly member: number;
  readonly signature: Uint8Array;
}

export interface AddBatch {
  readonly kind: 'AddBatch';
  readonly eid: Uint8Array;
  readonly registrar: number;
  readonly batch: number;
  readonly entries: readonly RollEntry[];
  /** The encoding of the entries, of which the batch's digest is. */
  readonly encoding: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Register {
  readonly kind: 'Register';
  readonly eid: Uint8Array;
  readonly entry: number;
  readonly credential: Uint8Array;
  readonly invitations: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

export interface Accept {
  readonly kind: 'Accept';
  readonly eid: Uint8Array;
  readonly trustee: number;
  readonly signature: Uint8Array;
}

export interface Cast {
  readonly kind: 'Cast';
  readonly eid: Uint8Array;
  readonly cast: CastBallot;
}

export interface SetStatement {
  readonly closing: Anchor;
  readonly root: Uint8Array;
  readonly ballots: number;
  /** The head of the ballot log. */
  readonly log: Uint8Array;
  readonly encoding: Uint8Array;
}

export interface Agree {
  readonly kind: 'Agree';
  readonly eid: Uint8Array;
  readonly trustee: number;
  readonly statement: SetStatement;
  readonly signature: Uint8Array;
}

export interface Contribute {
  readonly kind: 'Contribute';
  readonly eid: Uint8Array;
  readonly trustee: number;
  readonly root: Uint8Array;
  /** F and G of each column in each cell. */
  readonly sums: readonly (readonly [Uint8Array, Uint8Array])[];
  /** The encoding of root and sums. */
  readonly encoding: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Finalize {
  readonly kind: 'Finalize';
  readonly eid: Uint8Array;
  readonly contributors: readonly number[];
}

export interface Announce {
  readonly kind: 'Announce';
  readonly eid: Uint8Array;
  readonly trustee: number;
  readonly number: number;
  readonly address: string;
  /** Whether the address is UTF-8. */
  readonly isText: boolean;
  /** The encoding of number and address. */
  readonly encoding: Uint8Array;
  readonly signature: Uint8Array;
}

/** The ballots that a trustee can't serve, by their credentials. */
export type Missing = { readonly kind: 'some'; readonly credentials: readonly Uint8Array[] } | { readonly kind: 'all' };

export interface Declare {
  readonly kind: 'Declare';
  readonly eid: Uint8Array;
  readonly trustee: number;
  readonly closing: Anchor;
  readonly missing: Missing;
  /** The encoding of closing block and missing. */
  readonly encoding: Uint8Array;
  readonly signature: Uint8Array;
}

export type Message =
  | Approve
  | AddBatch
  | Register
  | Accept
  | Cast
  | Agree
  | Contribute
  | Finalize
  | Announce
  | Declare;

export function action(d: Decoder): Action {
  const index = d.u8();
  switch (index) {
    case 0: {
      const number = d.u32();
      const start = d.position;
      return { kind: 'CreateElection', number, manifest: manifest(d), encoding: d.since(start) };
    }
    case 1:
      return { kind: 'ConfirmBatch', eid: d.id(), batch: d.u32(), digest: d.id() };
    case 2:
      return { kind: 'Reinvite', eid: d.id(), entry: d.u32(), round: d.u8(), keys: d.list(2, (d) => d.id()) };
    case 3:
      return { kind: 'Freeze', eid: d.id(), head: d.id() };
    case 4:
      return { kind: 'Postpone', eid: d.id(), opensAt: d.u64(), closesAt: d.u64() };
    case 5:
      return { kind: 'Extend', eid: d.id(), closesAt: d.u64(), reason: d.blob(MAX.reason) };
    case 6:
      return { kind: 'Close', eid: d.id() };
    case 7:
      return { kind: 'Certify', eid: d.id(), digest: d.id() };
    case 8:
      return { kind: 'Void', eid: d.id(), reason: d.blob(MAX.reason) };
    case 9:
      return { kind: 'LowerQuorum', eid: d.id(), quorum: d.u8(), reason: d.blob(MAX.reason) };
    default:
      throw new Refused('3.4', `there is no action ${index}`);
  }
}

function approve(d: Decoder): Approve {
  const start = d.position;
  const decided = action(d);
  return { kind: 'Approve', action: decided, encoding: d.since(start), member: d.u8(), signature: d.signature() };
}

function addBatch(d: Decoder): AddBatch {
  const fields = { eid: d.id(), registrar: d.u8(), batch: d.u32() };
  const start = d.position;
  const entries = d.list(MAX.batchEntries, rollEntry);
  return { kind: 'AddBatch', ...fields, entries, encoding: d.since(start), signature: d.signature() };
}

const register = (d: Decoder): Register => ({
  kind: 'Register',
  eid: d.id(),
  entry: d.u32(),
  credential: d.id(),
  invitations: d.list(2, (d) => d.signature()),
  signature: d.signature(),
});

const accept = (d: Decoder): Accept => ({ kind: 'Accept', eid: d.id(), trustee: d.u8(), signature: d.signature() });

function cast(d: Decoder): Cast {
  const cast = castBallot(d);
  return { kind: 'Cast', eid: cast.ballot.eid, cast };
}

export function setStatement(d: Decoder): SetStatement {
  const start = d.position;
  return { closing: anchor(d), root: d.id(), ballots: d.u32(), log: d.id(), encoding: d.since(start) };
}

const agree = (d: Decoder): Agree => ({
  kind: 'Agree',
  eid: d.id(),
  trustee: d.u8(),
  statement: setStatement(d),
  signature: d.signature(),
});

function contribute(d: Decoder): Contribute {
  const fields = { eid: d.id(), trustee: d.u8() };
  const start = d.position;
  const root = d.id();
  const sums = d.list(MAX.sums, (d) => [d.id(), d.id()] as const);
  return { kind: 'Contribute', ...fields, root, sums, encoding: d.since(start), signature: d.signature() };
}

const finalize = (d: Decoder): Finalize => ({
  kind: 'Finalize',
  eid: d.id(),
  contributors: d.list(MAX.trustees, (d) => d.u8()),
});

function announce(d: Decoder): Announce {
  const fields = { eid: d.id(), trustee: d.u8() };
  const start = d.position;
  const number = d.u8();
  const [address, isText] = d.withTexts((d) => d.text(MAX.name));
  return { kind: 'Announce', ...fields, number, address, isText, encoding: d.since(start), signature: d.signature() };
}

function missing(d: Decoder): Missing {
  const index = d.u8();
  if (index === 0) return { kind: 'some', credentials: d.list(MAX.missing, (d) => d.id()) };
  if (index === 1) return { kind: 'all' };
  throw new Refused('7.2', `a declaration has no variant ${index}`);
}

function declare(d: Decoder): Declare {
  const fields = { eid: d.id(), trustee: d.u8() };
  const start = d.position;
  const declared = { closing: anchor(d), missing: missing(d) };
  return { kind: 'Declare', ...fields, ...declared, encoding: d.since(start), signature: d.signature() };
}

const MESSAGES: readonly ((d: Decoder) => Message)[] = [
  approve,
  addBatch,
  register,
  accept,
  cast,
  agree,
  contribute,
  finalize,
  announce,
  declare,
];

export function message(d: Decoder): Message {
  const index = d.u8();
  const structure = MESSAGES[index];
  require(structure !== undefined, '8.1', `there is no message ${index}`);
  return structure(d);
}

/** A message as an extrinsic of the chain. */
export function extrinsic(bytes: Uint8Array): Message {
  return Decoder.whole(bytes, (d) => {
    const length = d.compact();
    require(length === bytes.length - d.position, '8.1', 'the length is another than that of the extrinsic');
    const frame = [d.u8(), d.u8(), d.u8()];
    require(frame.join() === '69,0,8', '8.1', 'not a bare or general extrinsic of the election’s pallet');
    return message(d);
  });
}

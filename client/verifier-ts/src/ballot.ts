// Ballots: their encoding (spec 5.3) and the checks of each (spec 6.4).

import { MAX, VERSION } from './bounds.js';
import { concat, equal, isZero } from './bytes.js';
import { trackingCode } from './codes.js';
import type { Shape } from './contests.js';
import type { Equation, Term } from './equation.js';
import { Refused, require } from './fault.js';
import { decodePoint, type Point } from './group.js';
import { rangeProofTerms, type Commitment } from './rangeproof.js';
import { Decoder, u32 } from './scale.js';
import { signatureTerms } from './signature.js';
import * as transcript from './transcript.js';
import { ROLE } from './transcript.js';

export interface Anchor {
  readonly height: number;
  readonly hash: Uint8Array;
}

export interface Ballot {
  readonly version: number;
  readonly eid: Uint8Array;
  readonly style: number;
  readonly credential: Uint8Array;
  readonly sequence: number;
  readonly anchor: Anchor;
  readonly expiry: number;
  readonly options: readonly Uint8Array[];
  readonly slack: readonly Uint8Array[];
  readonly dealing: Uint8Array;
  readonly width: number;
  readonly proof: Uint8Array;
  /** The encoding of the statement: all of the above but width and proof. */
  readonly statement: Uint8Array;
  readonly hash: Uint8Array;
}

export interface Receipt {
  readonly trustee: number;
  readonly height: number;
  readonly signature: Uint8Array;
}

/** A signed ballot with its receipts. */
export interface CastBallot {
  readonly ballot: Ballot;
  readonly signature: Uint8Array;
  readonly receipts: readonly Receipt[];
  /** Of the whole encoding. */
  readonly length: number;
}

export const anchor = (d: Decoder): Anchor => ({ height: d.u32(), hash: d.id() });

export function ballot(d: Decoder): Ballot {
  const start = d.position;
  const fields = {
    version: d.u16(),
    eid: d.id(),
    style: d.u16(),
    credential: d.id(),
    sequence: d.u32(),
    anchor: anchor(d),
    expiry: d.u32(),
    options: d.list(MAX.columns, (d) => d.id()),
    slack: d.list(MAX.slackBits, (d) => d.id()),
    dealing: d.id(),
  };
  const statement = d.since(start);
  const width = d.u8();
  const proof = d.blob(MAX.proof);
  return { ...fields, width, proof, statement, hash: transcript.ballotHash(d.since(start)) };
}

const receipt = (d: Decoder): Receipt => ({ trustee: d.u8(), height: d.u32(), signature: d.signature() });

export function castBallot(d: Decoder): CastBallot {
  const start = d.position;
  const fields = { ballot: ballot(d), signature: d.signature(), receipts: d.list(MAX.trustees, receipt) };
  return { ...fields, length: d.position - start };
}

/** A cast ballot that stands by itself (6.4.1). */
export function readCastBallot(bytes: Uint8Array): CastBallot {
  require(bytes.length <= MAX.ballot, '6.4.1', 'the ballot is longer than 22,000 bytes');
  try {
    return Decoder.whole(bytes, castBallot);
  } catch (error) {
    if (error instanceof Refused) throw new Refused('6.4.1', `not the canonical encoding: ${error.what}`);
    throw error;
  }
}

/** What the checks of a ballot need to know of its election. */
export interface Ballots {
  readonly genesis: Uint8Array;
  readonly eid: Uint8Array;
  readonly shapes: readonly Shape[];
  readonly quorum: number;
  readonly trustees: readonly { readonly signingKey: Uint8Array; readonly point: Point | undefined }[];
}

export interface CheckedBallot {
  /** The commitments to options, as points. */
  readonly options: readonly Point[];
  /** What remains to be checked. */
  readonly equations: readonly Equation[];
}

const SIGNATURE = new Refused('6.4.7', 'the signature is not by the credential of the ballot');
const RECEIPTS = new Refused('6.4.8', 'the receipts are not those of exactly q trustees for this ballot');
const PROOF = new Refused('6.4.9', 'the range proof does not hold');

/** Checks 6.4.1 to 6.4.8 but for the equations, which are handed back. */
export function check(election: Ballots, { ballot, signature, receipts, length }: CastBallot): CheckedBallot {
  require(length <= MAX.ballot, '6.4.1', 'the ballot is longer than 22,000 bytes');
  require(ballot.version === VERSION, '6.4.2', 'the ballot is of another version');
  require(equal(ballot.eid, election.eid), '6.4.3', 'the ballot is of another election');
  const shape = election.shapes[ballot.style];
  require(shape !== undefined, '6.4.4', 'the manifest has no such ballot style');
  require(
    ballot.options.length === shape.options &&
      ballot.slack.length === shape.slack &&
      ballot.width === shape.width &&
      ballot.proof.length === shape.proofLength,
    '6.4.5',
    'commitments, width or proof are not of the shape of the ballot’s style',
  );
  const { genesis, eid, trustees } = election;
  const signed = transcript.signed(ROLE.cast, genesis, eid, 0, ballot.hash);
  require(receipts.length === election.quorum, RECEIPTS.rule, RECEIPTS.what);
  receipts.forEach(({ trustee }, i) => {
    const ascends = trustee > (receipts[i - 1]?.trustee ?? 0) && trustee <= trustees.length;
    require(ascends, RECEIPTS.rule, RECEIPTS.what);
  });
  const commitments = [...ballot.options, ...ballot.slack].map(commitment);

  const equations: Equation[] = [];
  const equation = (refused: Refused, terms: Term[] | undefined): void => {
    if (terms === undefined) throw refused;
    equations.push({ terms, refused });
  };
  equation(SIGNATURE, signatureTerms(ballot.credential, signed, signature));
  for (const receipt of receipts) {
    const { signingKey, point } = trustees[receipt.trustee - 1]!;
    const payload = concat(ballot.hash, u32(receipt.height));
    const message = transcript.signed(ROLE.receipt, genesis, eid, receipt.trustee, payload);
    equation(RECEIPTS, point && signatureTerms(signingKey, message, receipt.signature, point));
  }
  const proof = rangeProofTerms(transcript.rangeProof(ballot.statement), shape, commitments, ballot.proof);
  equation(PROOF, proof?.[0]);
  equation(PROOF, proof?.[1]);
  return { options: commitments.slice(0, shape.options).map(({ point }) => point), equations };
}

function commitment(bytes: Uint8Array): Commitment {
  require(!isZero(bytes), '6.4.6', 'a commitment is the identity');
  const point = decodePoint(bytes);
  require(point !== undefined, '6.4.6', 'a commitment is not a canonical point');
  return { bytes, point };
}

/** How a report calls a ballot. */
export const ballotName = ({ hash }: Ballot): string => `ballot ${trackingCode(hash)}`;

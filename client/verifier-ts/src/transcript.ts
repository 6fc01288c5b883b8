// The transcript vocabulary (spec 2.3): every hash, challenge and expansion of the protocol.
// Nothing else makes a Merlin transcript.

import { concat, utf8 } from './bytes.js';
import { Transcript } from './merlin.js';
import { u32 } from './scale.js';

export type { Transcript };

/** Roles of signatures (spec 2.4). */
export const ROLE = {
  boardMember: 1,
  registrar: 2,
  invitation: 3,
  registration: 4,
  acceptance: 5,
  cast: 6,
  receipt: 7,
  agreement: 8,
  contribution: 9,
  endpoint: 10,
  peerRequest: 11,
  repairPart: 12,
  declaration: 13,
} as const;

export type Role = (typeof ROLE)[keyof typeof ROLE];

/** A transcript for one purpose; what is the same for all of a domain is absorbed once. */
function begin(domain: string): () => Transcript {
  let start: Transcript | undefined;
  return () => new Transcript((start ??= new Transcript(domain)));
}

const DOMAIN = {
  signature: begin('psephos signature v1'),
  election: begin('psephos election v1'),
  generators: begin('psephos generators v1'),
  dealing: begin('psephos dealing v1'),
  ballot: begin('psephos ballot v1'),
  ballotHash: begin('psephos ballot hash v1'),
  ballotRandomness: begin('psephos ballot randomness v1'),
  verifier: begin('psephos verifier v1'),
  log: begin('psephos log v1'),
  batch: begin('psephos roll batch v1'),
  person: begin('psephos person v1'),
  leaf: begin('psephos accepted leaf v1'),
  node: begin('psephos accepted node v1'),
  repair: begin('psephos repair v1'),
  action: begin('psephos action v1'),
  trustees: begin('psephos trustees v1'),
  result: begin('psephos result v1'),
  checksum: begin('psephos checksum v1'),
  schnorrkel: begin('SigningContext'),
};

const hash = (transcript: Transcript): Uint8Array => transcript.challenge('hash', 32);

/** The 64 bytes that a signature is over. */
export function signed(
  role: Role,
  genesis: Uint8Array,
  eid: Uint8Array,
  index: number,
  payload: Uint8Array,
): Uint8Array {
  return DOMAIN.signature()
    .appendU64('role', role)
    .append('genesis', genesis)
    .append('eid', eid)
    .appendU64('index', index)
    .append('payload', payload)
    .challenge('message', 64);
}

export function eid(genesis: Uint8Array, number: number, manifest: Uint8Array): Uint8Array {
  return hash(
    DOMAIN.election()
      .appendU64('version', 1)
      .append('genesis', genesis)
      .appendU64('number', number)
      .append('manifest', manifest),
  );
}

export function generators(encodings: Iterable<Uint8Array>): Uint8Array {
  const transcript = DOMAIN.generators();
  for (const encoding of encodings) transcript.append('generator', encoding);
  return hash(transcript);
}

export const dealing = (bytes: Uint8Array): Uint8Array => hash(DOMAIN.dealing().append('dealing', bytes));

/** The transcript that a range proof goes on with (spec 6.2). */
export const rangeProof = (statement: Uint8Array): Transcript =>
  DOMAIN.ballot().append('statement', statement);

export const ballotHash = (bytes: Uint8Array): Uint8Array => hash(DOMAIN.ballotHash().append('ballot', bytes));

/** An expander (spec 2.5): each call is one request. */
export type Expander = (length: number) => Uint8Array;

const expander =
  (transcript: Transcript): Expander =>
  (length) =>
    transcript.challenge('random', length);

export const ballotRandomness = (seed: Uint8Array, context: Uint8Array, choices: Uint8Array): Expander =>
  expander(
    DOMAIN.ballotRandomness().append('seed', seed).append('context', context).append('choices', choices),
  );

export function verifierRandomness(ballots: Iterable<Uint8Array>): Expander {
  const transcript = DOMAIN.verifier();
  for (const ballot of ballots) transcript.append('ballot', ballot);
  return expander(transcript);
}

export const log = (head: Uint8Array, item: Uint8Array): Uint8Array =>
  hash(DOMAIN.log().append('head', head).append('item', item));

export const batch = (entries: Uint8Array): Uint8Array => hash(DOMAIN.batch().append('entries', entries));

export const person = (salt: Uint8Array, identifier: Uint8Array): Uint8Array =>
  hash(DOMAIN.person().append('salt', salt).append('identifier', identifier));

export const acceptedLeaf = (bytes: Uint8Array): Uint8Array => hash(DOMAIN.leaf().append('leaf', bytes));

export const acceptedNode = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  hash(DOMAIN.node().append('left', left).append('right', right));

/** What parts of a repair are signed and sealed under (spec 5.9). */
export const repair = (request: Uint8Array): Uint8Array => hash(DOMAIN.repair().append('request', request));

export const action = (bytes: Uint8Array): Uint8Array => hash(DOMAIN.action().append('action', bytes));

/** A team of trustees, which rehearses (spec 3.8). */
export const trustees = (bytes: Uint8Array): Uint8Array => hash(DOMAIN.trustees().append('trustees', bytes));

export const result = (eid: Uint8Array, set: Uint8Array, result: Uint8Array): Uint8Array =>
  hash(DOMAIN.result().append('eid', eid).append('set', set).append('result', result));

export const checksum = (purpose: string, bytes: Uint8Array): Uint8Array =>
  hash(DOMAIN.checksum().append('purpose', utf8(purpose)).append('bytes', bytes));

/** What a registration is signed over, by the invitations and by the credential (spec 2.4). */
export const registration = (entry: number, credential: Uint8Array): Uint8Array =>
  concat(u32(entry), credential);

/** The challenge of an sr25519 signature: schnorrkel 0.11 under the context `substrate` (spec 2.4). */
export function schnorrChallenge(message: Uint8Array, key: Uint8Array, commitment: Uint8Array): Uint8Array {
  return DOMAIN.schnorrkel()
    .append('', utf8('substrate'))
    .append('sign-bytes', message)
    .append('proto-name', utf8('Schnorr-sig'))
    .append('sign:pk', key)
    .append('sign:R', commitment)
    .challenge('sign:c', 64);
}

// The certificate, a file beside the record: the board's signature of this very file, that rests on hashes alone
// (spec 9.6).

import { sha256 } from '@noble/hashes/sha2.js';
import { slh_dsa_shake_192s } from '@noble/post-quantum/slh-dsa.js';
import { anchor, type Anchor } from './ballot.js';
import { VERSION } from './bounds.js';
import { equal, utf8 } from './bytes.js';
import { require } from './fault.js';
import { Decoder } from './scale.js';

const MAGIC = utf8('PSEPHOSC');
const CONTEXT = utf8('psephos certificate v1');

const LENGTH = { statement: 166, key: 48, signature: 16_224 };

/** Bytes of the file, exactly. */
export const CERTIFICATE = MAGIC.length + LENGTH.statement + LENGTH.key + LENGTH.signature;

/** What a certificate is of. */
export interface Certified {
  readonly genesis: Uint8Array;
  readonly eid: Uint8Array;
  /** The SHA-256 of the record's whole file. */
  readonly file: Uint8Array;
  /** The digest of the result; nothing if the board certified none. */
  readonly result: Uint8Array | undefined;
  readonly last: Anchor;
}

/** What a reader compares with print. */
export interface Fingerprints {
  /** The SHA-256 of the key. */
  readonly key: Uint8Array;
  /** The SHA-256 of the signature. */
  readonly signature: Uint8Array;
}

/** Refuses a certificate that does not hold; `fingerprint` is that of the board's key, if the reader knows it. */
export function checkCertificate(file: Uint8Array, of: Certified, fingerprint?: Uint8Array): Fingerprints {
  require(file.length === CERTIFICATE, '9.6.1', 'the certificate has not exactly 16,446 bytes');
  const d = new Decoder(file);
  require(equal(d.fixed(MAGIC.length), MAGIC), '9.6.1', 'this is not a certificate');
  const statement = d.fixed(LENGTH.statement);
  const key = d.fixed(LENGTH.key);
  const signature = d.fixed(LENGTH.signature);

  const { version, genesis, eid, record, result, last } = Decoder.whole(statement, (d) => ({
    version: d.u16(),
    genesis: d.id(),
    eid: d.id(),
    record: d.id(),
    result: d.id(),
    last: anchor(d),
  }));
  require(version === VERSION, '9.6.1', 'the certificate is of another version');
  require(equal(genesis, of.genesis), '9.6.2', 'the certificate is of another chain');
  require(equal(eid, of.eid), '9.6.2', 'the certificate is of another election');
  require(of.result !== undefined, '9.6.3', 'the board certified no result');
  require(equal(result, of.result), '9.6.3', 'the certificate is of another result');
  require(last.height === of.last.height && equal(last.hash, of.last.hash), '9.6.4', 'the certificate names another last block');
  require(equal(record, of.file), '9.6.5', 'the certificate is of another file');
  const fingerprints = { key: sha256(key), signature: sha256(signature) };
  require(!fingerprint || equal(fingerprints.key, fingerprint), '9.6.7', 'the certificate is by another key than the one known');
  const holds = slh_dsa_shake_192s.verify(signature, statement, key, { context: CONTEXT });
  require(holds, '9.6.6', 'the signature of the certificate does not hold');
  return fingerprints;
}

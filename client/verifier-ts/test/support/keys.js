// sr25519 keys and signatures, for the parties of test elections (spec 2.4).

import { sha512 } from '@noble/hashes/sha2.js';
import { concat, hex, littleEndian } from '../../dist/bytes.js';
import { B, mod, multiply, wideScalar } from '../../dist/group.js';
import { schnorrChallenge, signed } from '../../dist/transcript.js';

export function scalarBytes(scalar) {
  const bytes = new Uint8Array(32);
  for (let i = 0, rest = mod(scalar); i < 32; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** The key of a 32-byte seed, expanded as schnorrkel's `ExpansionMode::Ed25519`. */
export function keypair(seed) {
  const expanded = sha512(seed);
  const key = expanded.slice(0, 32);
  key[0] &= 248;
  key[31] = (key[31] & 63) | 64;
  const secret = mod(littleEndian(key) >> 3n);
  return { secret, nonce: expanded.slice(32), public: multiply(B, secret).toBytes() };
}

const signatures = new Map();

/** A signature; the elections of the tests have most of them in common. */
export function sign(key, message) {
  const id = hex(concat(key.public, message));
  if (!signatures.has(id)) signatures.set(id, signAnew(key, message));
  return signatures.get(id).slice();
}

function signAnew(key, message) {
  const r = wideScalar(sha512(concat(key.nonce, message)));
  const commitment = multiply(B, r).toBytes();
  const k = wideScalar(schnorrChallenge(message, key.public, commitment));
  const signature = concat(commitment, scalarBytes(r + k * key.secret));
  signature[63] |= 0x80;
  return signature;
}

export const signRole = (key, role, { genesis, eid }, index, payload) =>
  sign(key, signed(role, genesis, eid, index, payload));

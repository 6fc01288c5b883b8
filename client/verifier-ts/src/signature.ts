// sr25519 signatures (spec 2.4): schnorrkel 0.11 under the context `substrate`.
//
// A signature is an encoded point R and a scalar s whose highest bit marks it as schnorrkel's. It is good if
// s·B − k·A − R = 0, with k the challenge. R may be the identity, the key A may not.

import { B, decodePoint, decodeScalar, ORDER, wideScalar, type Point } from './group.js';
import { holds, type Term } from './equation.js';
import { isZero } from './bytes.js';
import { schnorrChallenge } from './transcript.js';

/** The point of a public key; nothing if no signature under it can be good. */
export const decodeKey = (key: Uint8Array): Point | undefined => (isZero(key) ? undefined : decodePoint(key));

/** The equation that holds if the signature is good; nothing if it is bad whatever the equation. */
export function signatureTerms(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  point: Point | undefined = decodeKey(key),
): Term[] | undefined {
  if (point === undefined || signature.length !== 64 || (signature[63]! & 0x80) === 0) return undefined;
  const commitment = signature.subarray(0, 32);
  const scalar = signature.slice(32);
  scalar[31]! &= 0x7f;
  const s = decodeScalar(scalar);
  const r = decodePoint(commitment);
  if (s === undefined || r === undefined) return undefined;
  const k = wideScalar(schnorrChallenge(message, key, commitment));
  return [
    [s, B],
    [ORDER - k, point],
    [1n, r.negate()],
  ];
}

/** Checks one signature by itself. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const terms = signatureTerms(key, message, signature);
  return terms !== undefined && holds(terms);
}

// Ed25519 signatures (RFC 8032), as strictly as the finality proof asks for them (spec 9.3.2).

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat } from './bytes.js';
import { decodeScalar, wideScalar } from './group.js';

const { Point } = ed25519;

/** The point of a canonical encoding; nothing for other bytes. */
function decode(bytes: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

/** Whether S·B = R + k·A, without the cofactor, neither A nor R of small order, and all three in their only encoding. */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const a = decode(key);
  const r = decode(signature.subarray(0, 32));
  const s = decodeScalar(signature.subarray(32));
  if (a === undefined || r === undefined || s === undefined || a.isSmallOrder() || r.isSmallOrder()) return false;
  const k = wideScalar(sha512(concat(signature.subarray(0, 32), key, message)));
  return Point.BASE.multiplyUnsafe(s).equals(r.add(a.multiplyUnsafe(k)));
}

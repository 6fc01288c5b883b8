// The group Ristretto255 (RFC 9496) and its scalars (spec 2.1, 2.2).

import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { sha3_512 } from '@noble/hashes/sha3.js';
import { isZero, littleEndian } from './bytes.js';

const { Point } = ristretto255;

export type Point = InstanceType<typeof Point>;
export type Scalar = bigint;

/** The order ℓ of the group. */
export const ORDER: bigint = Point.Fn.ORDER;

export const IDENTITY: Point = Point.ZERO;

/** The base point B. */
export const B: Point = Point.BASE;

/** 64 uniform bytes as a point. */
export const uniformPoint = (bytes: Uint8Array): Point =>
  ristretto255_hasher.deriveToCurve!(bytes) as unknown as Point;

/** The base B̃ of blindings, whose discrete logarithm nobody knows. */
export const B_BLINDING: Point = uniformPoint(sha3_512(B.toBytes()));

/** The point of a canonical encoding, the identity included; nothing for other bytes. */
export function decodePoint(bytes: Uint8Array): Point | undefined {
  if (isZero(bytes)) return IDENTITY;
  try {
    return Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

/** The points of joined encodings that were decoded before. */
export function decodedPoints(bytes: Uint8Array): Point[] {
  const all: Point[] = [];
  for (let i = 0; i < bytes.length; i += 32) all.push(decodePoint(bytes.subarray(i, i + 32))!);
  return all;
}

/** The scalar of a canonical encoding; nothing for other bytes. */
export function decodeScalar(bytes: Uint8Array): Scalar | undefined {
  const value = littleEndian(bytes);
  return value < ORDER ? value : undefined;
}

/** A number modulo ℓ. */
export function mod(value: bigint): Scalar {
  const rest = value % ORDER;
  return rest < 0n ? rest + ORDER : rest;
}

/** 64 bytes, little-endian, modulo ℓ. */
export const wideScalar = (bytes: Uint8Array): Scalar => mod(littleEndian(bytes));

/** The inverse of a scalar that is not zero. */
export const invert = (scalar: Scalar): Scalar => Point.Fn.inv(scalar);

export const isIdentity = (point: Point): boolean => point.equals(IDENTITY);

export function multiply(point: Point, scalar: Scalar): Point {
  return point.multiplyUnsafe(mod(scalar));
}

/**
 * Σ scalar · point for scalars below ℓ, in variable time: nothing here is secret.
 *
 * Pippenger's buckets with signed digits: short scalars, and those with few digits, cost less.
 */
export function sumOfProducts(points: readonly Point[], scalars: readonly Scalar[]): Point {
  const width = windowWidth(points.length);
  const windows = Math.ceil(SCALAR_BITS / width) + 1;
  const digits = scalars.map((scalar) => signedDigits(scalar, width, windows));
  let total = IDENTITY;
  for (let window = windows - 1; window >= 0; window--) {
    if (total !== IDENTITY) for (let i = 0; i < width; i++) total = total.double();
    const buckets: (Point | undefined)[] = [];
    points.forEach((point, i) => {
      const digit = digits[i]![window]!;
      if (digit === 0) return;
      const bucket = Math.abs(digit);
      const signed = digit < 0 ? point.negate() : point;
      buckets[bucket] = buckets[bucket]?.add(signed) ?? signed;
    });
    // Σ bucket · its points: each is in the running sum as often as its number says.
    let running: Point | undefined;
    for (let bucket = buckets.length - 1; bucket > 0; bucket--) {
      const own = buckets[bucket];
      if (own !== undefined) running = running?.add(own) ?? own;
      if (running !== undefined) total = total === IDENTITY ? running : total.add(running);
    }
  }
  return total;
}

const SCALAR_BITS = 253;

/** The width of the windows that needs the fewest additions. */
function windowWidth(points: number): number {
  let best = 2;
  const cost = (width: number): number => Math.ceil(SCALAR_BITS / width) * (points + 2 ** width);
  for (let width = 3; width <= 12; width++) if (cost(width) < cost(best)) best = width;
  return best;
}

/** Digits d_i from −2^(width−1) to 2^(width−1) with Σ d_i · 2^(width·i) = scalar. */
function signedDigits(scalar: Scalar, width: number, windows: number): Int16Array {
  const digits = new Int16Array(windows);
  const bits = scalar.toString(2);
  let carry = 0;
  for (let i = 0; i < windows; i++) {
    const end = bits.length - i * width;
    const digit = carry + (end > 0 ? Number.parseInt(bits.slice(Math.max(0, end - width), end), 2) : 0);
    carry = digit > 2 ** (width - 1) ? 1 : 0;
    digits[i] = digit - carry * 2 ** width;
  }
  return digits;
}

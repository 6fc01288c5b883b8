// XXH64, of which the names of a chain's state are made: twox128 is XXH64 under the seeds 0 and 1.

import { concat } from '../../dist/bytes.js';
import { u64 } from '../../dist/scale.js';

const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n,
];
const wrap = (x) => BigInt.asUintN(64, x);
const rotate = (x, by) => wrap((x << BigInt(by)) | (x >> BigInt(64 - by)));
const round = (sum, lane) => wrap(rotate(wrap(sum + lane * P2), 31) * P1);
const merge = (hash, sum) => wrap((hash ^ round(0n, sum)) * P1 + P4);

/** Of less than 2^32 bytes. */
export function xxh64(bytes, seed) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = wrap(seed + P5);
  if (bytes.length >= 32) {
    let sums = [seed + P1 + P2, seed + P2, seed, seed - P1].map(wrap);
    for (; at + 32 <= bytes.length; at += 32) sums = sums.map((sum, i) => round(sum, view.getBigUint64(at + 8 * i, true)));
    hash = sums.reduce((all, sum, i) => wrap(all + rotate(sum, [1, 7, 12, 18][i])), 0n);
    hash = sums.reduce(merge, hash);
  }
  hash = wrap(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27) * P1 + P4);
  for (; at + 4 <= bytes.length; at += 4) hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * P1), 23) * P2 + P3);
  for (; at < bytes.length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(bytes[at]) * P5), 11) * P1);
  hash = wrap((hash ^ (hash >> 33n)) * P2);
  hash = wrap((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}

export const twox128 = (bytes) => concat(u64(xxh64(bytes, 0n)), u64(xxh64(bytes, 1n)));

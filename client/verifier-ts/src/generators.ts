// The generators of range proofs and their digest (spec 2.1), each derived when it is first asked for.

import { shake256 } from '@noble/hashes/sha3.js';
import { MAX } from './bounds.js';
import { concat, utf8 } from './bytes.js';
import { B, B_BLINDING, uniformPoint, type Point } from './group.js';
import { u32 } from './scale.js';
import * as transcript from './transcript.js';

type Party = 'G' | 'H';

/** A stream of generators, G_j or H_j. */
class Chain {
  readonly #stream: ReturnType<typeof shake256.create>;
  readonly #points: Point[] = [];

  constructor(letter: Party, j: number) {
    this.#stream = shake256.create().update(concat(utf8('GeneratorsChain'), utf8(letter), u32(j)));
  }

  at(i: number): Point {
    while (this.#points.length <= i) this.#points.push(uniformPoint(this.#stream.xof(64)));
    return this.#points[i]!;
  }
}

const chains: Record<Party, Chain[]> = { G: [], H: [] };

function chain(letter: Party, j: number): Chain {
  return (chains[letter][j] ??= new Chain(letter, j));
}

/** G_{j,i}: the generator of bit i of statement j. */
export const G = (j: number, i: number): Point => chain('G', j).at(i);

/** H_{j,i}. */
export const H = (j: number, i: number): Point => chain('H', j).at(i);

/** b_j: the widest that statement j can be. */
export function widest(j: number): number {
  let p = 1;
  while (p < j + 1) p *= 2;
  return Math.min(64, MAX.rangeBits / p);
}

function* encodings(): Generator<Uint8Array> {
  yield B.toBytes();
  yield B_BLINDING.toBytes();
  for (let j = 0; j < MAX.rangeBits; j++) {
    for (let i = 0; i < widest(j); i++) yield G(j, i).toBytes();
    for (let i = 0; i < widest(j); i++) yield H(j, i).toBytes();
  }
}

let known: Uint8Array | undefined;

/** The digest of all generators, derived anew once in a run: some seconds. */
export const digest = (): Uint8Array => (known ??= transcript.generators(encodings()));

/** Derives all generators in steps, for a page that stays awake meanwhile. */
export function* derive(): Generator<void> {
  for (let j = 0; j < MAX.rangeBits; j++) {
    G(j, widest(j) - 1);
    H(j, widest(j) - 1);
    yield;
  }
}

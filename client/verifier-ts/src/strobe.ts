// STROBE-128 over Keccak-f[1600], as much of it as Merlin 3.0 uses.

import { keccakP } from '@noble/hashes/sha3.js';
import { swap32IfBE } from '@noble/hashes/utils.js';
import { concat, utf8 } from './bytes.js';

const RATE = 166;

const FLAG = { I: 1, A: 2, C: 4, M: 16 } as const;

export class Strobe {
  readonly #state = new Uint32Array(50);
  readonly #bytes = new Uint8Array(this.#state.buffer);
  #position = 0;
  #begin = 0;

  /** Begins under a label, or as a copy of another. */
  constructor(from: Uint8Array | Strobe) {
    if (from instanceof Strobe) {
      this.#state.set(from.#state);
      this.#position = from.#position;
      this.#begin = from.#begin;
    } else {
      this.#bytes.set(concat(Uint8Array.of(1, RATE + 2, 1, 0, 1, 96), utf8('STROBEv1.0.2')));
      permute(this.#state);
      this.metaAd(from, false);
    }
  }

  /** Framing data. */
  metaAd(data: Uint8Array, more: boolean): void {
    if (!more) this.#operate(FLAG.M | FLAG.A);
    this.#absorb(data);
  }

  /** Associated data. */
  ad(data: Uint8Array): void {
    this.#operate(FLAG.A);
    this.#absorb(data);
  }

  /** Pseudorandom bytes. */
  prf(length: number): Uint8Array {
    this.#operate(FLAG.I | FLAG.A | FLAG.C);
    return this.#squeeze(length);
  }

  #operate(flags: number): void {
    const begin = this.#begin;
    this.#begin = this.#position + 1;
    this.#absorb(Uint8Array.of(begin, flags));
    if ((flags & FLAG.C) !== 0 && this.#position !== 0) this.#run();
  }

  #absorb(data: Uint8Array): void {
    const bytes = this.#bytes;
    for (let i = 0; i < data.length; i++) {
      bytes[this.#position]! ^= data[i]!;
      if (++this.#position === RATE) this.#run();
    }
  }

  #squeeze(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      out[i] = this.#bytes[this.#position]!;
      this.#bytes[this.#position] = 0;
      if (++this.#position === RATE) this.#run();
    }
    return out;
  }

  #run(): void {
    this.#bytes[this.#position]! ^= this.#begin;
    this.#bytes[this.#position + 1]! ^= 0x04;
    this.#bytes[RATE + 1]! ^= 0x80;
    permute(this.#state);
    this.#position = 0;
    this.#begin = 0;
  }
}

function permute(state: Uint32Array): void {
  swap32IfBE(state);
  keccakP(state);
  swap32IfBE(state);
}

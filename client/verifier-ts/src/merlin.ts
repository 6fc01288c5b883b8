// Merlin 3.0: a transcript is a STROBE object with a framing for labelled messages and challenges.

import { utf8 } from './bytes.js';
import { u32, u64 } from './scale.js';
import { Strobe } from './strobe.js';

export class Transcript {
  readonly #strobe: Strobe;

  /** `new(domain)`, or a copy of another transcript. */
  constructor(from: string | Transcript) {
    if (from instanceof Transcript) {
      this.#strobe = new Strobe(from.#strobe);
    } else {
      this.#strobe = new Strobe(utf8('Merlin v1.0'));
      this.append('dom-sep', utf8(from));
    }
  }

  append(label: string, message: Uint8Array): this {
    this.#strobe.metaAd(utf8(label), false);
    this.#strobe.metaAd(u32(message.length), true);
    this.#strobe.ad(message);
    return this;
  }

  appendU64(label: string, value: number): this {
    return this.append(label, u64(value));
  }

  challenge(label: string, length: number): Uint8Array {
    this.#strobe.metaAd(utf8(label), false);
    this.#strobe.metaAd(u32(length), true);
    return this.#strobe.prf(length);
  }
}

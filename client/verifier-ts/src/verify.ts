// The verification of a record that comes in pieces, and of the files beside it (spec 9.2).

import { sha256 } from '@noble/hashes/sha2.js';
import { checkCertificate } from './certificate.js';
import { at, Fault, Refused, type Place } from './fault.js';
import { checkFinality } from './finality.js';
import { block, FrameReader, opening } from './record.js';
import { Replay } from './replay.js';
import type { Known } from './replay/state.js';
import { report, type File, type Report } from './report.js';
import { Decoder } from './scale.js';

/** The files that lie beside a record, if there are any. */
export interface Beside {
  /** The finality proof (spec 9.5). */
  readonly finality?: Uint8Array | undefined;
  /** The certificate (spec 9.6). */
  readonly certificate?: Uint8Array | undefined;
}

export class Verifier {
  readonly #frames = new FrameReader();
  readonly #hash = sha256.create();
  #file: File | undefined;
  #replay: Replay | undefined;
  #fault: Fault | undefined;

  constructor(readonly known: Known = {}) {}

  /** Whether a check failed, so that the rest of the file is of no interest. */
  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** How many ballots were taken so far. */
  get ballots(): number {
    return this.#replay?.ballots ?? 0;
  }

  /** Takes the next piece of the file. */
  push(piece: Uint8Array): void {
    this.#guard(() => {
      this.#hash.update(piece);
      for (const frame of this.#frames.push(piece)) this.#frame(frame);
    });
  }

  /** The file ends here. */
  end(beside: Beside = {}): Report {
    this.#guard(() => {
      this.#frames.end();
      if (this.#replay === undefined) throw new Refused('9.1', 'the record has no frame');
      this.#replay.end();
      this.#file = { sha256: this.#hash.digest() };
      this.#final(this.#replay, beside);
      this.#certified(this.#replay, beside);
    });
    return report(this.#replay, this.#fault, this.#file);
  }

  /** Check 17. */
  #final({ chain, opening, passed }: Replay, { finality }: Beside): void {
    if (finality === undefined) return;
    const last = chain.last!;
    at({ check: 17, object: `block ${last.height}`, party: 'whoever made the finality proof' }, () => {
      checkFinality(finality, opening.genesis, last);
    });
    passed.add(17);
  }

  /** Check 18. */
  #certified({ chain, opening: { genesis, eid }, phase, result, passed }: Replay, { certificate }: Beside): void {
    const { fingerprint } = this.known;
    if (certificate === undefined && fingerprint === undefined) return;
    at({ check: 18, object: 'the file', party: 'whoever made the certificate' }, () => {
      if (certificate === undefined) throw new Refused('9.6', 'there is no certificate, though the board’s key is known');
      const { sha256 } = this.#file!;
      const of = { genesis, eid, file: sha256, result: phase === 'Certified' ? result?.digest : undefined, last: chain.last! };
      this.#file = { sha256, certificate: checkCertificate(certificate, of, fingerprint) };
    });
    passed.add(18);
  }

  #frame(frame: Uint8Array): void {
    if (this.#replay === undefined) {
      this.#replay = new Replay(Decoder.whole(frame, opening), this.known);
    } else {
      this.#replay.block(Decoder.whole(frame, block));
    }
  }

  /** Keeps the first fault of the record. What waited to be checked comes before what has just failed. */
  #guard(work: () => void): void {
    if (this.#fault !== undefined) return;
    const first = faultOf(() => work(), () => this.#place());
    if (first === undefined) return;
    this.#fault = faultOf(() => this.#replay?.settle(), () => this.#place()) ?? first;
  }

  /** Where a broken rule of the file's format stands. */
  #place(): Place {
    const last = this.#replay?.chain.last;
    const after = last === undefined ? 'the first block' : `what follows block ${last.height}`;
    return {
      check: 1,
      object: this.#replay === undefined ? 'the first frame' : after,
      party: 'whoever made the record',
    };
  }
}

function faultOf(work: () => void, place: () => Place): Fault | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    if (error instanceof Refused) return Fault.at(place(), error);
    throw error;
  }
}

/** Verifies a whole record at once. */
export function verify(record: Uint8Array, known: Known = {}, beside: Beside = {}): Report {
  const verifier = new Verifier(known);
  verifier.push(record);
  return verifier.end(beside);
}

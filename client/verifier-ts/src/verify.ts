// The verification of a record that comes in pieces (spec 9.2).

import { Fault, Refused, type Place } from './fault.js';
import { block, FrameReader, opening } from './record.js';
import { Replay, type Known } from './replay.js';
import { report, type Report } from './report.js';
import { Decoder } from './scale.js';

export class Verifier {
  readonly #frames = new FrameReader();
  #replay: Replay | undefined;
  #fault: Fault | undefined;

  constructor(readonly known: Known = {}) {}

  /** Whether a check failed, so that the rest of the file is of no interest. */
  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** Takes the next piece of the file. */
  push(piece: Uint8Array): void {
    this.#guard(() => {
      for (const frame of this.#frames.push(piece)) this.#frame(frame);
    });
  }

  /** The file ends here. */
  end(): Report {
    this.#guard(() => {
      this.#frames.end();
      if (this.#replay === undefined) throw new Refused('9.1', 'the record has no frame');
      this.#replay.end();
    });
    return report(this.#replay, this.#fault);
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
export function verify(record: Uint8Array, known: Known = {}): Report {
  const verifier = new Verifier(known);
  verifier.push(record);
  return verifier.end();
}

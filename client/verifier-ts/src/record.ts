// The file of an election record (spec 9.1): eight bytes, then frames.

import { MAX, VERSION } from './bounds.js';
import { equal, utf8 } from './bytes.js';
import { require } from './fault.js';
import { board, type Board } from './manifest.js';
import { message, type Message } from './messages.js';
import { Decoder } from './scale.js';

const MAGIC = utf8('PSEPHOS1');

/** The first frame. */
export interface Opening {
  readonly genesis: Uint8Array;
  readonly board: Board;
  readonly eid: Uint8Array;
}

export interface Block {
  readonly header: Uint8Array;
  readonly time: bigint;
  readonly messages: readonly Message[];
}

export function opening(d: Decoder): Opening {
  require(d.u16() === VERSION, '9.1', 'the record is of another version');
  return { genesis: d.id(), board: board(d), eid: d.id() };
}

export const block = (d: Decoder): Block => ({
  header: d.blob(MAX.frame),
  time: d.u64(),
  messages: d.list(MAX.frame, message),
});

/** Takes a file in pieces of any size, and gives its frames one by one. */
export class FrameReader {
  #rest = new Uint8Array();
  #begun = false;

  /** The frames that are whole with this piece. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    let position = 0;
    const left = (): number => bytes.length - position;
    if (!this.#begun && left() >= MAGIC.length) {
      require(equal(bytes.subarray(0, MAGIC.length), MAGIC), '9.1', 'this is not an election record');
      this.#begun = true;
      position = MAGIC.length;
    }
    while (this.#begun && left() >= 4) {
      const length = new DataView(bytes.buffer, position).getUint32(0, true);
      require(length <= MAX.frame, '1.4', 'a frame is longer than 8 MiB');
      if (left() < 4 + length) break;
      yield bytes.subarray(position + 4, position + 4 + length);
      position += 4 + length;
    }
    this.#rest = bytes.slice(position);
  }

  /** The file ends here. */
  end(): void {
    require(this.#begun && this.#rest.length === 0, '9.1', 'the file is cut off');
  }
}

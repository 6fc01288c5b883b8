// Block headers of the chain (spec 9.1) and how they follow each other (check 2).

import { blake2b256 } from './blake2b.js';
import { MAX } from './bounds.js';
import { equal, hex, utf8 } from './bytes.js';
import { Refused, require } from './fault.js';
import { Decoder } from './scale.js';

export interface Header {
  readonly parent: Uint8Array;
  readonly height: number;
  readonly stateRoot: Uint8Array;
  readonly extrinsicsRoot: Uint8Array;
  /** The Aura slots that it claims: one in an honest header. */
  readonly slots: readonly bigint[];
}

const AURA = utf8('aura');

/** A digest item; a slot if it is Aura's pre-runtime item. */
function digestItem(d: Decoder): bigint | undefined {
  const index = d.u8();
  switch (index) {
    case 0: // Other
      d.blob(MAX.frame);
      return undefined;
    case 4: // Consensus
    case 5: // Seal
      d.fixed(4);
      d.blob(MAX.frame);
      return undefined;
    case 6: {
      // PreRuntime
      const aura = equal(d.fixed(4), AURA);
      const data = d.blob(MAX.frame);
      return aura ? Decoder.whole(data, (d) => d.u64()) : undefined;
    }
    case 8: // RuntimeEnvironmentUpdated
      return undefined;
    default:
      throw new Refused('9.1', `a header has a digest item ${index}`);
  }
}

export const header = (d: Decoder): Header => ({
  parent: d.id(),
  height: d.compact(),
  stateRoot: d.id(),
  extrinsicsRoot: d.id(),
  slots: d.list(MAX.frame, digestItem).filter((slot) => slot !== undefined),
});

/** The hash of a block, of its header's bytes. */
export const blockHash = blake2b256;

/** A block that was read. */
export interface Linked {
  readonly height: number;
  readonly hash: Uint8Array;
  readonly time: bigint;
}

/** The blocks so far: their order, their times, and the hashes that an anchor may name. */
export class Chain {
  #last: Linked | undefined;
  #first = 0;
  #slotDuration: bigint | undefined;
  /** The hashes of the last blocks by height: as many as anchors reach back. */
  readonly #hashes = new Map<number, string>();

  get last(): Linked | undefined {
    return this.#last;
  }

  /** Checks that a block follows the last one, and takes it. */
  extend(bytes: Uint8Array, time: bigint): Linked {
    const { parent, height, slots } = Decoder.whole(bytes, header);
    const last = this.#last;
    if (last === undefined) {
      this.#first = height;
      this.#remember(height - 1, parent);
    } else {
      require(height === last.height + 1, '9.2', `block ${height} follows block ${last.height}`);
      require(equal(parent, last.hash), '9.2', `block ${height} does not name its predecessor as its parent`);
      require(time >= last.time, '9.2', `the time of block ${height} goes back`);
    }
    this.#slot(height, slots, time);
    const linked = { height, hash: blockHash(bytes), time };
    this.#remember(height, linked.hash);
    this.#last = linked;
    return linked;
  }

  #slot(height: number, slots: readonly bigint[], time: bigint): void {
    const [slot] = slots;
    require(slots.length === 1 && slot !== undefined && slot > 0n, '9.2', `block ${height} has no single Aura slot`);
    this.#slotDuration ??= time / slot;
    const fits = this.#slotDuration > 0n && time / this.#slotDuration === slot;
    require(fits, '9.2', `the time of block ${height} is not in its Aura slot`);
  }

  #remember(height: number, hash: Uint8Array): void {
    this.#hashes.set(height, hex(hash));
    this.#hashes.delete(height - MAX.blocksToExpiry - 1);
  }

  /** Whether a block below `height` has this hash; unknown if it is older than the record. */
  has(height: number, hash: Uint8Array): boolean | 'older' {
    const known = this.#hashes.get(height);
    if (known !== undefined) return known === hex(hash);
    return height < this.#first ? 'older' : false;
  }
}

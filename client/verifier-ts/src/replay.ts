// The replay of an election (spec 8.1, 9.2): every message was allowed when it was its turn, and takes effect.
//
// Equations (of signatures and proofs) wait until there are many; a message that the rules forbid ends the
// replay, but what waits before it is checked first, so that the first fault of the record is the one named.
// The steps that messages take are in `replay/`.

import { equal, hex } from './bytes.js';
import type { Linked } from './chain.js';
import { at, Fault, require, type Place } from './fault.js';
import { isBoard } from './manifest.js';
import type * as Messages from './messages.js';
import type { Block, Opening } from './record.js';
import { approve } from './replay/board.js';
import { addBatch, register } from './replay/roll.js';
import { agree, agreed, close, declare } from './replay/set.js';
import { accept, announce } from './replay/setup.js';
import { State, type Known } from './replay/state.js';
import { contribute, finalize } from './replay/tally.js';
import { cast } from './replay/vote.js';

const EXPORTER = 'whoever made the record';

export class Replay extends State {
  constructor(opening: Opening, known: Known = {}) {
    super(opening);
    const place = (check: number): Place => ({ check, object: 'the first frame', party: EXPORTER });
    at(place(3), () => {
      require(!known.genesis || equal(known.genesis, opening.genesis), '9.2', 'the record is of another chain');
      require(!known.eid || equal(known.eid, opening.eid), '9.2', 'the record is of another election');
    });
    at(place(4), () => {
      require(isBoard(opening.board), '9.1', 'the chain’s board is not valid');
      require(!known.board || sameBoard(known.board, opening.board), '9.2', 'the chain has another board');
    });
  }

  get over(): boolean {
    return this.phase === 'Certified' || this.phase === 'Void';
  }

  block({ header, time, messages }: Block): void {
    const previous = this.chain.last;
    const name = previous === undefined ? 'the first block' : `the block after ${previous.height}`;
    if (this.over) this.#nothingFollows(name);
    const linked = at({ check: 2, object: name, party: EXPORTER }, () => this.chain.extend(header, time));
    if (previous !== undefined) this.#clock(previous);
    agreed(this, linked, `the start of block ${linked.height}`);
    messages.forEach((message, index) => {
      const object = `block ${linked.height}, message ${index} (${message.kind})`;
      if (this.over) this.#nothingFollows(object);
      this.#message(message, object, linked);
    });
  }

  #nothingFollows(object: string): never {
    throw new Fault({ check: 16, object, party: EXPORTER }, '9.1', 'something follows the end of the election');
  }

  /** The record ends here. */
  end(): void {
    this.settle();
    const object = this.chain.last === undefined ? 'the file' : `block ${this.chain.last.height}`;
    at({ check: 1, object, party: EXPORTER }, () => {
      require(this.over, '9.1', 'the record ends before the election was certified or voided');
    });
    for (const check of [1, 2, 16]) this.passed.add(check);
  }

  /** What the time of the block before does at the start of a block (spec 6.6). */
  #clock(previous: Linked): void {
    if (this.phase === 'Frozen' && previous.time >= this.opensAt) {
      this.phase = 'Open';
    } else if (this.phase === 'Open' && previous.time >= this.closesAt) {
      this.phase = 'Closed';
      close(this, previous);
    } else if (this.phase === 'Closed' && this.set === undefined) {
      close(this, previous);
    }
  }

  #message(message: Messages.Message, object: string, block: Linked): void {
    const eid = eidOf(message);
    if (eid !== undefined) {
      at({ check: 1, object, party: EXPORTER }, () => {
        require(equal(eid, this.opening.eid), '9.1', 'the message is of another election');
      });
    }
    switch (message.kind) {
      case 'Approve':
        return approve(this, message, object, block);
      case 'AddBatch':
        return addBatch(this, message, object);
      case 'Register':
        return register(this, message, object);
      case 'Accept':
        return accept(this, message, object);
      case 'Cast':
        return cast(this, message, object, block);
      case 'Agree':
        return agree(this, message, object, block);
      case 'Contribute':
        return contribute(this, message, object);
      case 'Finalize':
        return finalize(this, message, object);
      case 'Announce':
        return announce(this, message, object);
      case 'Declare':
        return declare(this, message, object);
    }
  }
}

/** The election that a message is of; nothing for its creation, which its identifier follows from. */
function eidOf(message: Messages.Message): Uint8Array | undefined {
  if (message.kind !== 'Approve') return message.eid;
  return message.action.kind === 'CreateElection' ? undefined : message.action.eid;
}

function sameBoard(a: NonNullable<Known['board']>, b: NonNullable<Known['board']>): boolean {
  return a.threshold === b.threshold && a.members.map(hex).join() === b.members.map(hex).join();
}

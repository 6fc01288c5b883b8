// Approvals of board actions (spec 3.4): the k-th member's carries an action out.

import { MAX } from './bounds.js';
import { hex } from './bytes.js';
import { require } from './fault.js';

interface Waiting {
  /** The height of the first approval. */
  readonly first: number;
  readonly members: Set<number>;
}

export class Approvals {
  readonly #waiting = new Map<string, Waiting>();

  /** Counts an approval. Whether it was the k-th, with which the action is carried out and forgotten. */
  count(digest: Uint8Array, member: number, threshold: number, height: number): boolean {
    const key = hex(digest);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined || height > waiting.first + MAX.blocksToApprove) {
      waiting = { first: height, members: new Set() };
      this.#waiting.set(key, waiting);
    }
    require(!waiting.members.has(member), '3.4', `member ${member} approved this action already`);
    waiting.members.add(member);
    if (waiting.members.size < threshold) return false;
    this.#waiting.delete(key);
    return true;
  }
}

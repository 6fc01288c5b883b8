// The finality proof, a file beside the record: that the record's last block is final (spec 9.5).

import { MAX, VERSION } from './bounds.js';
import { equal, unhex, utf8 } from './bytes.js';
import { blockHash, header } from './chain.js';
import { require } from './fault.js';
import { checkJustification, justification, sameBlock, validators, type BlockId } from './justification.js';
import { Decoder } from './scale.js';
import { provedValue } from './trie.js';

const MAGIC = utf8('PSEPHOSF');

/** twox128("Grandpa") ‖ twox128("Authorities"), under which a state has the list of validators (spec 9.3). */
export const VALIDATORS_KEY = unhex('5f9cc45b7a00c5899361e1c6099678dc5e0621c4869aa60c02be9adcc98a0d1d');

/** The header of the chain's first block, and the nodes of its state that show the validators. */
interface FirstBlock {
  readonly header: Uint8Array;
  readonly state: readonly Uint8Array[];
}

/** A block after the record's last. */
interface Later extends BlockId {
  readonly parent: Uint8Array;
}

function later(d: Decoder): Later {
  const bytes = d.blob(MAX.finality);
  const { parent, height } = Decoder.whole(bytes, header);
  return { parent, height, hash: blockHash(bytes) };
}

/** Refuses a finality proof that does not show that `last`, a block of the chain of this genesis, is final. */
export function checkFinality(file: Uint8Array, genesis: Uint8Array, last: BlockId): void {
  require(file.length <= MAX.finality, '1.4', 'the finality proof is longer than 8 MiB');
  require(equal(file.subarray(0, MAGIC.length), MAGIC), '9.5', 'this is not a finality proof');
  const proof = Decoder.whole(file.subarray(MAGIC.length), (d) => {
    require(d.u16() === VERSION, '9.5', 'the finality proof is of another version');
    return {
      first: { header: d.blob(MAX.finality), state: d.list(MAX.stateNodes, (d) => d.blob(MAX.finality)) },
      later: d.list(MAX.finality, later),
      justification: Decoder.whole(d.blob(MAX.justification), justification),
    };
  });
  require(equal(blockHash(proof.first.header), genesis), '9.5.1', 'the header is not that of the chain’s first block');
  const weights = Decoder.whole(validatorsIn(proof.first), validators);
  const end = proof.later.reduce<BlockId>((before, block) => {
    const follows = equal(block.parent, before.hash) && block.height === before.height + 1;
    require(follows, '9.5.3', `block ${block.height} does not follow block ${before.height}`);
    return block;
  }, last);
  const block = proof.justification.block;
  require(sameBlock(block, end), '9.5.3', `what is shown to be final is block ${block.height}, which is not the last one`);
  checkJustification(proof.justification, weights);
}

function validatorsIn({ header: bytes, state }: FirstBlock): Uint8Array {
  const { stateRoot } = Decoder.whole(bytes, header);
  return provedValue(state, stateRoot, VALIDATORS_KEY);
}

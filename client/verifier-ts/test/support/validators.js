// The validators of a test chain: its first block, and the proofs that they make a block final (spec 9.3, 9.5).

import { ed25519 } from '@noble/curves/ed25519.js';
import { blockHash } from '../../dist/chain.js';
import { utf8 } from '../../dist/bytes.js';
import { VALIDATORS_KEY } from '../../dist/finality.js';
import { batch } from '../../dist/transcript.js';
import * as encode from './encode.js';
import { trie } from './trie.js';

const { blob, join, list, u16, u32, u64, u8 } = encode;

const seed = (i) => batch(utf8(`validator ${i}`));

/** The validators' seeds and keys. */
export const validator = (i) => ({ seed: seed(i), key: ed25519.getPublicKey(seed(i)) });

export const validatorList = (weights, key = (i) => validator(i).key) =>
  list(weights.map((weight, i) => join([key(i), u64(weight)])));

/** Other keys of a state, so that the way to the validators has branches, and nodes that lie in their parents. */
const OTHERS = [
  [Uint8Array.of(0x5f), utf8('short')],
  [VALIDATORS_KEY.slice(0, 16), utf8('a value on the way')],
  [join([VALIDATORS_KEY.slice(0, 16), Uint8Array.of(0x5e, 0x07)]), new Uint8Array(40).fill(1)],
  [join([VALIDATORS_KEY.slice(0, 31), Uint8Array.of(0x1e)]), utf8('a neighbour')],
  [utf8(':code'), new Uint8Array(1000).fill(2)],
];

/** A chain's first block, whose state has this list of validators. */
export function firstBlock(validators, others = OTHERS) {
  const { root, proof } = trie([[VALIDATORS_KEY, validators], ...others]);
  const header = encode.header({ parent: new Uint8Array(32), height: 0, stateRoot: root, items: () => [] });
  return { header, genesis: blockHash(header), state: proof(VALIDATORS_KEY) };
}

const id = ({ hash, height }) => join([hash, u32(height)]);

/** What validators sign of a block. */
export const signedOf = (block, round) => join([u8(1), id(block), u64(round), u64(0)]);

export const precommit = (i, block, round = 5) => ({ block, key: validator(i).key, signature: ed25519.sign(signedOf(block, round), validator(i).seed) });

export const justification = ({ round = 5, block, precommits, headers = [] }) =>
  join([
    u64(round),
    id(block),
    list(precommits.map(({ block, signature, key }) => join([id(block), signature, key]))),
    list(headers),
  ]);

/** `count` blocks after one. */
export function blocksAfter({ hash, height }, count, change = {}) {
  const blocks = [];
  for (let parent = hash; blocks.length < count; ) {
    const own = height + 1 + blocks.length;
    const header = encode.header({ parent, height: own, slot: 300_000_000 + own, ...change });
    parent = blockHash(header);
    blocks.push({ header, hash: parent, height: own });
  }
  return blocks;
}

/** The file. */
export const finality = ({ magic = 'PSEPHOSF', version = 1, first, state, headers = [], justification }) =>
  join([utf8(magic), u16(version), blob(first), list(state.map(blob)), list(headers.map(blob)), blob(justification)]);

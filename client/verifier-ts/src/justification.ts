// Justifications: that a block is final, by the signatures of the chain's validators (spec 9.3).

import { MAX } from './bounds.js';
import { concat, equal, hex } from './bytes.js';
import { blockHash, header } from './chain.js';
import { verifyEd25519 } from './ed25519.js';
import { require } from './fault.js';
import { differ } from './manifest.js';
import { u32, u64, u8, type Decoder } from './scale.js';

/** The validators' weights, by their keys in hexadecimal. */
export type Validators = ReadonlyMap<string, bigint>;

/** The list that the state of the chain's first block has. */
export function validators(d: Decoder): Validators {
  const all = d.list(MAX.validators, (d) => [d.id(), d.u64()] as const);
  require(differ(all.map(([key]) => key)), '9.3', 'the list of validators has a key twice');
  require(all.every(([, weight]) => weight > 0n), '9.3', 'a validator has no weight');
  require(all.every(([, weight]) => weight < MAX.weight), '1.4', 'a validator’s weight is 2³² or more');
  return new Map(all.map(([key, weight]) => [hex(key), weight]));
}

/** A block by its hash and height. */
export interface BlockId {
  readonly hash: Uint8Array;
  readonly height: number;
}

const blockId = (d: Decoder): BlockId => ({ hash: d.id(), height: d.u32() });

export const sameBlock = (a: BlockId, b: BlockId): boolean => a.height === b.height && equal(a.hash, b.hash);

interface Precommit {
  readonly block: BlockId;
  readonly signature: Uint8Array;
  readonly validator: Uint8Array;
}

interface Descendant extends BlockId {
  readonly parent: Uint8Array;
}

export interface Justification {
  readonly round: bigint;
  readonly block: BlockId;
  readonly precommits: readonly Precommit[];
  /** Headers of blocks after the block: they lead from the precommits’ blocks to it. */
  readonly descendants: readonly Descendant[];
}

function descendant(d: Decoder): Descendant {
  const start = d.position;
  const { parent, height } = header(d);
  return { parent, height, hash: blockHash(d.since(start)) };
}

export const justification = (d: Decoder): Justification => ({
  round: d.u64(),
  block: blockId(d),
  precommits: d.list(MAX.validators, (d) => ({ block: blockId(d), signature: d.signature(), validator: d.id() })),
  descendants: d.list(MAX.finality, descendant),
});

/** What a validator signs: the precommit, its round and the set of validators, the first and only one. */
const signed = ({ hash, height }: BlockId, round: bigint): Uint8Array =>
  concat(u8(1), hash, u32(height), u64(round), u64(0));

/** Refuses a justification that does not show that its block is final. */
export function checkJustification({ round, block, precommits, descendants }: Justification, weights: Validators): void {
  require(
    precommits.every(({ validator }) => weights.has(hex(validator))) && differ(precommits.map(({ validator }) => validator)),
    '9.3.1',
    'a precommit is by nobody who validates, or by one who has signed before',
  );
  const leads = leadingTo(block, descendants);
  require(precommits.every((precommit) => leads(precommit.block)), '9.3.3', 'a precommit’s block does not lead to the block');
  const weight = precommits.reduce((sum, { validator }) => sum + weights.get(hex(validator))!, 0n);
  const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0n);
  require(3n * weight > 2n * all, '9.3.4', 'those who signed do not have more than two thirds of all weights');
  for (const { block, signature, validator } of precommits) {
    const holds = verifyEd25519(validator, signed(block, round), signature);
    require(holds, '9.3.2', `the precommit of validator ${hex(validator)} is not signed by it`);
  }
}

/** Tells whether a block is this one, or leads to it by the parent hashes of the headers. */
function leadingTo(block: BlockId, descendants: readonly Descendant[]): (from: BlockId) => boolean {
  const byParent = new Map<string, Descendant[]>();
  for (const descendant of descendants) {
    const parent = hex(descendant.parent);
    const siblings = byParent.get(parent);
    if (siblings === undefined) byParent.set(parent, [descendant]);
    else siblings.push(descendant);
  }
  // What is added to a map while it is gone through is met as well.
  const heights = new Map([[hex(block.hash), block.height]]);
  for (const [parent, height] of heights) {
    for (const child of byParent.get(parent) ?? []) {
      if (child.height === height + 1) heights.set(hex(child.hash), child.height);
    }
  }
  return ({ hash, height }) => heights.get(hex(hash)) === height;
}

// Storage proofs: a value in the trie of a chain's state (spec 8.4, 9.5; Polkadot specification, D.1).
//
// A node begins with a header, its kind and how many nibbles of the key it takes; then come these nibbles, of a
// branch a map of its children, the value or its hash, and the children. A child of less than 32 bytes lies in its
// parent, others are named by their hash, and so is a value of more than 32 bytes.

import { blake2b256 } from './blake2b.js';
import { hex } from './bytes.js';
import { Refused, require } from './fault.js';
import { Decoder } from './scale.js';

const HASH = 32;

type Value = { readonly inline: Uint8Array } | { readonly hash: Uint8Array };

interface Node {
  readonly partial: readonly number[];
  readonly value: Value | undefined;
  /** Of a branch: what it has for each nibble, a hash of 32 bytes or a shorter node. */
  readonly children: readonly (Uint8Array | undefined)[];
}

interface Kind {
  /** The highest bits of the header, and how many bits below them count nibbles. */
  readonly prefix: number;
  readonly bits: number;
  readonly branch: boolean;
  readonly value: 'none' | 'inline' | 'hashed';
}

const KINDS: readonly Kind[] = [
  { prefix: 0b01, bits: 6, branch: false, value: 'inline' },
  { prefix: 0b10, bits: 6, branch: true, value: 'none' },
  { prefix: 0b11, bits: 6, branch: true, value: 'inline' },
  { prefix: 0b001, bits: 5, branch: false, value: 'hashed' },
  { prefix: 0b0001, bits: 4, branch: true, value: 'hashed' },
];

const malformed = (what: string): Refused => new Refused('9.5.2', what);

function node(d: Decoder): Node {
  const first = d.u8();
  const kind = KINDS.find(({ prefix, bits }) => first >> bits === prefix);
  if (kind === undefined) throw malformed('a node of the trie is of no kind that there is');
  const partial = partialKey(d, first & (2 ** kind.bits - 1), 2 ** kind.bits - 1);
  const map = kind.branch ? d.u16() : 0;
  const value = valueOf(d, kind);
  const children = Array.from({ length: 16 }, (_, nibble) => ((map >> nibble) & 1 ? d.blob(HASH) : undefined));
  return { partial, value, children };
}

/** The nibbles of a node: their number goes on in further bytes where the header has no room for it. */
function partialKey(d: Decoder, inHeader: number, most: number): number[] {
  let count = inHeader;
  if (inHeader === most) {
    for (let more = 255; more === 255; count += more) more = d.u8();
  }
  const all = nibbles(d.fixed((count + 1) >> 1));
  if (count % 2 === 0) return all;
  if (all[0] !== 0) throw malformed('the odd nibbles of a node are not padded with 0');
  return all.slice(1);
}

function valueOf(d: Decoder, { value }: Kind): Value | undefined {
  switch (value) {
    case 'none':
      return undefined;
    case 'inline':
      return { inline: d.blob(HASH) };
    case 'hashed':
      return { hash: d.fixed(HASH) };
  }
}

const nibbles = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/** The value that the nodes show under `key` in the state of this root. */
export function provedValue(nodes: readonly Uint8Array[], root: Uint8Array, key: Uint8Array): Uint8Array {
  const byHash = new Map(nodes.map((bytes) => [hex(blake2b256(bytes)), bytes]));
  const find = (hash: Uint8Array, least: number): Uint8Array => {
    const found = byHash.get(hex(hash));
    if (found === undefined) throw malformed('a node of the storage proof is missing');
    if (found.length < least) throw malformed('a node or value stands apart that is short enough for its parent');
    return found;
  };
  let left = nibbles(key);
  let bytes = find(root, 0);
  for (;;) {
    const { partial, value, children } = Decoder.whole(bytes, node);
    require(partial.every((nibble, i) => nibble === left[i]), '9.5.2', 'the state has no such key');
    left = left.slice(partial.length);
    const [nibble] = left;
    if (nibble === undefined) {
      require(value !== undefined, '9.5.2', 'the state has no value under the key');
      return 'inline' in value ? value.inline : find(value.hash, HASH + 1);
    }
    const child = children[nibble];
    require(child !== undefined, '9.5.2', 'the state has no such key');
    bytes = child.length === HASH ? find(child, HASH) : child;
    left = left.slice(1);
  }
}

// Tries of a chain's state, for the tests (Polkadot specification, D.1, state version 1).

import { blake2b256 } from '../../dist/blake2b.js';
import { hex } from '../../dist/bytes.js';
import { blob, join, u16, u8 } from './encode.js';

const nibblesOf = (bytes) => [...hex(bytes)].map((digit) => Number.parseInt(digit, 16));

/** The header of a node: its kind, and how many nibbles it takes. */
function header(prefix, bits, count) {
  const most = 2 ** bits - 1;
  if (count < most) return u8((prefix << bits) | count);
  const rest = count - most;
  return join([u8((prefix << bits) | most), ...Array.from({ length: Math.floor(rest / 255) }, () => u8(255)), u8(rest % 255)]);
}

function partial(nibbles) {
  const even = nibbles.length % 2 === 0 ? nibbles : [0, ...nibbles];
  return Uint8Array.from({ length: even.length / 2 }, (_, i) => (even[2 * i] << 4) | even[2 * i + 1]);
}

/** The encoding of a node; `children` is a list of sixteen for a branch. */
export function node({ nibbles, value, children }) {
  const hashed = value !== undefined && value.length > 32;
  const kind = children === undefined ? (hashed ? [0b001, 5] : [0b01, 6])
    : value === undefined ? [0b10, 6]
    : hashed ? [0b0001, 4] : [0b11, 6];
  const map = (children ?? []).reduce((map, child, nibble) => (child === undefined ? map : map | (1 << nibble)), 0);
  return join([
    header(...kind, nibbles.length),
    partial(nibbles),
    ...(children === undefined ? [] : [u16(map)]),
    ...(value === undefined ? [] : [hashed ? blake2b256(value) : blob(value)]),
    ...(children ?? []).filter((child) => child !== undefined).map(blob),
  ]);
}

/** A trie of these pairs of key and value: its root, and the nodes that show what is under a key. */
export function trie(pairs) {
  const all = pairs.map(([key, value]) => ({ nibbles: nibblesOf(key), value, key: hex(key) }));
  const top = build(all, 0);
  return {
    root: blake2b256(top.bytes),
    proof: (key) => [top.bytes, ...path(top, nibblesOf(key))],
  };
}

function build(pairs, depth) {
  const [{ nibbles: one }] = pairs;
  let end = depth;
  while (pairs.every(({ nibbles }) => end < nibbles.length && nibbles[end] === one[end])) end++;
  if (pairs.length === 1) end = one.length;
  const nibbles = one.slice(depth, end);
  const value = pairs.find((pair) => pair.nibbles.length === end)?.value;
  if (pairs.length === 1) return { end, value, bytes: node({ nibbles, value }) };
  const below = Array.from({ length: 16 }, (_, nibble) => {
    const own = pairs.filter((pair) => pair.nibbles[end] === nibble);
    return own.length === 0 ? undefined : build(own, end + 1);
  });
  const children = below.map((child) => child && (child.bytes.length < 32 ? child.bytes : blake2b256(child.bytes)));
  return { end, value, below, bytes: node({ nibbles, value, children }) };
}

/** The nodes below one on the way of a key that stand apart, and the value if it does. */
function path({ end, value, below }, nibbles) {
  if (end === nibbles.length) return value !== undefined && value.length > 32 ? [value] : [];
  const child = below?.[nibbles[end]];
  if (child === undefined) return [];
  return [...(child.bytes.length < 32 ? [] : [child.bytes]), ...path(child, nibbles)];
}

// Values in the trie of a chain's state, and what shows none (spec 8.4, 9.5).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blake2b256 } from '../dist/blake2b.js';
import { hex, unhex, utf8 } from '../dist/bytes.js';
import { VALIDATORS_KEY } from '../dist/finality.js';
import { provedValue } from '../dist/trie.js';
import { batch } from '../dist/transcript.js';
import { node, trie } from './support/trie.js';
import { twox128, xxh64 } from './support/xxh64.js';

test('the key of the validators is made of the names of pallet and item', () => {
  assert.equal(xxh64(new Uint8Array(), 0n), 0xef46db3751d8e999n);
  assert.equal(hex(twox128(utf8('Grandpa'))) + hex(twox128(utf8('Authorities'))), hex(VALIDATORS_KEY));
});

/** Keys of all sorts of lengths, in each other's way; values shorter and longer than a hash. */
const pairs = Array.from({ length: 300 }, (_, i) => {
  const random = batch(utf8(`pair ${i}`));
  return [random.slice(i % 3, (i % 3) + 1 + (i % 7)), new Uint8Array(random[30] % 70).fill(i)];
});
const long = new Uint8Array(400).fill(0x77);
const all = [...new Map([...pairs, [long, utf8('long')], [long.slice(0, 200), utf8('half as long')]].map(([key, value]) => [hex(key), value]))].map(
  ([key, value]) => [unhex(key), value],
);
const state = trie(all);

test('every value of a trie is shown, and by no fewer nodes', () => {
  const seen = { inline: 0, apart: 0 };
  for (const [key, value] of all) {
    const proof = state.proof(key);
    assert.deepEqual(provedValue(proof, state.root, key), value);
    seen[value.length > 32 ? 'apart' : 'inline']++;
    for (const left of proof) {
      assert.throws(() => provedValue(proof.filter((node) => node !== left), state.root, key), { rule: '9.5.2' });
    }
  }
  assert.ok(seen.inline > 50 && seen.apart > 50);
});

test('a proof in another order, or with more in it, shows the same', () => {
  const [key, value] = all[0];
  assert.deepEqual(provedValue([utf8('more'), ...state.proof(key).reverse(), state.proof(key)[0]], state.root, key), value);
});

test('a key that the state has not is not shown', () => {
  const everything = all.flatMap(([key]) => state.proof(key));
  for (let i = 0; i < 200; i++) {
    const key = batch(utf8(`other ${i}`)).slice(0, 1 + (i % 9));
    if (all.some(([other]) => hex(other) === hex(key))) continue;
    assert.throws(() => provedValue(everything, state.root, key), { rule: '9.5.2' });
  }
});

const key = Uint8Array.of(0x12);
/** The state whose root is one node. */
const shown = (bytes) => provedValue([bytes], blake2b256(bytes), key);

test('a leaf is a state of one key', () => {
  const leaf = node({ nibbles: [1, 2], value: utf8('v') });
  assert.equal(hex(leaf), '42120476');
  assert.deepEqual(shown(leaf), utf8('v'));
});

const malformed = [
  ['no bytes', '', /cut off/],
  ['the empty state', '00', /no kind/],
  ['a header of no kind', '0112', /no kind/],
  ['a header of another sort of trie', '0812', /no kind/],
  ['the number of nibbles is cut off', '7f', /cut off/],
  ['the number of nibbles is more than there are', '7fff0012', /cut off/],
  ['the value is cut off', '421208', /cut off/],
  ['a byte left over', '4212047600', /left over/],
  ['a length in another way', '4212050076', /shortest/],
  ['a value of more than 32 bytes that is not apart', `421284${'00'.repeat(33)}`, /list of 33/],
  ['an odd nibble with another filler', '41f10476', /padded/],
  ['another key', '42130476', /no such key/],
  ['a longer key', '4301230476', /no such key/],
  ['a leaf on the way', '41010476', /no such key/],
  ['a branch without the child', '81010000', /no such key/],
  ['a branch with another child', '810108000c400476', /no such key/],
  ['a child of more than 32 bytes in its parent', `8101040084${'00'.repeat(33)}`, /list of 33/],
  ['a branch without a value', '821210000c400476', /no value/],
  ['the child of a branch is no node', '8101040004000476', /left over/],
];
for (const [name, bytes, what] of malformed) {
  test(`a node is refused: ${name}`, () => assert.throws(() => shown(unhex(bytes)), { name: 'Refused', what }));
}

test('what is short enough for its parent must lie there', () => {
  const value = new Uint8Array(32).fill(1);
  const hashed = Uint8Array.of(0x22, 0x12, ...blake2b256(value));
  assert.throws(() => provedValue([hashed, value], blake2b256(hashed), key), { rule: '9.5.2' });
  const more = new Uint8Array(33).fill(1);
  const right = Uint8Array.of(0x22, 0x12, ...blake2b256(more));
  assert.deepEqual(provedValue([right, more], blake2b256(right), key), more);

  const children = Array(16).fill(undefined);
  const short = node({ nibbles: [], value: utf8('v') });
  for (const [child, holds] of [[short, true], [blake2b256(short), false]]) {
    children[2] = child;
    const branch = node({ nibbles: [1], children });
    const proof = () => provedValue([branch, short], blake2b256(branch), key);
    if (holds) assert.deepEqual(proof(), utf8('v'));
    else assert.throws(proof, { rule: '9.5.2' });
  }
});

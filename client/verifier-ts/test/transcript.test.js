// transcript.json: every function of the transcript vocabulary (spec 2.3).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, unhex, utf8 } from '../dist/bytes.js';
import * as transcript from '../dist/transcript.js';
import { vectors } from './support/vectors.js';

const expected = vectors('transcript');
const { number, role, ...byteInputs } = expected.inputs;
const i = Object.fromEntries(Object.entries(byteInputs).map(([name, value]) => [name, unhex(value)]));

const expanded = (expander) => {
  const [a, b, c] = [32, 8, 4].map(expander);
  return [hex(a), hex(b), new DataView(c.buffer).getUint32(0, true)];
};

const computed = {
  'signed(role, genesis, eid, number, bytes)': () => hex(transcript.signed(role, i.genesis, i.eid, number, i.bytes)),
  'eid(genesis, number, bytes)': () => hex(transcript.eid(i.genesis, number, i.bytes)),
  'generators(left, right)': () => hex(transcript.generators([i.left, i.right])),
  'dealing(bytes)': () => hex(transcript.dealing(i.bytes)),
  'range_proof(bytes), 32 bytes labelled vector': () => hex(transcript.rangeProof(i.bytes).challenge('vector', 32)),
  'ballot_hash(bytes)': () => hex(transcript.ballotHash(i.bytes)),
  'ballot_randomness(seed, bytes, other), 32 then 8 bytes then a u32': () =>
    expanded(transcript.ballotRandomness(i.seed, i.bytes, i.other)),
  'verifier_randomness(bytes, other), 32 then 8 bytes then a u32': () =>
    expanded(transcript.verifierRandomness([i.bytes, i.other])),
  'log(head, bytes)': () => hex(transcript.log(i.head, i.bytes)),
  'batch(bytes)': () => hex(transcript.batch(i.bytes)),
  'person(salt, bytes)': () => hex(transcript.person(i.salt, i.bytes)),
  'accepted_leaf(bytes)': () => hex(transcript.acceptedLeaf(i.bytes)),
  'accepted_node(left, right)': () => hex(transcript.acceptedNode(i.left, i.right)),
  'repair(bytes)': () => hex(transcript.repair(i.bytes)),
  'action(bytes)': () => hex(transcript.action(i.bytes)),
  'trustees(bytes)': () => hex(transcript.trustees(i.bytes)),
  'result(eid, head, bytes)': () => hex(transcript.result(i.eid, i.head, i.bytes)),
  'checksum("purpose", bytes)': () => hex(transcript.checksum('purpose', i.bytes)),
  'registration(number, left)': () => hex(transcript.registration(number, i.left)),
};

test('the vectors have these functions and no others', () => {
  assert.deepEqual([...Object.keys(computed), 'inputs'].sort(), Object.keys(expected).sort());
});

for (const [name, compute] of Object.entries(computed)) {
  test(name, () => assert.deepEqual(compute(), expected[name]));
}

test('an input of another length gives another hash, also across a block of STROBE', () => {
  const hashes = [165, 166, 167, 1000].map((length) => hex(transcript.batch(new Uint8Array(length))));
  assert.equal(new Set(hashes).size, hashes.length);
  assert.notEqual(hex(transcript.log(i.left, utf8(''))), hex(transcript.log(utf8(''), i.left)));
});

// wire.json: every kind of message as an extrinsic, and the frames of a record (spec 8.1, 9.1).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../dist/ballot.js';
import { concat, hex, unhex } from '../dist/bytes.js';
import { holds } from '../dist/equation.js';
import { extrinsic } from '../dist/messages.js';
import { block, FrameReader, opening } from '../dist/record.js';
import { Decoder } from '../dist/scale.js';
import { verify } from '../dist/signature.js';
import * as transcript from '../dist/transcript.js';
import { ROLE } from '../dist/transcript.js';
import { verify as verifyRecord } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { vectorElection, vectors } from './support/vectors.js';

const wire = vectors('wire');
const election = vectorElection();
const record = unhex(wire.record);

const KINDS = {
  'approve creation': 'Approve',
  'approve closing': 'Approve',
  'add batch': 'AddBatch',
  register: 'Register',
  accept: 'Accept',
  cast: 'Cast',
  announce: 'Announce',
  'declare some': 'Declare',
  'declare all': 'Declare',
  'approve a lower quorum': 'Approve',
  agree: 'Agree',
  contribute: 'Contribute',
  finalize: 'Finalize',
};

test('the vectors have every kind of message', () => {
  assert.deepEqual(wire.extrinsics.map(({ message }) => message), Object.keys(KINDS));
});

function split(record) {
  const frames = new FrameReader();
  const all = [...frames.push(record)];
  frames.end();
  const [first, ...blocks] = all;
  return { opening: Decoder.whole(first, opening), blocks: blocks.map((frame) => Decoder.whole(frame, block)) };
}

/** The signatures that a message holds, as far as the vectors sign them. */
function signatures(message, chainBoard) {
  const { genesis, eid, manifest, trustees } = election;
  const signed = (key, role, index, payload, signature, of = eid) =>
    key !== undefined && verify(key, transcript.signed(role, genesis, of, index, payload), signature);
  const trustee = (role, payload) =>
    signed(trustees[message.trustee - 1]?.signingKey, role, message.trustee, payload, message.signature);
  if (message.kind !== 'Approve' && hex(message.eid) !== hex(eid)) return false;
  switch (message.kind) {
    case 'Approve': {
      const creates = message.action.kind === 'CreateElection';
      const { members } = creates ? chainBoard : manifest.board;
      const of = creates ? new Uint8Array(32) : eid;
      return signed(members[message.member], ROLE.boardMember, message.member, transcript.action(message.encoding), message.signature, of);
    }
    case 'AddBatch': {
      const payload = concat(encode.u32(message.batch), transcript.batch(message.encoding));
      return signed(manifest.registrars[message.registrar], ROLE.registrar, message.registrar, payload, message.signature);
    }
    case 'Accept':
      return trustee(ROLE.acceptance, new Uint8Array());
    case 'Cast':
      return check(election, message.cast).equations.every(({ terms }) => holds(terms));
    case 'Agree':
      return trustee(ROLE.agreement, message.statement.encoding);
    case 'Contribute':
      return trustee(ROLE.contribution, message.encoding);
    case 'Announce':
      return trustee(ROLE.endpoint, message.encoding);
    case 'Declare':
      return trustee(ROLE.declaration, message.encoding);
    case 'Register':
    case 'Finalize':
      return true; // The one is signed with filler in the vectors, the other is not signed.
  }
}

const { opening: first, blocks } = split(record);

for (const { message: name, extrinsic: bytes } of wire.extrinsics) {
  test(`the extrinsic “${name}” is the canonical encoding of what it says`, () => {
    const message = extrinsic(unhex(bytes));
    assert.equal(message.kind, KINDS[name]);
    assert.equal(hex(encode.extrinsic(message)), bytes);
    assert.ok(signatures(message, first.board), 'the signature');
  });

  test(`the extrinsic “${name}” can’t be cut or lengthened`, () => {
    const whole = unhex(bytes);
    const ends = whole.length < 400 ? whole.keys() : [0, 1, 4, 5, 6, 7, 100, whole.length - 1];
    for (const end of ends) assert.throws(() => extrinsic(whole.slice(0, end)), { name: 'Refused' });
    assert.throws(() => extrinsic(concat(whole, Uint8Array.of(0))), { name: 'Refused' });
  });
}

test('the record is the canonical encoding of what it says', () => {
  assert.equal(blocks.length, wire['record blocks']);
  assert.equal(hex(first.genesis), hex(election.genesis));
  assert.equal(hex(first.eid), hex(election.eid));
  assert.equal(hex(encode.record([encode.opening(first), ...blocks.map(encode.block)])), wire.record);
  const of = blocks.flatMap(({ messages }) => messages.map((message) => hex(encode.extrinsic(message))));
  assert.deepEqual(of, wire.extrinsics.slice(1).map(({ extrinsic }) => extrinsic));
});

test('the record comes in pieces of any size', () => {
  for (const size of [1, 7, 100, 1000]) {
    const frames = new FrameReader();
    const all = [];
    for (let i = 0; i < record.length; i += size) {
      for (const frame of frames.push(record.slice(i, i + size))) all.push(hex(encode.block(Decoder.whole(frame, all.length === 0 ? asOpening : block))));
    }
    frames.end();
    assert.equal(all.length, 3);
  }
});

const asOpening = (d) => {
  opening(d);
  return { header: new Uint8Array(), time: 0n, messages: [] };
};

test('a record that is cut anywhere is refused', () => {
  // Between two frames only the replay can tell that something is missing.
  const ends = new Set([8]);
  let end = 8;
  for (const frame of [encode.opening(first), encode.block(blocks[0])]) ends.add((end += 4 + frame.length));
  for (const length of record.keys()) {
    if (ends.has(length)) continue;
    assert.throws(() => split(record.slice(0, length)), { name: 'Refused' }, `${length} bytes`);
  }
});

test('a frame of more than 8 MiB is refused before it is there', () => {
  const frames = new FrameReader();
  const large = concat(record.slice(0, 8), encode.u32(8 * 1024 * 1024 + 1));
  assert.throws(() => [...frames.push(large)], { rule: '1.4' });
  assert.deepEqual([...new FrameReader().push(concat(record.slice(0, 8), encode.u32(8 * 1024 * 1024)))], []);
});

test('every changed byte of a message is noticed, where the vectors sign it', () => {
  const [{ messages, header }] = blocks;
  const start = 8 + 4 + 164 + 4 + encode.blob(header).length + 8 + 1;
  let position = start;
  for (const [index, message] of messages.entries()) {
    const length = encode.message(message).length;
    const signed = message.kind !== 'Register' && message.kind !== 'Finalize';
    // Every byte of a short message, and of a long one every seventh; in ballots the proof makes each slow.
    const step = length < 300 ? 3 : 41;
    for (let i = position; signed && i < position + length; i += step) {
      const changed = record.slice();
      changed[i] ^= 1 << (i % 8);
      assert.ok(!survives(changed, index), `${message.kind}, byte ${i - position}`);
    }
    position += length;
  }
});

/** Whether a message of a record’s first block can still be read, and is signed. */
function survives(record, index) {
  try {
    const { opening, blocks } = split(record);
    return signatures(blocks[0].messages[index], opening.board);
  } catch (error) {
    assert.equal(error.name, 'Refused', error.stack);
    return false;
  }
}

test('the frames are no election: their headers are filler, and the report says so', () => {
  const report = verifyRecord(record);
  assert.ok(!report.verified);
  assert.equal(report.fault.check, 2);
});

test('there are messages 0 to 9, actions 0 to 9, and no others', () => {
  const [approval] = wire.extrinsics;
  const message = (index) => () => extrinsic(encode.blob(Uint8Array.of(0x45, 0, 8, index, ...new Uint8Array(200))));
  assert.throws(message(10), { rule: '8.1', what: 'there is no message 10' });
  assert.throws(message(9), ({ what }) => !/there is no message/.test(what));
  const bytes = unhex(approval.extrinsic);
  const index = encode.compact(bytes.length - 4).length + 4;
  assert.equal(bytes[index], 0, 'the creation');
  bytes[index] = 10;
  assert.throws(() => extrinsic(bytes), { rule: '3.4' });
});

test('a declaration has two variants, and lists at most 256 credentials', () => {
  const some = (count) => ({ kind: 'some', credentials: Array(count).fill(new Uint8Array(32)) });
  const fields = { kind: 'Declare', eid: election.eid, trustee: 1, closing: { height: 1, hash: election.eid }, signature: new Uint8Array(64) };
  assert.equal(extrinsic(encode.extrinsic({ ...fields, missing: some(256) })).missing.credentials.length, 256);
  assert.throws(() => extrinsic(encode.extrinsic({ ...fields, missing: some(257) })), { rule: '1.4' });
  const all = encode.message({ ...fields, missing: { kind: 'all' } });
  all[1 + 32 + 1 + 36] = 2;
  assert.throws(() => extrinsic(encode.blob(concat(Uint8Array.of(0x45, 0, 8), all))), { rule: '7.2' });
});

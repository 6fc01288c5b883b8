// A changed record is rejected (spec 9.2), but for what a record cannot show (spec 9.4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verifier, verify } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { run, STEPS } from './support/network.js';

/** With totals by unit, of two cells. */
const network = run({}, { byUnit: true, privacyMinimum: 1 });
const frames = network.frames();
const record = network.record();

/**
 * What can be changed without notice, by design:
 *
 * - keys of chain board members who signed no approval (the reader compares the board, `--board`);
 * - the last header's roots and seal (its hash, which the report prints, is compared with another source);
 * - the time of a block within its slot, as long as it passes no opening or close.
 */
function withoutMeaning() {
  const ranges = [];
  let position = 8;
  for (const [index, frame] of frames.entries()) {
    position += 4;
    if (index === 0) ranges.push([position + 2 + 32 + 1 + 32, 32]); // Chain member 1 of 0, 1, 2 never signed.
    else {
      const { header } = network.blocks[index - 1];
      const prefix = encode.compact(header.length).length;
      const start = position + prefix;
      if (index === frames.length - 1) {
        const roots = start + 32 + encode.compact(network.height).length;
        const seal = start + header.length - 64;
        ranges.push([roots, 64], [seal - 6, 4], [seal, 64]);
      }
      ranges.push([start + header.length, 2]); // Less than 65,536 ms of the time: some of it within a slot.
    }
    position += frame.length;
  }
  return (i) => ranges.some(([from, length]) => from <= i && i < from + length);
}

const meaningless = withoutMeaning();

test('the record itself is verified', () => {
  const report = verify(record);
  assert.ok(report.verified);
  assert.equal(report.cells.length, 2);
});

test('every changed byte is noticed, but for those without meaning', () => {
  // A step that has no factor with the lengths of the fields, so that all sorts of fields are met.
  for (let i = 0; i < record.length; i += 293) {
    const changed = record.slice();
    changed[i] ^= 1 << ((i / 293) % 8);
    const report = verify(changed);
    assert.ok(!report.verified || meaningless(i), `byte ${i}`);
  }
});

test('every byte of the frames’ ends and lengths, and of the first frame, is noticed', () => {
  let position = 8;
  const all = new Set(Array.from({ length: 8 }, (_, i) => i));
  for (const frame of frames) {
    for (const i of [0, 4]) all.add(position + i);
    position += 4 + frame.length;
    all.add(position - 1);
  }
  for (let i = 8; i < 8 + 4 + frames[0].length; i += 11) all.add(i);
  for (const i of all) {
    const changed = record.slice();
    changed[i] ^= 0x10;
    assert.ok(!verify(changed).verified || meaningless(i), `byte ${i}`);
  }
});

test('the bytes without meaning are so indeed: the report is the same but for board, file and last block', () => {
  const { lastBlock, board, file, ...expected } = verify(record);
  let met = 0;
  for (let i = 0; i < record.length; i += 11) {
    if (!meaningless(i)) continue;
    const changed = record.slice();
    changed[i] ^= 1;
    const { lastBlock: last, board: chain, file: hash, ...report } = verify(changed);
    if (!report.verified) continue; // Some milliseconds do matter.
    assert.deepEqual(report, expected);
    met++;
  }
  assert.ok(met > 10);
});

test('a frame that is left out is noticed', () => {
  for (const index of frames.keys()) {
    assert.ok(!verify(encode.record(frames.filter((_, i) => i !== index))).verified, `frame ${index}`);
  }
});

test('two frames exchanged are noticed', () => {
  for (let index = 1; index < frames.length; index++) {
    const changed = [...frames];
    [changed[index - 1], changed[index]] = [changed[index], changed[index - 1]];
    assert.ok(!verify(encode.record(changed)).verified, `frames ${index - 1} and ${index}`);
  }
});

test('a frame twice, and an empty frame, are noticed', () => {
  for (const [index, frame] of frames.entries()) {
    assert.ok(!verify(encode.record([...frames.slice(0, index), frame, ...frames.slice(index)])).verified);
    assert.ok(!verify(encode.record([...frames.slice(0, index), new Uint8Array(), ...frames.slice(index)])).verified);
  }
});

test('a record that is cut anywhere is refused', () => {
  for (let length = 0; length < record.length; length += 601) {
    assert.ok(!verify(record.subarray(0, length)).verified, `${length} bytes`);
  }
});

/** The record with other messages in its blocks. */
const withMessages = (change) =>
  encode.record([frames[0], ...network.blocks.map((block) => encode.block({ ...block, messages: change(block.messages) }))]);

test('a message left out is noticed, unless others did without it', () => {
  const all = network.blocks.flatMap(({ messages }) => messages);
  for (const left of all) {
    const report = verify(withMessages((messages) => messages.filter((message) => message !== left)));
    // The contribution that finalizing did not use decides nothing. A ballot that another replaced is in the log.
    const spare = left.kind === 'Contribute' && left.trustee === 3;
    assert.equal(report.verified, spare, `${left.kind} ${left.trustee ?? left.member ?? ''}`);
  }
});

test('of addresses and declarations only those can be left out that change nothing (spec 9.4)', () => {
  const n = run(
    {
      freeze: (n) => STEPS.freeze(n.block(n.announce(1, 'http://a', [1, 2]))),
      agree: (n) => {
        n.block([...n.declare(['dora'], [1, 3, 4]), ...n.declare(['anna'], [2])]);
        STEPS.agree(n.block(n.lowerQuorum(2)).exclude('dora'));
      },
    },
    { privacyMinimum: 1 },
  );
  const kinds = new Set(['Announce', 'Declare', 'LowerQuorum']);
  const kindOf = ({ kind, action }) => action?.kind ?? kind;
  const found = n.blocks.flatMap(({ messages }) => messages).filter((message) => kinds.has(kindOf(message)));
  assert.equal(found.length, 8);
  for (const left of found) {
    const blocks = n.blocks.map((block) => encode.block({ ...block, messages: block.messages.filter((message) => message !== left) }));
    const decides = left.kind === 'Declare' && left.trustee !== 2;
    assert.equal(verify(encode.record([n.frames()[0], ...blocks])).verified, !decides, `${kindOf(left)} ${left.trustee}`);
  }
});

test('a message that comes twice is noticed', () => {
  const all = network.blocks.flatMap(({ messages }) => messages);
  for (const twice of all) {
    const report = verify(withMessages((messages) => messages.flatMap((m) => (m === twice ? [m, m] : [m]))));
    assert.ok(!report.verified, twice.kind);
  }
});

test('messages of a block in the opposite order', () => {
  // Only where the order changes what they do.
  const kinds = new Set(['AddBatch', 'Register']);
  const report = verify(withMessages((messages) => (messages.some(({ kind }) => kinds.has(kind)) ? [...messages].reverse() : messages)));
  assert.ok(!report.verified);
  assert.equal(report.fault.check, 6);
});

test('after a fault the rest of a file is not looked at', () => {
  const verifier = new Verifier();
  verifier.push(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0));
  assert.ok(verifier.failed);
  verifier.push(record);
  assert.ok(!verifier.end().verified);
});

// Whole elections (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, hex } from '../dist/bytes.js';
import { text } from '../dist/report.js';
import { Verifier, verify } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { ballots, run } from './support/network.js';
import { casts, CERTIFIED, verdicts } from './support/steps.js';

const whole = run();

test('a whole election is verified, with the totals of its last ballots', () => {
  const report = verify(whole.record());
  assert.ok(report.verified, report.fault?.what);
  assert.deepEqual(verdicts(report), CERTIFIED);
  assert.equal(report.outcome, 'certified');
  assert.deepEqual(
    report.contests.map(({ options }) => options.map(({ total }) => Number(total))),
    [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
  );
  assert.deepEqual(report.contests.map(({ ballots, weight }) => [ballots, weight]), [[4, '6'], [2, '2'], [2, '4']]);
  assert.deepEqual(report.units, [
    { name: 'Upper', entries: 3, registered: 2, voted: 2 },
    { name: 'Lower', entries: 2, registered: 2, voted: 2 },
  ]);
  assert.deepEqual(report.ballots, { accepted: 5, counted: 4, excluded: 0, olderAnchors: 0 });
  assert.equal(report.rollLog, hex(whole.rollHead));
  assert.equal(report.lastBlock.hash, hex(whole.hash));
  assert.deepEqual(report.notes, []);
  assert.match(text(report), /VERIFIED \(certified\)$/);
});

test('it is verified in pieces of any size', () => {
  const record = whole.record();
  for (const size of [1000, 4321]) {
    const verifier = new Verifier();
    for (let i = 0; i < record.length; i += size) verifier.push(record.subarray(i, i + size));
    assert.deepEqual(verifier.end(), verify(record));
  }
});

test('what the reader knows beforehand must be what the record says', () => {
  const record = whole.record();
  assert.ok(verify(record, { genesis: whole.genesis, eid: whole.eid, board: whole.board }).verified);
  const other = new Uint8Array(32);
  const check = (known) => verify(record, known).fault?.check;
  assert.equal(check({ genesis: other }), 3);
  assert.equal(check({ eid: other }), 3);
  assert.equal(check({ board: { ...whole.board, threshold: 1 } }), 4);
  assert.equal(check({ board: { ...whole.board, members: [...whole.board.members].reverse() } }), 4);
});

test('an anchor older than the record is taken, and counted', () => {
  const vote = casts({ anchor: { height: 50, hash: new Uint8Array(32) } });
  const report = verify(run({ vote }, { smallGroupsPublic: true }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.ballots.olderAnchors, 1);
});

test('the hash of the block before the record is known: it is its first block’s parent', () => {
  const vote = casts({ anchor: { height: 99, hash: new Uint8Array(32).fill(9) } });
  const report = verify(run({ vote }, { smallGroupsPublic: true }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.ballots.olderAnchors, 0);
});

test('what follows the end fails check 16 if it is a block, check 1 if it is none', () => {
  const following = (...bytes) => verify(concat(whole.record(), ...bytes)).fault.check;
  const frame = whole.frames().at(-1);
  assert.equal(following(encode.u32(frame.length), frame), 16);
  assert.equal(following(Uint8Array.of(0)), 1);
  assert.equal(following(encode.u32(0)), 1);
  assert.equal(following(encode.u32(2 ** 32 - 1)), 1);
  assert.equal(following(encode.u32(frame.length), frame.subarray(1)), 1);
});

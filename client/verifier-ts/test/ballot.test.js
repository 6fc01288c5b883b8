// ballot.json: a ballot of each style from its seed (spec 5, 6).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, readCastBallot } from '../dist/ballot.js';
import { concat, equal, hex, unhex } from '../dist/bytes.js';
import { trackingCode } from '../dist/codes.js';
import { holds } from '../dist/equation.js';
import { decodePoint, decodeScalar } from '../dist/group.js';
import { Decoder } from '../dist/scale.js';
import { verify } from '../dist/signature.js';
import * as transcript from '../dist/transcript.js';
import { ROLE } from '../dist/transcript.js';
import * as encode from './support/encode.js';
import { open, seal } from './support/envelope.js';
import * as prover from './support/prover.js';
import { vectorElection, vectors } from './support/vectors.js';

const election = vectorElection();

function readPaper(d) {
  return {
    style: d.u16(),
    credential: d.id(),
    sequence: d.u32(),
    anchor: { height: d.u32(), hash: d.id() },
    expiry: d.u32(),
  };
}

function readOpening(d) {
  assert.equal(d.u16(), 1);
  assert.equal(hex(d.id()), hex(election.eid));
  const paper = readPaper(d);
  const votes = d.list(16, (d) => d.list(128, (d) => d.u32()));
  return { paper, votes, seed: d.fixed(64) };
}

for (const [index, vector] of vectors('ballot').entries()) {
  const name = election.manifest.styles[index].name;
  const opening = Decoder.whole(unhex(vector['audit opening']), readOpening);
  const prepared = prover.prepare(election, opening.seed, opening.paper, opening.votes);

  test(`style ${name}: the audit opening says paper, choices and seed`, () => {
    assert.equal(hex(prover.paper(opening.paper)), vector.paper);
    assert.deepEqual(opening.votes, vector.choices);
    assert.equal(hex(opening.seed), vector.seed);
    assert.equal(opening.paper.style, index);
  });

  test(`style ${name}: the seed gives dealing, ballot and hash`, () => {
    assert.equal(hex(prepared.dealing), vector.dealing);
    assert.equal(hex(transcript.dealing(unhex(vector.dealing))), vector['dealing digest']);
    assert.equal(hex(prepared.ballot.dealing), vector['dealing digest']);
    assert.equal(hex(encode.ballot(prepared.ballot)), vector.ballot);
    assert.equal(hex(prepared.hash), vector.hash);
    assert.equal(trackingCode(unhex(vector.hash)), vector['tracking code']);
  });

  test(`style ${name}: signature, receipts and proof hold, and any three receipts do`, () => {
    const receipts = vector.trustees.map(({ receipt }) => unhex(receipt));
    for (const left of receipts.keys()) {
      const three = receipts.filter((_, i) => i !== left);
      const cast = readCastBallot(concat(unhex(vector.ballot), unhex(vector.signature), encode.list(three)));
      assert.equal(hex(cast.ballot.hash), vector.hash);
      for (const { terms, refused } of check(election, cast).equations) assert.ok(holds(terms), refused.rule);
    }
  });

  test(`style ${name}: each trustee's share fits the dealing, and no other trustee's does`, () => {
    for (const { index: trustee, share, receipt } of vector.trustees) {
      assert.equal(hex(prover.shareBytes(prepared.shares[trustee - 1])), share);
      const fits = (trustee) =>
        prover.checkShare(trustee, unhex(share), prepared.ballot.options, prepared.dealingPoints, election.threshold, decodeScalar, decodePoint);
      assert.ok(fits(trustee));
      assert.ok(!fits(trustee + 1));
      const given = Decoder.whole(unhex(receipt), (d) => ({ trustee: d.u8(), height: d.u32(), signature: d.signature() }));
      const payload = concat(unhex(vector.hash), encode.u32(given.height));
      const message = transcript.signed(ROLE.receipt, election.genesis, election.eid, trustee, payload);
      assert.equal(given.trustee, trustee);
      assert.ok(verify(election.trustees[trustee - 1].signingKey, message, given.signature));
    }
  });

  test(`style ${name}: the envelopes follow from the seed and open to the shares`, () => {
    for (const { index: trustee, envelope, share, 'kem seed': seed } of vector.trustees) {
      const data = concat(election.eid, unhex(vector.hash), encode.u8(trustee));
      const { kemKey } = election.manifest.trustees[trustee - 1];
      const sealed = seal(kemKey, prepared.expander, data, unhex(share));
      const bytes = unhex(envelope);
      assert.ok(equal(sealed, bytes), 'the sealed envelope is another');
      assert.equal(hex(open(unhex(seed), kemKey, data, bytes)), share);
      const other = concat(election.eid, unhex(vector.hash), encode.u8(trustee + 1));
      assert.throws(() => open(unhex(seed), kemKey, other, bytes));
    }
  });
}

test('a ballot has at most 22,000 bytes, whatever they are', () => {
  const what = (length) => {
    try {
      readCastBallot(new Uint8Array(length));
    } catch (error) {
      assert.equal(error.rule, '6.4.1');
      return error.what;
    }
  };
  assert.match(what(22_001), /longer/);
  assert.doesNotMatch(what(22_000), /longer/);
});

test('a ballot of the most commitments and receipts is read, though it is of no style here', () => {
  const [vector] = vectors('ballot');
  const { ballot, signature } = readCastBallot(concat(unhex(vector.ballot), unhex(vector.signature), Uint8Array.of(0)));
  const receipts = Array.from({ length: 16 }, (_, i) => ({ trustee: i + 1, height: 1, signature }));
  const point = ballot.options[0];
  const of = (options, slack) => encode.cast({ ballot: { ...ballot, options: Array(options).fill(point), slack: Array(slack).fill(point) }, signature, receipts });
  const largest = of(512, 96);
  assert.ok(largest.length > 20_000 && largest.length <= 22_000);
  assert.throws(() => check(election, readCastBallot(largest)), { rule: '6.4.5' });
  assert.throws(() => readCastBallot(of(513, 96)), { rule: '6.4.1' });
  assert.throws(() => readCastBallot(of(512, 97)), { rule: '6.4.1' });
});

// malformed.json: what must be refused, and by which rule.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, readCastBallot } from '../dist/ballot.js';
import { unhex } from '../dist/bytes.js';
import { Waiting, holds } from '../dist/equation.js';
import { decodePoint, decodeScalar } from '../dist/group.js';
import { extrinsic } from '../dist/messages.js';
import { Decoder } from '../dist/scale.js';
import { checkShare } from './support/prover.js';
import { vectorElection, vectors } from './support/vectors.js';

const malformed = vectors('malformed');
const election = vectorElection();
const bytesOf = (bytes) => (typeof bytes === 'string' ? unhex(bytes) : new Uint8Array(bytes.zeros));

/** The rule that a cast ballot breaks: of all its equations the first that does not hold. */
function broken(bytes) {
  try {
    for (const { terms, refused } of check(election, readCastBallot(bytes)).equations) {
      if (!holds(terms)) throw refused;
    }
    return 'valid';
  } catch (error) {
    assert.ok(error.rule, error);
    return error.rule;
  }
}

for (const { what, bytes, verdict } of malformed['cast ballots']) {
  test(`a cast ballot: ${what}`, () => assert.equal(broken(bytesOf(bytes)), verdict.split(':')[0]));
}

test('many ballots at once: the first bad one is named', () => {
  const all = malformed['cast ballots'].map(({ bytes, verdict, what }) => ({ bytes: bytesOf(bytes), what, rule: verdict.split(':')[0] }));
  const good = all.find(({ rule }) => rule === 'valid');
  const equations = ({ bytes }) => check(election, readCastBallot(bytes)).equations;
  for (const { what, rule, bytes } of all) {
    let bad;
    try {
      bad = equations({ bytes });
    } catch {
      continue;
    }
    const waiting = new Waiting();
    for (let i = 0; i < 10; i++) waiting.add({ check: 8, object: `ballot ${i}`, party: '' }, i === 7 ? bad : equations(good));
    if (rule === 'valid') waiting.check();
    else assert.throws(() => waiting.check(), { rule, place: { check: 8, object: 'ballot 7', party: '' } }, what);
  }
});

for (const { what, bytes } of malformed.extrinsics) {
  test(`an extrinsic: ${what}`, () => assert.throws(() => extrinsic(unhex(bytes)), { name: /Refused/ }));
}

test('the extrinsic that the malformed ones differ from is good', () => {
  const { bytes } = malformed.extrinsics.find(({ what }) => what === 'a byte left over');
  assert.equal(extrinsic(unhex(bytes.slice(0, -2))).kind, 'Accept');
});

for (const { what, bytes } of malformed.shares) {
  test(`a share: ${what}`, () => {
    const [vector] = vectors('ballot');
    const options = readOptions(vector);
    const points = Decoder.whole(unhex(vector.dealing), (d) => d.list(7680, (d) => d.id()));
    assert.ok(checkShare(1, unhex(vector.trustees[0].share), options, points, election.threshold, decodeScalar, decodePoint));
    assert.ok(!readShare(unhex(bytes)), 'as a share of two commitments');
  });
}

/** The shares of the vector are of two commitments: 5.6.1 alone. */
function readShare(bytes) {
  if (bytes.length !== 128) return undefined;
  const scalars = [0, 32, 64, 96].map((start) => decodeScalar(bytes.subarray(start, start + 32)));
  return scalars.every((scalar) => scalar !== undefined) ? scalars : undefined;
}

function readOptions({ ballot, signature }) {
  return readCastBallot(Uint8Array.from([...unhex(ballot), ...unhex(signature), 0])).ballot.options;
}

test('the share that the malformed ones differ from is one pair for each of two commitments', () => {
  const { bytes } = malformed.shares.find(({ what }) => what === 'a byte left over');
  assert.ok(readShare(unhex(bytes.slice(0, -2))));
});

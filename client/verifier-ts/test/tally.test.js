// tally.json: two ballots, the set, agreements, contributions and the result (spec 7).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as agreement from '../dist/agreement.js';
import { check, readCastBallot } from '../dist/ballot.js';
import { hex, unhex } from '../dist/bytes.js';
import { holds } from '../dist/equation.js';
import { columns, columnsOf } from '../dist/manifest.js';
import { extrinsic, setStatement } from '../dist/messages.js';
import { Decoder } from '../dist/scale.js';
import { verify } from '../dist/signature.js';
import * as tally from '../dist/tally.js';
import * as transcript from '../dist/transcript.js';
import { ROLE } from '../dist/transcript.js';
import * as encode from './support/encode.js';
import { vectorElection, vectors } from './support/vectors.js';

const vector = vectors('tally');
const election = vectorElection();
const { manifest } = election;

const ballots = vector.ballots.map(({ cast, hash, weight }) => ({ cast: readCastBallot(unhex(cast)), hash, weight: BigInt(weight) }));
const checked = ballots.map(({ cast }) => check(election, cast));

/** Reads a structure as the message of this index. */
const asMessage = (index, structure) =>
  extrinsic(encode.blob(encode.join([Uint8Array.of(0x45, 0, 8, index), unhex(structure)])));
const agreements = vector.agreements.map((bytes) => asMessage(5, bytes));
const contributions = vector.contributions.map((bytes) => asMessage(6, bytes));
const read = new Map(contributions.map(({ trustee, sums }) => [trustee, tally.contribution(columns(manifest), sums)]));

test('the ballots are valid', () => {
  for (const [i, { cast, hash }] of ballots.entries()) {
    assert.equal(hex(cast.ballot.hash), hash);
    for (const { terms, refused } of checked[i].equations) assert.ok(holds(terms), refused.rule);
  }
});

test('the set is sorted by credential, and gives root and statement', () => {
  const leaves = ballots.map(({ cast: { ballot }, weight }) =>
    encode.join([ballot.credential, encode.u32(ballot.sequence), ballot.hash, encode.u64(weight)]));
  assert.deepEqual(leaves.map(hex).sort(), vector.set);
  const hashes = ballots
    .map(({ cast: { ballot }, weight }) => [hex(ballot.credential), agreement.leaf(ballot.credential, ballot.sequence, ballot.hash, weight)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, leaf]) => leaf);
  assert.equal(hex(agreement.root(hashes)), vector.root);
  assert.notEqual(hex(agreement.root([...hashes].reverse())), vector.root);
  const statement = Decoder.whole(unhex(vector.statement), setStatement);
  assert.equal(hex(statement.root), vector.root);
  assert.equal(statement.ballots, ballots.length);
  assert.equal(hex(encode.setStatement(statement)), vector.statement);
  const log = ballots.reduce((head, { cast }) => transcript.log(head, cast.ballot.hash), new Uint8Array(32));
  assert.equal(hex(statement.log), hex(log));
});

test('roots of other sets: none, one, and an odd level', () => {
  const [a, b, c] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
  assert.equal(hex(agreement.root([])), '00'.repeat(32));
  assert.equal(hex(agreement.root([a])), hex(a));
  assert.equal(hex(agreement.root([a, b, c])), hex(transcript.acceptedNode(transcript.acceptedNode(a, b), c)));
});

test('the agreements are signed over the statement', () => {
  assert.deepEqual(agreements.map(({ trustee }) => trustee), [1, 2, 3]);
  for (const { eid, trustee, statement, signature } of agreements) {
    assert.equal(hex(eid), hex(election.eid));
    assert.equal(hex(statement.encoding), vector.statement);
    const message = transcript.signed(ROLE.agreement, election.genesis, election.eid, trustee, statement.encoding);
    assert.ok(verify(election.trustees[trustee - 1].signingKey, message, signature));
  }
});

test('the contributions are signed, for the set', () => {
  assert.deepEqual(contributions.map(({ trustee }) => trustee), [1, 2, 3, 4]);
  for (const { trustee, root, encoding, signature } of contributions) {
    assert.equal(hex(root), vector.root);
    const message = transcript.signed(ROLE.contribution, election.genesis, election.eid, trustee, encoding);
    assert.ok(verify(election.trustees[trustee - 1].signingKey, message, signature));
  }
});

const sums = new tally.Sums(columns(manifest));
ballots.forEach(({ cast, weight }, i) => sums.add(weight, columnsOf(manifest, manifest.styles[cast.ballot.style]), checked[i].options));
const turnout = tally.turnouts(manifest, ballots.map(({ cast, weight }) => ({ style: cast.ballot.style, weight })));

test('a ballot that is replaced leaves no trace in the sums', () => {
  const before = sums.total();
  const own = columnsOf(manifest, manifest.styles[0]);
  sums.add(3n, own, checked[0].options);
  assert.ok(!sums.total().every((sum, column) => sum.equals(before[column])));
  sums.remove(3n, own, checked[0].options);
  assert.ok(sums.total().every((sum, column) => sum.equals(before[column])));
});

test('any two contributions open the sums to the result', () => {
  for (const contributors of [[1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]]) {
    assert.ok(tally.areContributors(manifest, contributors));
    const openings = tally.interpolate(read, contributors, 0);
    assert.ok(tally.opens(openings, sums.total()));
    assert.deepEqual(
      tally.totals(manifest, openings, turnout).map((contest) => contest.map(Number)),
      vector.totals,
    );
    const result = tally.encodeResult(openings, turnout, contributors);
    const named = contributors.join() === vector.contributors.join();
    assert.equal(hex(result) === vector.result, named);
    assert.equal(hex(transcript.result(election.eid, unhex(vector.root), result)) === vector.digest, named);
    assert.deepEqual(tally.wrongContributions(read, contributors, manifest.quorum), []);
  }
});

test('only t trustees in ascending order are contributors', () => {
  for (const contributors of [[], [1], [2, 1], [1, 1], [0, 1], [4, 5], [1, 2, 3]]) {
    assert.ok(!tally.areContributors(manifest, contributors), contributors.join());
  }
});

test('a contribution that is not right opens nothing, and is known by the others', () => {
  const wrong = new Map(read).set(4, read.get(4).map(([f, g], i) => (i === 0 ? [f + 1n, g] : [f, g])));
  assert.ok(!tally.opens(tally.interpolate(wrong, [3, 4], 0), sums.total()));
  assert.deepEqual(tally.wrongContributions(wrong, [1, 2], manifest.quorum), [4]);
  wrong.delete(3);
  assert.deepEqual(tally.wrongContributions(wrong, [1, 2], manifest.quorum), [4]);
  assert.deepEqual(tally.wrongContributions(wrong, [1, 2], manifest.quorum + 1), []);
});

test('contributions of another number of pairs, or with scalars that are not canonical, are refused', () => {
  const [{ sums: pairs }] = contributions;
  assert.throws(() => tally.contribution(pairs.length + 1, pairs), { rule: '7.3' });
  const large = [[pairs[0][0], new Uint8Array(32).fill(255)], ...pairs.slice(1)];
  assert.throws(() => tally.contribution(pairs.length, large), { rule: '7.3' });
});

test('totals that do not fit the turnout are refused', () => {
  const openings = tally.interpolate(read, [2, 3], 0);
  const changed = (column, total) => openings.map(([t, r], i) => (i === column ? [total, r] : [t, r]));
  const refused = (openings, turnouts = turnout) => assert.throws(() => tally.totals(manifest, openings, turnouts), { rule: /^7\.5/ });
  refused(changed(0, 2n ** 64n)); // above 64 bits
  refused(changed(0, 4n)); // the computed option would be below zero
  refused(changed(2, 17n)); // more than 4 for each weight
  refused(openings.slice(1));
  refused(openings, turnout.map(({ ballots, weight }) => ({ ballots, weight: weight - 1n })));
});

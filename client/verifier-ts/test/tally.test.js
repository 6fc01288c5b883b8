// tally.json: two ballots, the set, agreements, contributions and the result (spec 7).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as agreement from '../dist/agreement.js';
import { check, readCastBallot } from '../dist/ballot.js';
import { hex, unhex } from '../dist/bytes.js';
import { cells } from '../dist/cells.js';
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

// The vectors’ election has one reporting unit, and names none with the ballots.
const ballots = vector.ballots.map(({ cast: bytes, hash, weight, unit = 0 }) => {
  const cast = readCastBallot(unhex(bytes));
  return { cast, hash, style: cast.ballot.style, weight: BigInt(weight), unit };
});
const checked = ballots.map(({ cast }) => check(election, cast));

/** Reads a structure as the message of this index. */
const asMessage = (index, structure) =>
  extrinsic(encode.blob(encode.join([Uint8Array.of(0x45, 0, 8, index), unhex(structure)])));
const own = cells(manifest, ballots);
const agreements = vector.agreements.map((bytes) => asMessage(5, bytes));
const contributions = vector.contributions.map((bytes) => asMessage(6, bytes));
const read = new Map(contributions.map(({ trustee, sums }) => [trustee, tally.contribution(own.length * columns(manifest), sums)]));

test('the ballots are valid', () => {
  for (const [i, { cast, hash }] of ballots.entries()) {
    assert.equal(hex(cast.ballot.hash), hash);
    for (const { terms, refused } of checked[i].equations) assert.ok(holds(terms), refused.rule);
  }
});

test('the set is sorted by credential, and gives root and statement', () => {
  const leaves = ballots.map(({ cast: { ballot }, weight, unit }) =>
    encode.join([ballot.credential, encode.u32(ballot.sequence), ballot.hash, encode.u64(weight), encode.u16(unit)]));
  assert.deepEqual(leaves.map(hex).sort(), vector.set);
  const hashes = ballots
    .map(({ cast: { ballot }, weight, unit }) => [hex(ballot.credential), agreement.leaf(ballot.credential, ballot.sequence, ballot.hash, weight, unit)])
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

const sums = new tally.Sums(manifest);
ballots.forEach((ballot, i) => sums.add(ballot, columnsOf(manifest, manifest.styles[ballot.style]), checked[i].options));
const turnout = tally.turnouts(manifest, own, ballots);

test('a ballot that is replaced leaves no trace in the sums', () => {
  const before = sums.totals(own);
  const same = () => sums.totals(own).every((sum, place) => sum.equals(before[place]));
  const columns = columnsOf(manifest, manifest.styles[ballots[0].style]);
  sums.add({ ...ballots[0], weight: 3n }, columns, checked[0].options);
  assert.ok(!same());
  sums.remove({ ...ballots[0], weight: 3n }, columns, checked[0].options);
  assert.ok(same());
});

test('by unit, each cell has its own sums and turnouts, and all of them together are the election’s', () => {
  const byUnit = { ...manifest, byUnit: true, units: ['a', 'b', 'c'] };
  const moved = ballots.map((ballot, i) => ({ ...ballot, unit: 2 * i }));
  const apart = new tally.Sums(byUnit);
  moved.forEach((ballot, i) => apart.add(ballot, columnsOf(manifest, manifest.styles[ballot.style]), checked[i].options));
  const all = [{ first: 0, end: 3 }];
  const whole = new tally.Sums({ ...manifest, byUnit: false });
  moved.forEach((ballot, i) => whole.add({ ...ballot, unit: 0 }, columnsOf(manifest, manifest.styles[ballot.style]), checked[i].options));
  const total = whole.totals(all);
  assert.ok(apart.totals(all).every((sum, column) => sum.equals(total[column])));
  const two = [{ first: 0, end: 2 }, { first: 2, end: 3 }];
  const each = apart.totals(two);
  assert.equal(each.length, 2 * total.length);
  assert.ok(total.every((sum, column) => sum.equals(each[column].add(each[total.length + column]))));
  assert.ok(total.some((sum, column) => !sum.equals(each[column])));
  const turnouts = tally.turnouts(byUnit, two, moved);
  assert.deepEqual(turnouts, [...tally.turnouts(byUnit, all, moved.slice(0, 1)), ...tally.turnouts(byUnit, all, moved.slice(1))]);
});

test('any two contributions open the sums to the result', () => {
  for (const contributors of [[1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]]) {
    assert.ok(tally.areContributors(manifest, contributors));
    const openings = tally.interpolate(read, contributors, 0);
    assert.ok(tally.opens(openings, sums.totals(own)));
    assert.deepEqual(
      tally.totals(manifest, own.length, openings, turnout)[0].map((contest) => contest.map(Number)),
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
  assert.ok(!tally.opens(tally.interpolate(wrong, [3, 4], 0), sums.totals(own)));
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
  const refused = (openings, turnouts = turnout) => assert.throws(() => tally.totals(manifest, own.length, openings, turnouts), { rule: /^7\.5/ });
  refused(changed(0, 2n ** 64n)); // above 64 bits
  refused(changed(0, 4n)); // the computed option would be below zero
  refused(changed(2, 17n)); // more than 4 for each weight
  refused(openings.slice(1));
  refused([...openings, ...openings]); // of another number of cells
  refused(openings, [...turnout, ...turnout]);
  refused(openings, turnout.map(({ ballots, weight }) => ({ ballots, weight: weight - 1n })));
});

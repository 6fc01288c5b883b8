// Range proofs over all sorts of contests (spec 3.3, 6.1, 6.2): what may be voted is proved, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canBeKept, committedOptions, shape, slackWeights } from '../dist/contests.js';
import { holds } from '../dist/equation.js';
import { decodePoint } from '../dist/group.js';
import { rangeProofTerms } from '../dist/rangeproof.js';
import { rangeProof } from '../dist/transcript.js';
import * as encode from './support/encode.js';
import { prepare } from './support/prover.js';

const contest = (k, maxEach, minSum, maxSum) => ({
  title: '',
  options: Array.from({ length: k }, (_, i) => `${i}`),
  maxEach,
  minSum,
  maxSum,
});

function electionOf(contests) {
  const manifest = { contests, styles: [{ name: '', contests: contests.map((_, i) => i) }] };
  return { manifest, shapes: [shape(contests)], eid: new Uint8Array(32), threshold: 2, trustees: [] };
}

const PAPER = { style: 0, credential: new Uint8Array(32), sequence: 1, anchor: { height: 1, hash: new Uint8Array(32) }, expiry: 2 };

/** Whether a ballot with these votes verifies; `lie` commits to other values than the votes. */
function proves(contests, votes, lie) {
  const election = electionOf(contests);
  const { ballot } = prepare(election, new Uint8Array(64), PAPER, votes, { lie });
  return verifies(election.shapes[0], ballot);
}

function verifies(shape, ballot) {
  const commitments = [...ballot.options, ...ballot.slack].map((bytes) => ({ bytes, point: decodePoint(bytes) }));
  const terms = rangeProofTerms(rangeProof(encode.statement(ballot)), shape, commitments, ballot.proof);
  return terms !== undefined && terms.every(holds);
}

// The contest, the shape of its ballot (commitments to options, to slack, width, statements), votes, and no votes.
const CASES = [
  [contest(1, 1, 0, 1), [1, 0, 1, 1], [[0], [1]], [[2], [-1]]],
  [contest(2, 1, 1, 1), [1, 0, 1, 2], [[0, 1], [1, 0]], [[2], [-1]]],
  [contest(3, 1, 0, 3), [3, 0, 1, 4], [[1, 1, 1], [0, 0, 0]], [[2, 0, 0]]],
  [contest(3, 1, 0, 1), [3, 0, 1, 4], [[0, 0, 0], [0, 1, 0]], [[1, 1, 0]]],
  [contest(5, 1, 1, 4), [5, 1, 1, 8], [[1, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 1, 1, 0, 0]], [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]],
  [contest(7, 1, 0, 6), [7, 2, 1, 16], [[1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0]], [[1, 1, 1, 1, 1, 1, 1]]],
  [contest(3, 2, 0, 6), [3, 0, 2, 8], [[2, 2, 2], [0, 0, 0]], [[3, 0, 0], [-1, 0, 0]]],
  [contest(2, 3, 0, 6), [2, 0, 2, 2], [[3, 3]], [[4, 0]]],
  [contest(2, 4, 0, 8), [2, 0, 4, 4], [[4, 4]], [[5, 0]]],
  [contest(3, 5, 5, 5), [2, 0, 4, 4], [[5, 0, 0], [0, 0, 5], [1, 2, 2]], [[6, 0], [3, 3]]],
  [contest(3, 4, 5, 5), [2, 0, 4, 8], [[4, 1, 0], [1, 2, 2]], [[5, 0], [0, 0]]],
  [contest(3, 3, 2, 4), [3, 0, 4, 8], [[1, 1, 0], [3, 1, 0]], [[1, 0, 0], [3, 2, 0], [4, 0, 0]]],
  [contest(2, 10, 3, 10), [2, 0, 4, 4], [[10, 0], [3, 0], [5, 5]], [[11, 0], [2, 0], [6, 5]]],
  [contest(1, 400, 100, 300), [1, 0, 16, 4], [[300], [100]], [[301], [99]]],
  [contest(2, 255, 0, 510), [2, 0, 8, 2], [[255, 255]], [[256, 0]]],
  [contest(1, 2 ** 32 - 1, 0, 2 ** 32 - 1), [1, 0, 32, 1], [[2 ** 32 - 1]], [[2 ** 32], [-1]]],
];

for (const [rule, [options, slack, width, statements], votes, others] of CASES) {
  const { options: { length: k }, maxEach, minSum, maxSum } = rule;
  test(`${k} options, each up to ${maxEach}, together ${minSum} to ${maxSum}`, () => {
    assert.ok(canBeKept(rule));
    const { proofLength, ...found } = shape([rule]);
    assert.deepEqual([found.options, found.slack, found.width, found.statements.length], [options, slack, width, statements]);
    assert.equal(proofLength, 32 * (9 + 2 * Math.log2(width * statements)));
    for (const vote of votes) assert.ok(proves([rule], [vote]), vote.join());
    const [honest] = votes;
    for (const lie of others) assert.ok(!proves([rule], [honest], lie), lie.join());
  });
}

test('contests of several kinds on one ballot share a width', () => {
  const contests = [contest(3, 1, 1, 1), contest(5, 1, 1, 4), contest(2, 3, 0, 6)];
  const { options, slack, width, statements } = shape(contests);
  // 3 options (the upper limits are implied), 5 options with their limits and both sides of the sum, 2 options.
  assert.deepEqual([options, slack, width, statements.length], [9, 0, 4, 32]);
  assert.ok(proves(contests, [[0, 0, 1], [1, 1, 1, 1, 0], [3, 3]]));
  assert.ok(!proves(contests, [[0, 0, 1], [1, 1, 1, 1, 0], [3, 3]], [0, 0, 1, 1, 1, 1, 1, 3, 3]));
  assert.ok(!proves(contests, [[0, 0, 1], [1, 1, 1, 1, 0], [3, 3]], [0, 0, 2, 1, 1, 0, 0, 3, 3]));
});

test('slack bits hold every number up to the range, and none above', () => {
  for (let k = 1; k <= 128; k++) {
    const rule = contest(k, 1, 0, Math.max(1, k - 1));
    const range = rule.maxSum - rule.minSum;
    const weights = slackWeights(rule);
    // With the bit of weight 1 that is computed.
    const all = k === 1 ? [1] : [...weights, 1];
    assert.equal(all.reduce((sum, weight) => sum + weight, 0), Math.max(1, range));
    const reached = all.reduce((sums, weight) => new Set([...sums, ...[...sums].map((sum) => sum + weight)]), new Set([0]));
    assert.equal(reached.size, range + 1);
  }
});

test('rules that can’t be kept', () => {
  for (const rule of [[2, 0, 0, 1], [2, 1, 0, 0], [2, 1, 2, 1], [2, 1, 0, 3], [1, 1, 1, 1]]) {
    assert.ok(!canBeKept(contest(...rule)), rule.join());
  }
});

test('a proof in which any field is another is refused', () => {
  const contests = [contest(3, 1, 0, 2)];
  const election = electionOf(contests);
  const { ballot } = prepare(election, new Uint8Array(64), PAPER, [[1, 0, 1]]);
  assert.ok(verifies(election.shapes[0], ballot));
  for (let field = 0; field < ballot.proof.length / 32; field++) {
    const swapped = ballot.proof.slice();
    swapped.copyWithin(32 * field, 32 * ((field + 1) % (swapped.length / 32)), 32 * ((field + 1) % (swapped.length / 32)) + 32);
    assert.ok(!verifies(election.shapes[0], { ...ballot, proof: swapped }), `field ${field} another`);
    const zero = ballot.proof.slice().fill(0, 32 * field, 32 * field + 32);
    assert.ok(!verifies(election.shapes[0], { ...ballot, proof: zero }), `field ${field} zero`);
    const large = ballot.proof.slice().fill(255, 32 * field, 32 * field + 32);
    assert.ok(!verifies(election.shapes[0], { ...ballot, proof: large }), `field ${field} not canonical`);
  }
});

test('a ballot of more than 4,096 range bits has no shape', () => {
  assert.notEqual(shape([contest(64, 2 ** 32 - 1, 0, 2 ** 32 - 1)]), undefined);
  assert.equal(shape([contest(65, 2 ** 32 - 1, 0, 2 ** 32 - 1), contest(65, 3, 0, 3)]), undefined);
  assert.equal(committedOptions(contest(3, 1, 1, 1)), 2);
});

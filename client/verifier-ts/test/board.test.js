// Approvals of board actions (spec 3.4), and quorums (spec 3.5).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Approvals } from '../dist/board.js';
import { isQuorum } from '../dist/quorum.js';

const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

test('the k-th different member carries an action out, and then it is forgotten', () => {
  const approvals = new Approvals();
  assert.equal(approvals.count(one, 0, 3, 10), false);
  assert.equal(approvals.count(two, 0, 3, 11), false);
  assert.equal(approvals.count(one, 2, 3, 12), false);
  assert.throws(() => approvals.count(one, 0, 3, 13), { rule: '3.4' });
  assert.equal(approvals.count(one, 1, 3, 14), true);
  assert.equal(approvals.count(one, 0, 3, 15), false);
  assert.equal(approvals.count(one, 0, 1, 400_000), true);
});

test('approvals count for 302,400 blocks after the first', () => {
  const approvals = new Approvals();
  assert.equal(approvals.count(one, 0, 2, 10), false);
  assert.throws(() => approvals.count(one, 0, 2, 302_410), { rule: '3.4' });
  assert.equal(approvals.count(one, 1, 2, 302_410), true);
  assert.equal(approvals.count(one, 0, 2, 302_411), false);
  assert.equal(approvals.count(one, 0, 2, 604_812), false, 'the next one is the first again');
  assert.equal(approvals.count(one, 1, 2, 604_813), true);
});

test('the quorums of the specification, and the next smaller ones', () => {
  for (const [n, t, q] of [[3, 2, 3], [4, 2, 3], [5, 3, 4], [7, 3, 5], [7, 4, 6]]) {
    assert.ok(isQuorum(n, t, q));
    assert.ok(isQuorum(n, t, n));
    assert.ok(!isQuorum(n, t, q - 1));
    assert.ok(!isQuorum(n, t, n + 1));
  }
  assert.ok(!isQuorum(3, 1, 3));
  assert.ok(!isQuorum(3, 3, 3));
});

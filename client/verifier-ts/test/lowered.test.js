// The agreement on the set with a quorum that the board lowered (spec 7.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Declarations, Statements } from '../dist/agreement.js';
import { setStatement } from '../dist/messages.js';
import { Decoder } from '../dist/scale.js';
import { verify } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { run, STEPS } from './support/network.js';

const WAIT = 43_200;

const filler = (byte) => new Uint8Array(32).fill(byte);
const statement = (root, ballots = 4) =>
  Decoder.whole(encode.setStatement({ closing: { height: 9, hash: filler(9) }, root: filler(root), ballots, log: filler(8) }), setStatement);
const current = ({ ballots }) => ballots === 4;
const agreed = (statements, height = 0) => statements.agreed(height, current)?.trustees;

test('q equal statements are the agreement, whatever the others are', () => {
  const statements = new Statements(3);
  for (const trustee of [5, 6, 7]) {
    assert.equal(agreed(statements), undefined);
    statements.add(trustee, statement(1));
  }
  assert.deepEqual(agreed(statements), [5, 6, 7]);
  const split = new Statements(3);
  [1, 2, 1, 2, 1].forEach((root, i) => split.add(i + 1, statement(root)));
  assert.deepEqual(agreed(split), [1, 3, 5]);
  assert.deepEqual(split.others(statement(1).encoding), [2, 4]);
});

test('a lowered quorum holds 43,200 blocks later', () => {
  const statements = new Statements(3);
  statements.lower(2, 100);
  assert.equal(statements.last, 2);
  [1, 2].forEach((trustee) => statements.add(trustee, statement(1)));
  assert.equal(agreed(statements, 100 + WAIT - 1), undefined);
  assert.deepEqual(agreed(statements, 100 + WAIT), [1, 2]);
});

test('of several lowerings each holds from its own block', () => {
  const statements = new Statements(6);
  statements.lower(5, 100);
  statements.lower(3, 200);
  assert.equal(statements.last, 3);
  [1, 2, 3].forEach((trustee) => statements.add(trustee, statement(1)));
  assert.equal(agreed(statements, 100 + WAIT), undefined);
  assert.equal(agreed(statements, 200 + WAIT - 1), undefined);
  assert.deepEqual(agreed(statements, 200 + WAIT), [1, 2, 3]);
});

test('a lowered quorum decides nothing between two sets that both have it', () => {
  const statements = new Statements(5);
  statements.lower(2, 0);
  [1, 2, 1, 2].forEach((root, i) => statements.add(i + 1, statement(root)));
  assert.equal(agreed(statements, WAIT), undefined);
  const other = new Statements(5);
  other.lower(2, 0);
  [1, 2, 1].forEach((root, i) => other.add(i + 1, statement(root)));
  assert.deepEqual(agreed(other, WAIT), [1, 3], 'one trustee of another set has not as many');
});

test('a lowered quorum decides for no set that declarations have changed since', () => {
  const statements = new Statements(3);
  statements.lower(2, 0);
  [1, 2].forEach((trustee) => statements.add(trustee, statement(1, 5)));
  assert.equal(agreed(statements, WAIT), undefined);
});

test('what more than n − t trustees lack is excluded, unless as many lack all', () => {
  const name = (i) => filler(i);
  const some = (...credentials) => ({ kind: 'some', credentials: credentials.map(name) });
  const all = { kind: 'all' };
  const excluded = (n, t, declared) => {
    const declarations = new Declarations();
    declared.forEach((missing, i) => declarations.add(i + 1, missing, () => true));
    return [...declarations.excluded(n, t)].map(([credential, lacking]) => [parseInt(credential.slice(0, 2), 16), lacking]);
  };
  assert.deepEqual(excluded(7, 3, []), []);
  assert.deepEqual(excluded(7, 3, [some(1), some(1), some(1), some(1)]), []);
  assert.deepEqual(excluded(7, 3, [some(1), some(1, 2), some(1), some(1), some(1, 2)]), [[1, [1, 2, 3, 4, 5]]]);
  assert.deepEqual(excluded(7, 3, [all, some(1), all, some(1, 2), all, all, some()]), [[1, [1, 2, 3, 4, 5, 6]], [2, [1, 3, 4, 5, 6]]]);
  assert.deepEqual(excluded(7, 3, [all, some(1), all, some(1), all, all, all]), []);
  assert.deepEqual(excluded(4, 2, [some(1), some(1), some(2), some(1)]), [[1, [1, 2, 4]]]);
});

// Whole elections with the wait in them: two trustees are left.

/** Everything up to the last block before the lowered quorum holds. */
const waiting = run({
  agree: (n) => {
    n.root = n.statement(n.closing).root;
    n.block(n.agree(n.statement(n.closing), [2])).block(n.lowerQuorum(2));
    n.holds = n.height + WAIT;
    n.skip(WAIT - 2);
  },
  contribute: null,
});
const blocks = waiting.blocks.slice();
const state = { height: waiting.height, time: waiting.time, hash: waiting.hash };

/** The election from there on. */
function verified(...steps) {
  Object.assign(waiting, state, { blocks: blocks.slice() });
  for (const step of steps) step(waiting);
  return verify(waiting.record());
}

const contribute = (n) => {
  n.contributions = n.contribute(n.root, [1, 2]);
  n.block(n.contributions);
};
const agree = (n) => n.block(n.agree(n.statement(n.closing), [1]));
const end = [STEPS.finalize, STEPS.certify];

test('with the lowered quorum the set is agreed at the start of a block', () => {
  const report = verified(agree, (n) => assert.equal(n.height, n.holds - 1), contribute, ...end);
  assert.ok(report.verified, JSON.stringify(report.fault));
  assert.match(report.notes[0], /lowered the quorum for the set from 3 to 2/);
});

test('and not a block earlier', () => {
  const report = verified((n) => n.block([...n.agree(n.statement(n.closing), [1]), ...n.contribute(n.root, [1, 2])]));
  assert.equal(report.fault?.check, 11);
  assert.equal(report.fault.rule, '8.1');
});

test('or with a further signature, in whose block trustees may go on', () => {
  const report = verified(
    (n) => n.block(),
    (n) => {
      n.contributions = n.contribute(n.root, [1, 2]);
      n.block([...n.agree(n.statement(n.closing), [1]), ...n.contributions]);
    },
    ...end,
  );
  assert.ok(report.verified, JSON.stringify(report.fault));
});

test('an agreement of the lowered quorum on another set fails check 11', () => {
  const other = (n) => {
    n.block(n.agree({ ...n.statement(n.closing), root: filler(1) }, [3, 4]));
    n.block();
  };
  const report = verified(other);
  assert.equal(report.fault?.check, 11);
  assert.match(report.fault.party, /3, 4/);
});

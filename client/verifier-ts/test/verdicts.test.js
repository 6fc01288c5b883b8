// Which checks are passed when, and what an election that is voided leaves (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify } from '../dist/verify.js';
import { OPENS, run, runUntil, STEPS } from './support/network.js';
import { after, forge, next, verdicts, voided } from './support/steps.js';

/** What a failure right after each step leaves as passed. */
const PASSED_AFTER = {
  create: [3, 4],
  setup: [3, 4, 5],
  roll: [3, 4, 5],
  freeze: [3, 4, 5, 6],
  vote: [3, 4, 5, 6],
  close: [3, 4, 5, 6, 7, 8, 9, 10, 12],
  agree: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  contribute: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  finalize: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
};

test('after a failure a check is passed only if it was carried out to its end before', () => {
  for (const [step, passed] of Object.entries(PASSED_AFTER)) {
    const report = verify(runUntil({ [step]: after(step, (n) => n.block([], { parent: new Uint8Array(32) })) }).record());
    assert.deepEqual(
      verdicts(report),
      report.checks.map(({ number }) => (number === 2 ? 'failed' : passed.includes(number) ? 'passed' : 'not reached')),
      step,
    );
  }
});

test('in a voided election what was not passed before does not apply', () => {
  for (const [step, passed] of Object.entries(PASSED_AFTER)) {
    const report = verify(runUntil({ [step]: after(step, voided) }).record());
    assert.ok(report.verified, JSON.stringify(report.fault));
    const all = [1, 2, ...passed, 15, 16];
    assert.deepEqual(
      verdicts(report),
      report.checks.map(({ number }) => (all.includes(number) ? 'passed' : 'not applicable')),
      step,
    );
  }
});

test('voided before anyone accepted: what never came does not apply', () => {
  const report = verify(run({ setup: voided, roll: null }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.outcome, 'void');
  assert.equal(report.reason, 'the venue burnt down');
  const passed = [1, 2, 3, 4, 15, 16];
  assert.deepEqual(verdicts(report), report.checks.map(({ number }) => (passed.includes(number) ? 'passed' : 'not applicable')));
});

test('voided in every phase', () => {
  for (const step of Object.keys(STEPS).slice(1)) {
    const report = verify(run({ [step]: voided, ...next(step) }).record());
    assert.ok(report.verified, `${step}: ${report.fault?.what}`);
    assert.equal(report.outcome, 'void');
  }
});

test('a small group among those who voted: nothing may be opened, but it may be voided', () => {
  const vote = (n) => {
    n.block([], { time: OPENS }).block();
    n.block([n.cast('anna', [[1, 0, 0], [1, 0, 1, 0]])]);
  };
  const report = verify(run({ vote, agree: voided, contribute: null }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.checks[9].verdict, 'passed', 'nothing was opened');
  assert.deepEqual([10, 12, 13].map((i) => report.checks[i].verdict), Array(3).fill('not applicable'));
  assert.match(report.notes[0], /nothing may be opened/);
  assert.equal(verify(run({ vote }).record()).fault.check, 10);
  const early = verify(run({ vote, agree: null }).record());
  assert.equal(early.fault.check, 1);
  assert.equal(early.checks[9].verdict, 'not reached', 'the small group is not dealt with yet');
  const all = verify(run({ vote }, { smallGroupsPublic: true }).record());
  assert.ok(all.verified, all.fault?.what);
});

test('an election in which nobody voted has totals of zero where a sum is asked for of nobody', () => {
  const report = verify(run({ vote: (n) => n.block([], { time: OPENS }) }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.set, '00'.repeat(32));
  assert.ok(report.contests.every(({ options }) => options.every(({ total }) => total === '0')));
});

test('an exclusion that leaves a small group takes check 10 back, and its being voided passes it', () => {
  const agree = (n) => n.block(n.declare(['dora'], [1, 2, 3]));
  const failed = verify(run({ agree, contribute: null }).record());
  assert.equal(failed.fault.check, 1);
  assert.equal(failed.checks[9].verdict, 'not reached');
  const report = verify(run({ agree: (n) => voided(agree(n)), contribute: null }).record());
  assert.ok(report.verified, JSON.stringify(report.fault));
  assert.equal(report.checks[9].verdict, 'passed');
  assert.match(report.notes.join(), /nothing may be opened/);
});

test('a declaration that is not signed takes nothing back', () => {
  const agree = (n) => n.block(forge(n.declare(['dora'], [1, 2, 3]), 2)).skip(1);
  const report = verify(run({ agree, contribute: null }).record());
  assert.equal(report.fault.check, 11);
  assert.equal(report.checks[9].verdict, 'passed', 'it was, with the closing block');
  assert.equal(report.excluded, undefined);
});

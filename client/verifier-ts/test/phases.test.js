// Messages in a phase that is too early, or too late (spec 8.1, 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { CLOSES, OPENS, run, runUntil, SLOT, STEPS } from './support/network.js';
import { VOTES } from './support/steps.js';

const MESSAGES = {
  AddBatch: (n) => [n.addBatch([n.direct('eve')])],
  Register: (n) => [n.register(1, ['letter 4'], 'eve')],
  Accept: (n) => n.accept([1]),
  Cast: (n) => [n.cast('bert', VOTES, { sequence: 2, counts: false })],
  Agree: (n) => n.agree(n.statement({ height: n.height, hash: n.hash })),
  Contribute: (n) => n.contribute(new Uint8Array(32), [4]),
  Finalize: (n) => [n.finalize()],
  Declare: (n) => n.declare([], [4], { height: n.height, hash: n.hash }),
  ConfirmBatch: (n) => n.confirm(0, [n.direct('eve')]),
  Reinvite: (n) => n.reinvite(1, 0, ['a']),
  Freeze: (n) => n.freeze(),
  Postpone: (n) => n.act('Postpone', { opensAt: OPENS + 100 * SLOT, closesAt: CLOSES + 200 * SLOT }),
  Extend: (n) => n.act('Extend', { closesAt: CLOSES + 200 * SLOT, reason: utf8('rain') }),
  Close: (n) => n.act('Close'),
  Certify: (n) => n.certify(new Uint8Array(32)),
  LowerQuorum: (n) => n.lowerQuorum(2),
};

/** The step that ends in a phase, and the check that each message fails in it. */
const TOO_EARLY_OR_LATE = {
  Setup: ['create', { Register: 5, Cast: 5, Agree: 5, Contribute: 5, Finalize: 5, Declare: 5, Reinvite: 5, Freeze: 5, Extend: 5, Close: 5, Certify: 5, LowerQuorum: 5 }],
  Registration: ['roll', { Accept: 5, Cast: 7, Agree: 7, Contribute: 7, Finalize: 7, Declare: 7, Extend: 7, Close: 7, Certify: 7, LowerQuorum: 7 }],
  Frozen: ['freeze', { Accept: 5, AddBatch: 6, Register: 6, ConfirmBatch: 6, Reinvite: 6, Freeze: 7, Cast: 8, Agree: 11, Contribute: 13, Finalize: 14, Declare: 11, Extend: 7, Close: 7, Certify: 15, LowerQuorum: 11 }],
  Open: ['vote', { Accept: 5, AddBatch: 6, Register: 6, ConfirmBatch: 6, Reinvite: 6, Freeze: 7, Postpone: 7, Agree: 11, Contribute: 13, Finalize: 14, Declare: 11, Certify: 15, LowerQuorum: 11 }],
  Closed: ['close', { Accept: 5, AddBatch: 6, Register: 6, ConfirmBatch: 6, Reinvite: 6, Freeze: 7, Postpone: 7, Extend: 7, Close: 7, Cast: 8, Contribute: 11, Finalize: 11, Certify: 11 }],
  Agreed: ['agree', { Accept: 5, AddBatch: 6, Register: 6, ConfirmBatch: 6, Reinvite: 6, Freeze: 7, Postpone: 7, Extend: 7, Close: 7, Cast: 8, Declare: 11, LowerQuorum: 11, Certify: 14 }],
  Tallied: ['finalize', { Accept: 5, AddBatch: 6, Register: 6, ConfirmBatch: 6, Reinvite: 6, Freeze: 7, Postpone: 7, Extend: 7, Close: 7, Cast: 8, Declare: 11, LowerQuorum: 11, Agree: 11, Contribute: 13, Finalize: 14 }],
};

for (const [phase, [step, expected]] of Object.entries(TOO_EARLY_OR_LATE)) {
  test(`what comes too early or too late in ${phase} fails its check`, () => {
    const network = runUntil({ [step]: STEPS[step] });
    const { blocks, ...state } = network;
    for (const [kind, check] of Object.entries(expected)) {
      Object.assign(network, state, { blocks: [...blocks] });
      const report = verify(network.block(MESSAGES[kind](network)).record());
      assert.equal(report.fault?.check, check, `${kind}: ${JSON.stringify(report.fault)}`);
      assert.equal(report.fault.rule, '8.1', kind);
      assert.match(report.fault.what, new RegExp(`not allowed in phase ${phase}`));
    }
  });
}

test('before the election is created nothing else is allowed', () => {
  const all = { ...MESSAGES, Announce: (n) => n.announce(1, 'http://a'), Void: (n) => n.void() };
  for (const [kind, messages] of Object.entries(all)) {
    const report = verify(runUntil({ create: (n) => n.block(messages(n)) }).record());
    assert.equal(report.fault?.check, 4, `${kind}: ${JSON.stringify(report.fault)}`);
  }
});

test('addresses are taken no more once the election is over', () => {
  for (const end of [(n) => STEPS.certify(n), (n) => n.block(n.void())]) {
    const report = verify(run({ certify: (n) => (end(n), n.block(n.announce(9, 'http://a'))) }).record());
    assert.equal(report.fault?.check, 16);
  }
});

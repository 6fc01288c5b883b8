// Ballots that are forbidden, and small groups: checks 8 to 10 (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { forbids } from './support/forbidden.js';
import { CLOSES, key, OPENS, runUntil, STEPS } from './support/network.js';
import { after, casts, flip, tampered, VOTES } from './support/steps.js';

forbids({
  8: {
    'a ballot before the opening': { vote: (n) => n.block([n.cast('anna', VOTES)]) },
    'a ballot in the block whose time is the opening': { vote: (n) => n.block([n.cast('anna', VOTES)], { time: OPENS }) },
    'a ballot in the block whose time is the close': {
      vote: after('vote', (n) => n.block([n.cast('anna', VOTES, { sequence: 4 })], { time: CLOSES })),
    },
    'a ballot after the close': { close: after('close', (n) => n.block([n.cast('anna', VOTES, { sequence: 4 })])) },
    'a ballot after the board’s close, in its block': {
      close: (n) => n.block([...n.act('Close'), n.cast('anna', VOTES, { sequence: 4 })]),
    },
    'a ballot of someone who is not on the roll': { vote: casts({}, VOTES, 'eve') },
    'a ballot with a credential that was taken off the roll': { vote: casts({ style: 1 }, [[1, 0, 0], [0, 0]], 'carla') },
    'a ballot of another style': { vote: casts({ style: 1 }, [[1, 0, 0], [0, 0]]) },
    'a sequence of zero': { vote: casts({ sequence: 0 }) },
    'a sequence of 17': { vote: casts({ sequence: 17 }) },
    'the same sequence again': {
      vote: (n) => {
        casts({ sequence: 2 })(n);
        n.block([n.cast('anna', VOTES, { sequence: 2 })]);
      },
    },
    'a fourth ballot': {
      vote: (n) => {
        casts({})(n);
        n.block([2, 3, 4].map((sequence) => n.cast('anna', VOTES, { sequence })));
      },
    },
    'a ballot that has expired': { vote: casts((n) => ({ expiry: n.height })) },
    'a ballot that expires too late': { vote: casts((n) => ({ expiry: n.height + 2401 })) },
    'an anchor that is no block': { vote: casts((n) => ({ anchor: { height: n.height, hash: new Uint8Array(32) } })) },
    'an anchor that is no block, just before the record': {
      vote: casts({ anchor: { height: 99, hash: new Uint8Array(32) } }),
    },
    'an anchor in the block itself': {
      vote: casts((n) => ({ anchor: { height: n.height + 1, hash: n.hash } })),
    },
    '6.4.2, another version': { vote: tampered(({ ballot }) => (ballot.version = 2)) },
    '6.4.5, a commitment too many': { vote: tampered(({ ballot }) => (ballot.options = [...ballot.options, ballot.options[0]])) },
    '6.4.5, a proof of another length': { vote: tampered(({ ballot }) => (ballot.proof = ballot.proof.slice(64))) },
    '6.4.6, the identity': { vote: tampered(({ ballot }) => (ballot.slack = ballot.slack.map(() => new Uint8Array(32)))) },
    '6.4.7, the signature of another': { vote: tampered((cast) => (cast.signature = flip(cast.signature, 40))) },
    '6.4.7, a signature that is no signature': { vote: tampered((cast) => (cast.signature = new Uint8Array(64))) },
    '6.4.8, two receipts': { vote: casts({ receipts: [1, 2] }) },
    '6.4.8, four receipts': { vote: casts({ receipts: [1, 2, 3, 4] }) },
    '6.4.8, receipts out of order': { vote: casts({ receipts: [1, 3, 2] }) },
    '6.4.8, a receipt twice': { vote: casts({ receipts: [1, 2, 2] }) },
    '6.4.8, a receipt of another height': { vote: tampered(({ receipts }) => receipts[1].height++) },
    '6.4.8, a receipt in the name of another': { vote: tampered(({ receipts }) => (receipts[2].trustee = 4)) },
    '6.4.9, two crosses where one is allowed': { vote: casts({ lie: [1, 1, 1, 0, 0, 0] }) },
    '6.4.9, three crosses where two are allowed': { vote: casts({ lie: [1, 0, 1, 1, 1, 0] }) },
    '6.4.9, a vote of two': { vote: casts({ lie: [0, 0, 2, 0, 0, 0] }) },
    '6.4.9, a vote of minus one': { vote: casts({ lie: [-1, 0, 1, 0, 0, 0] }) },
    '6.4.9, four points where three are allowed': {
      vote: casts({ style: 1, lie: [1, 0, 4, 0] }, [[1, 0, 0], [3, 0]], 'dora'),
    },
  },
  10: {
    'a freeze with a small group': {
      roll: (n) => {
        n.block([...n.confirm(0, n.blocks[2].messages[0].entries)]);
        n.block([n.register(2, ['letter 2', 'mail 2'], 'dora')]);
      },
      freeze: STEPS.freeze,
    },
    'an agreement although a small group voted': { vote: casts({}), agree: STEPS.agree },
    'an agreement although an exclusion left a small group': {
      agree: (n) => STEPS.agree(n.block(n.declare(['dora'], [1, 2, 3])).exclude('dora')),
    },
  },
});

test('a bad ballot is named before a later fault that is cheaper to find', () => {
  const vote = (n) => {
    casts({ lie: [1, 1, 1, 0, 0, 0] })(n);
    n.block([n.finalize()]);
  };
  const report = verify(runUntil({ vote }).record());
  assert.equal(report.fault.check, 8);
  assert.match(report.fault.object, /\(Cast\): ballot ([0-9A-Z]{5}-){5}[0-9A-Z]{5}$/);
  assert.match(report.fault.party, new RegExp(hex(key('anna').public)));
});

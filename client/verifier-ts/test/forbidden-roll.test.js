// What is forbidden until voting opens and closes: checks 5 to 7 (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, utf8 } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { forbids } from './support/forbidden.js';
import { CLOSES, OPENS, runUntil, SLOT } from './support/network.js';
import { after, forge } from './support/steps.js';

forbids({
  5: {
    'a trustee accepts twice': { setup: (n) => n.block(n.accept([1, 1])) },
    'an address that is no text': { setup: (n) => n.block(n.announce(1, concat(utf8('http://'), Uint8Array.of(255)))) },
    'an address by someone else': { setup: (n) => n.block(forge(n.announce(1, 'http://a', [1, 2]), 1)) },
    'an address of an unknown trustee': { setup: (n) => n.block(n.announce(1, 'http://a', [5])) },
    'an address of number 0': { setup: (n) => n.block(n.announce(0, 'http://a')) },
    'an address of the same number': { setup: (n) => n.block(n.announce(2, 'http://a')).block(n.announce(2, 'http://b')) },
    'an address of a lower number': { vote: after('vote', (n) => n.block(n.announce(2, 'http://a')).block(n.announce(1, 'http://b'))) },
    'an address of another scheme': { setup: (n) => n.block(n.announce(1, 'ftp://a')) },
    'an address in capitals': { setup: (n) => n.block(n.announce(1, 'HTTP://a')) },
    'an address with something before it': { setup: (n) => n.block(n.announce(1, 'x\nhttp://a')) },
    'an address with a space': { setup: (n) => n.block(n.announce(1, 'http://a b')) },
    'an address with a space of no width but white': { setup: (n) => n.block(n.announce(1, 'http://a\u3000b')) },
    'an address with a line’s end': { setup: (n) => n.block(n.announce(1, 'http://a\n')) },
    'an address with a control character': { setup: (n) => n.block(n.announce(1, 'http://a\u007f')) },
    'an unknown trustee accepts': { setup: (n) => n.block(n.accept([5])) },
    'trustee 0 accepts': { setup: (n) => n.block(n.accept([0])) },
    'someone else accepts for a trustee': { setup: (n) => n.block(forge(n.accept(), 2)) },
    'a trustee accepts later': { setup: after('setup', (n) => n.block(n.accept([1]))) },
  },
  6: {
    'a batch by someone else': { roll: (n) => n.block(forge([n.addBatch([n.direct('eve')])], 0)) },
    'a batch by an unknown registrar': { roll: (n) => n.block([n.addBatch([n.direct('eve')], { registrar: 1 })]) },
    'a batch out of order': { roll: (n) => n.block([n.addBatch([n.direct('eve')], { batch: 2 })]) },
    'a batch without entries': { roll: (n) => n.block([n.addBatch([])]) },
    'a weight that the manifest has not': { roll: (n) => n.block([n.addBatch([n.direct('eve', { weight: 3n })])]) },
    'a style that the manifest has not': { roll: (n) => n.block([n.addBatch([n.direct('eve', { style: 2 })])]) },
    'a unit that the manifest has not': { roll: (n) => n.block([n.addBatch([n.direct('eve', { unit: 2 })])]) },
    'an entry without keys': { roll: (n) => n.block([n.addBatch([n.invited([])])]) },
    'an entry with a key twice': { roll: (n) => n.block([n.addBatch([n.invited(['a', 'a'])])]) },
    'a batch with a key twice': { roll: (n) => n.block([n.addBatch([n.direct('a'), n.invited(['a'])])]) },
    'a batch with a credential on the roll': { freeze: (n) => n.block([n.addBatch([n.direct('anna')])]) },
    'a batch with a registered credential': { freeze: (n) => n.block([n.addBatch([n.direct('dora')])]) },
    'a batch with an invitation on the roll': { freeze: (n) => n.block([n.addBatch([n.invited(['letter 4'])])]) },
    'a roll beyond max_voters': {
      roll: (n) => n.block([n.addBatch(Array.from({ length: 101 }, (_, i) => n.direct(`voter ${i}`)))]),
    },
    'a batch after the freeze': { freeze: after('freeze', (n) => n.block([n.addBatch([n.direct('eve')])])) },
    'a batch confirmed twice': {
      freeze: (n) => n.block(n.confirm(0, [n.direct('anna')])),
    },
    'a batch confirmed under another digest': { roll: (n) => n.block(n.confirm(0, [n.direct('eve')])) },
    'a batch confirmed that is not there': { roll: (n) => n.block(n.confirm(7, [n.direct('eve')])) },
    'a batch whose key another batch took': {
      roll: (n) => {
        const one = [n.direct('eve')];
        const two = [n.direct('eve', { unit: 1 })];
        n.block([n.addBatch(one), n.addBatch(two)]);
        n.block(n.confirm(2, two)).block(n.confirm(1, one));
      },
    },
    'someone else confirms a batch': {
      roll: (n) => {
        const batch = [n.direct('eve')];
        n.block([n.addBatch(batch), ...forge(n.confirm(1, batch), 0)]);
      },
    },
    'a registration for an entry that is not there': { freeze: (n) => n.block([n.register(9, [], 'eve')]) },
    'a registration for an entry that has a credential': { freeze: (n) => n.block([n.register(0, ['letter 3b'], 'eve')]) },
    'a registration for an entry without invitations': { freeze: (n) => n.block([n.register(2, [], 'eve')]) },
    'a registration of a credential that is on the roll': { freeze: (n) => n.block([n.register(1, ['letter 4'], 'anna')]) },
    'a registration with the old letter': {
      roll: after('roll', (n) => n.block(n.reinvite(0, 1, ['letter 3c'])).block([n.register(0, ['letter 3b'], 'carla again')])),
    },
    'a registration with another letter': { freeze: (n) => n.block([n.register(1, ['letter 9'], 'eve')]) },
    'a registration without its second channel': {
      freeze: (n) => n.block(n.reinvite(1, 0, ['a', 'b'])).block([n.register(1, ['a'], 'eve')]),
    },
    'a registration with the channels exchanged': {
      freeze: (n) => n.block(n.reinvite(1, 0, ['a', 'b'])).block([n.register(1, ['b', 'a'], 'eve')]),
    },
    'a registration that its credential did not sign': { freeze: (n) => n.block(forge([n.register(1, ['letter 4'], 'eve')], 0)) },
    'a registration after the freeze': { freeze: after('freeze', (n) => n.block([n.register(1, ['letter 4'], 'eve')])) },
    'a re-invitation of another round': { freeze: (n) => n.block(n.reinvite(0, 0, ['a'])) },
    'a re-invitation without keys': { freeze: (n) => n.block(n.reinvite(0, 1, [])) },
    'a re-invitation with a key twice': { freeze: (n) => n.block(n.reinvite(0, 1, ['a', 'a'])) },
    'a re-invitation with a key that is on the roll': { freeze: (n) => n.block(n.reinvite(0, 1, ['letter 4'])) },
    'a re-invitation of nobody': { freeze: (n) => n.block(n.reinvite(9, 0, ['a'])) },
    'a freeze of another head': { freeze: (n) => n.block(n.freeze(new Uint8Array(32))) },
    'a freeze of an empty roll': { roll: (n) => n.block(n.freeze()) },
  },
  7: {
    'someone else freezes': { freeze: (n) => n.block(forge(n.freeze(), 1)) },
    'a freeze after the close': { freeze: (n) => n.block(n.freeze(), { time: CLOSES }) },
    'an opening that is earlier': { freeze: (n) => n.block(n.act('Postpone', { opensAt: OPENS - 1, closesAt: CLOSES })) },
    'an opening that is the same': { freeze: (n) => n.block(n.act('Postpone', { opensAt: OPENS, closesAt: CLOSES + 1 })) },
    'a postponement with an earlier close': { freeze: (n) => n.block(n.act('Postpone', { opensAt: OPENS + 1, closesAt: CLOSES - 1 })) },
    'a postponement to the close': { freeze: (n) => n.block(n.act('Postpone', { opensAt: CLOSES, closesAt: CLOSES })) },
    'a postponement when voting is about to open': {
      freeze: after('freeze', (n) => n.block(n.act('Postpone', { opensAt: OPENS + SLOT, closesAt: CLOSES }), { time: OPENS })),
    },
    'an extension before the opening': { freeze: (n) => n.block(n.act('Extend', { closesAt: CLOSES + 1, reason: utf8('x') })) },
    'an extension to the same time': { vote: after('vote', (n) => n.block(n.act('Extend', { closesAt: CLOSES, reason: utf8('x') }))) },
    'an extension without a reason': { vote: after('vote', (n) => n.block(n.act('Extend', { closesAt: CLOSES + 1, reason: utf8('') }))) },
    'an extension with a reason that is no text': {
      vote: after('vote', (n) => n.block(n.act('Extend', { closesAt: CLOSES + 1, reason: Uint8Array.of(255) }))),
    },
    'an extension when voting is about to close': {
      vote: after('vote', (n) => n.block(n.act('Extend', { closesAt: CLOSES + SLOT, reason: utf8('x') }), { time: CLOSES })),
    },
    'an early close by someone else': { close: (n) => n.block(forge(n.act('Close'), 1)) },
    'an early close by one member twice': { close: (n) => n.block(n.act('Close', {}, [1, 1])) },
    'an early close before the opening': { vote: (n) => n.block(n.act('Close')) },
  },
});

test('check 7 fails: an early close that the manifest does not allow', () => {
  const report = verify(runUntil({ close: (n) => n.block(n.act('Close')) }, { earlyClose: false }).record());
  assert.equal(report.fault.check, 7);
});

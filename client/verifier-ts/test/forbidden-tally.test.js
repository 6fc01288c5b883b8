// What is forbidden in the tally, and after it: checks 11 to 16 (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, hex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { forbids } from './support/forbidden.js';
import { key, OPENS, run, runUntil, STEPS } from './support/network.js';
import { after, agreeBy, BY_UNIT, casts, forge, joiningCells, tallyBy, voided, VOTES } from './support/steps.js';

forbids({
  11: {
    'a quorum for another set': {
      agree: (n) => n.block(n.agree({ ...n.statement(n.closing), root: new Uint8Array(32).fill(1) })),
    },
    'a set tied to another block': {
      agree: (n) => n.block(n.agree(n.statement({ height: n.closing.height, hash: n.hash }))),
    },
    'a set tied to the next block': { agree: (n) => n.block(n.agree(n.statement({ height: n.height, hash: n.hash }))) },
    'a set of another number': { agree: (n) => n.block(n.agree({ ...n.statement(n.closing), ballots: 5 })) },
    'a set without a ballot that the chain accepted': {
      agree: (n) => {
        n.counted.delete(hex(key('anna').public));
        n.block(n.agree({ ...n.statement(n.closing), ballots: 4 }));
      },
    },
    'a set with another log of ballots': { agree: (n) => n.block(n.agree({ ...n.statement(n.closing), log: new Uint8Array(32) })) },
    'a set without a ballot that only two trustees lack': {
      agree: (n) => STEPS.agree(n.block([...n.declare(['anna'], [1, 2]), ...n.declare([], [3])]).exclude('anna')),
    },
    'a set without a ballot although three trustees lack all': {
      agree: (n) => STEPS.agree(n.block([...n.declare('all', [1, 2, 4]), ...n.declare(['anna'], [3])]).exclude('anna')),
    },
    'a trustee declares twice': { agree: (n) => n.block(n.declare([], [1])).block(n.declare(['anna'], [1])) },
    'a trustee declares all twice': { agree: (n) => n.block(n.declare('all', [1, 1])) },
    'someone else declares': { agree: (n) => n.block(forge(n.declare([], [1, 2]), 1)) },
    'an unknown trustee declares': { agree: (n) => n.block(n.declare([], [5])) },
    'a declaration of someone who is not on the roll': { agree: (n) => n.block(n.declare(['eve'], [1])) },
    'a declaration of a voter without a ballot': { vote: casts({}), agree: (n) => n.block(n.declare(['bert'], [1])) },
    'a declaration out of order': {
      agree: (n) => n.block(n.declareMissing({ kind: 'some', credentials: ['anna', 'bert'].map((name) => key(name).public).sort(compare).reverse() }, [1])),
    },
    'a declaration with a ballot twice': { agree: (n) => n.block(n.declare(['anna', 'anna'], [1])) },
    'a declaration for another block': { agree: (n) => n.block(n.declare([], [1], { height: n.height, hash: n.hash })) },
    'a declaration for another block of the closing height': {
      agree: (n) => n.block(n.declare([], [1], { height: n.closing.height, hash: n.hash })),
    },
    'a declaration for another height of the closing block': {
      agree: (n) => n.block(n.declare([], [1], { height: n.closing.height + 1, hash: n.closing.hash })),
    },
    // Not evidence, like another root, but refused (35), even if a quorum signs the right set.
    'one trustee ties the set to another height': {
      agree: (n) => STEPS.agree(n.block(n.agree(n.statement({ height: n.closing.height + 1, hash: n.closing.hash }), [3]))),
    },
    'one trustee ties the set to another block': {
      agree: (n) => STEPS.agree(n.block(n.agree(n.statement({ height: n.closing.height, hash: n.hash }), [3]))),
    },
    'one trustee signs another log of ballots': {
      agree: (n) => STEPS.agree(n.block(n.agree({ ...n.statement(n.closing), log: new Uint8Array(32) }, [3]))),
    },
    'one trustee signs another number of ballots': {
      agree: (n) => STEPS.agree(n.block(n.agree({ ...n.statement(n.closing), ballots: 5 }, [3]))),
    },
    'a declaration before the close': { close: (n) => n.block(n.declare([], [1], { height: n.height, hash: n.hash })) },
    'a declaration in the block of the board’s close': {
      close: (n) => n.block([...n.act('Close'), ...n.declare([], [1], { height: n.height, hash: n.hash })]),
    },
    'a declaration after the agreement': { agree: after('agree', (n) => n.block(n.declare([], [1]))) },
    'a quorum that is not lower': { agree: (n) => n.block(n.lowerQuorum(3)) },
    'a quorum that is higher': { agree: (n) => n.block(n.lowerQuorum(4)) },
    'a quorum below the threshold': { agree: (n) => n.block(n.lowerQuorum(1)) },
    'a quorum that is lowered to where it waits to be': {
      agree: (n) => n.block(n.lowerQuorum(2)).block(n.lowerQuorum(2, 'for another reason')),
    },
    'a quorum lowered without a reason': { agree: (n) => n.block(n.lowerQuorum(2, '')) },
    'a quorum lowered for a reason that is no text': { agree: (n) => n.block(n.lowerQuorum(2, Uint8Array.of(255))) },
    'a quorum lowered by someone else': { agree: (n) => STEPS.agree(n.block(forge(n.lowerQuorum(2), 1))) },
    'a quorum lowered before the close': { close: (n) => n.block(n.lowerQuorum(2)) },
    'a quorum lowered after the agreement': { agree: after('agree', (n) => n.block(n.lowerQuorum(2))) },
    'a lowered quorum that does not hold yet': {
      agree: (n) => {
        n.root = n.statement(n.closing).root;
        n.block(n.lowerQuorum(2)).block(n.agree(n.statement(n.closing), [1, 2]));
        n.block(n.contribute(n.root));
      },
    },
    'a trustee signs twice': { agree: (n) => n.block(n.agree(n.statement(n.closing), [1, 1])) },
    'someone else signs': { agree: (n) => n.block(forge(n.agree(n.statement(n.closing)), 1)) },
    'an unknown trustee signs': {
      agree: (n) => n.block([{ ...n.agree(n.statement(n.closing), [4])[0], trustee: 5 }]),
    },
    'trustees sign before the close': {
      close: (n) => n.block(n.agree(n.statement({ height: n.height, hash: n.hash }))),
    },
    'trustees sign in the block of the board’s close': {
      close: (n) => n.block([...n.act('Close'), ...n.agree(n.statement({ height: n.height, hash: n.hash }))]),
    },
  },
  13: {
    'a contribution after the result': { finalize: after('finalize', (n) => n.block(n.contribute(n.root, [4]))) },
    'a contribution for another set': { contribute: (n) => n.block(n.contribute(new Uint8Array(32))) },
    'a trustee contributes twice': { contribute: (n) => n.block(n.contribute(n.root, [2, 2])) },
    'someone else contributes': { contribute: (n) => n.block(forge(n.contribute(n.root), 0)) },
    'a contribution too short': { contribute: (n) => n.block(n.contribute(n.root, [1], (c) => c.pop())) },
    'a contribution that is not canonical': {
      contribute: (n) => {
        const [contribution] = n.contribute(n.root, [1]);
        n.block([{ ...contribution, sums: [[new Uint8Array(32).fill(255), new Uint8Array(32)], ...contribution.sums.slice(1)] }]);
      },
    },
  },
  14: {
    'too few contributors': { finalize: (n) => n.block([n.finalize([1])]) },
    'too many contributors': { finalize: (n) => n.block([n.finalize([1, 2, 3])]) },
    'contributors out of order': { finalize: (n) => n.block([n.finalize([2, 1])]) },
    'a contributor who gave nothing': { finalize: (n) => n.block([n.finalize([1, 4])]) },
    'a contributor twice': { finalize: (n) => n.block([n.finalize([1, 1])]) },
    'a wrong contribution is named': {
      contribute: (n) => n.block([...n.contribute(n.root, [2, 3]), ...n.contribute(n.root, [1], (c) => (c[1][0] += 1n))]),
      finalize: STEPS.finalize,
    },
    'finalized twice': { finalize: after('finalize', (n) => n.block([n.finalize()])) },
  },
  15: {
    'another result is certified': { certify: (n) => n.block(n.certify(new Uint8Array(32))) },
    'the result of other contributors is certified': {
      certify: (n) => n.block(n.certify(n.resultDigest(n.root, n.contributions, [2, 3]))),
    },
    'someone else certifies': { certify: (n) => n.block(forge(n.certify(n.resultDigest(n.root, n.contributions)), 1)) },
    'voided without a reason': { certify: (n) => n.block(n.void('')) },
    'someone else voids': { certify: (n) => n.block(forge(n.void(), 0)) },
  },
  16: {
    'another block': { certify: after('certify', (n) => n.block()) },
    'another message in the last block': {
      certify: (n) => n.block([...n.certify(n.resultDigest(n.root, n.contributions)), n.finalize()]),
    },
    'voided after it was certified': { certify: after('certify', (n) => n.block(n.void())) },
  },
});

// Of a manifest without a privacy minimum, so that only the set is wrong.
const otherSets = {
  'a set with a ballot that is excluded': (n) => n.block(n.declare(['anna'], [1, 2, 3])),
  'a set of the right number, but without another ballot than the excluded one': (n) =>
    n.block([...n.declare(['bert', 'dora'], [1, 2]), ...n.declare(['bert'], [4])]).exclude('anna'),
  'a set signed before a ballot of it was excluded': (n) => {
    const statement = n.statement(n.closing);
    n.block(n.agree(statement, [4])).block([...n.declare(['bert'], [1, 2, 4]), ...n.agree(statement, [1, 2])]);
  },
};

for (const [name, change] of Object.entries(otherSets)) {
  test(`check 11 fails: ${name}`, () => {
    const steps = { agree: (n) => (change(n), STEPS.agree(n)) };
    const report = verify(runUntil(steps, { privacyMinimum: 1 }).record());
    assert.equal(report.fault?.check, 11, JSON.stringify(report.fault));
    assert.equal(report.checks[10].verdict, 'failed');
  });
}

test('a trustee who signed the set before a ballot of it was excluded is named', () => {
  const agree = (n) => {
    n.block(n.agree(n.statement(n.closing), [4])).block(n.declare(['bert'], [1, 2, 4])).exclude('bert');
    n.root = n.statement(n.closing).root;
    n.block(n.agree(n.statement(n.closing), [1, 2, 3]));
  };
  const report = verify(run({ agree }, { privacyMinimum: 1 }).record());
  assert.ok(report.verified, JSON.stringify(report.fault));
  assert.equal(report.notes[0], 'signed another set of ballots: trustee 4');
  assert.deepEqual(report.excluded.map(({ lacking, receipts, credential }) => [lacking, receipts, credential]), [
    [[1, 2, 4], [1, 2, 3], hex(key('bert').public)],
  ]);
  assert.deepEqual(report.units.map(({ voted }) => voted), [2, 2], 'who voted is not who was counted');
});

// Totals by unit (spec 7.1 to 7.5), and rehearsals (spec 3.8): one thing forbidden.

const ONE_CELL = [{ first: 0, end: 2 }];

const forbidden = {
  'by unit: a set whose leaves have another unit': [11, {
    agree: (n) => {
      for (const ballot of n.counted.values()) ballot.unit = 0;
      STEPS.agree(n);
    },
  }, BY_UNIT],
  'another set of units, though there is one cell': [11, {
    agree: (n) => {
      for (const ballot of n.counted.values()) ballot.unit = 1 - ballot.unit;
      STEPS.agree(n);
    },
  }],
  'by unit: a contribution for one cell': [13, { contribute: (n) => n.block(n.contribute(n.root, [1], undefined, ONE_CELL)) }, BY_UNIT],
  'by unit: a contribution with a pair too many': [13, { contribute: (n) => n.block(n.contribute(n.root, [1], (c) => c.push([0n, 0n]))) }, BY_UNIT],
  'by unit: a contribution of two cells where there is one': [13, {
    contribute: (n) => n.block(n.contribute(n.root, [1], undefined, [{ first: 0, end: 1 }, { first: 1, end: 2 }])),
  }, { byUnit: true }],
  'by unit: a contribution of the cells as they were before an exclusion': [13, {
    agree: (n) => {
      n.before = n.cells();
      joiningCells(n);
    },
    contribute: (n) => n.block(n.contribute(n.root, [1], undefined, n.before)),
  }, BY_UNIT],
  'by unit: contributions with the cells exchanged': [14, {
    contribute: (n) => STEPS.contribute(swapping(n)),
    finalize: STEPS.finalize,
  }, BY_UNIT],
  'by unit: contributions right but for the last sum': [14, {
    contribute: (n) => n.block(n.contribute(n.root, [1, 2], (c, trustee) => trustee === 1 && (c.at(-1)[0] += 1n))),
    finalize: STEPS.finalize,
  }, BY_UNIT],
  'by unit: the result of one cell is certified': [15, {
    certify: (n) => {
      const whole = n.contribute(n.root, [1, 2], undefined, ONE_CELL);
      n.cells = () => ONE_CELL;
      n.block(n.certify(n.resultDigest(n.root, whole)));
    },
  }, BY_UNIT],
  'by unit: an agreement although a small group voted': [10, {
    vote: (n) => n.block([], { time: OPENS }).block().block([n.cast('anna', VOTES)]),
    agree: STEPS.agree,
  }, { byUnit: true }],
  'a manifest of more than 4,096 sums': [3, {
    create: (n) => {
      n.manifest = { ...n.manifest, byUnit: true, units: Array(256).fill('a'), contests: [...n.manifest.contests.slice(0, 2), { ...n.manifest.contests[2], options: Array(11).fill('a') }] };
      n.eid = n.eidOf(n.manifest);
      STEPS.create(n);
    },
  }],
  'a rehearsal that holds back nobody although the quorum needs not all': [3, {
    create: (n) => ((n.manifest = { ...n.manifest, rehearsal: 0 }), (n.eid = n.eidOf(n.manifest)), STEPS.create(n)),
  }],
  'more than 4,096 pairs in a contribution': [1, {
    contribute: (n) => n.block(n.contribute(n.root, [1], (c) => c.push(...Array(4097 - c.length).fill([0n, 0n])))),
  }],
  'a rehearsal: the trustee who is held back declares': [11, { agree: (n) => n.block(n.declare([], [3])) }, { rehearsal: 3 }],
  'a rehearsal: the trustee who is held back declares all': [11, { agree: (n) => n.block(n.declare('all', [3])) }, { rehearsal: 3 }],
  'a rehearsal: the trustee who is held back signs the set': [11, { agree: (n) => n.block(n.agree(n.statement(n.closing), [1, 2, 3])) }, { rehearsal: 3 }],
  'a rehearsal: the trustee who is held back signs the agreed set': [11, {
    agree: (n) => (agreeBy(1, 2, 4)(n), n.block(n.agree(n.statement(n.closing), [3]))),
  }, { rehearsal: 3 }],
  'a rehearsal: the trustee who is held back contributes': [13, {
    agree: agreeBy(1, 2, 4),
    contribute: (n) => n.block(n.contribute(n.root, [1, 2, 3])),
  }, { rehearsal: 3 }],
  'a rehearsal: the trustee who is held back is named as a contributor': [14, {
    agree: agreeBy(1, 2, 4),
    ...tallyBy(1, 2, 4),
    finalize: (n) => n.block([n.finalize([2, 3])]),
  }, { rehearsal: 3 }],
};

/** A network whose contributions have the sums of the two cells exchanged. */
function swapping(n) {
  const contribute = n.contribute.bind(n);
  n.contribute = (root, trustees) => contribute(root, trustees, (c) => c.push(...c.splice(0, c.length / 2)));
  return n;
}

for (const [name, [check, steps, manifest]] of Object.entries(forbidden)) {
  test(`check ${check} fails: ${name}`, () => {
    const report = verify(runUntil(steps, manifest).record());
    assert.equal(report.fault?.check, check, JSON.stringify(report.fault));
    if (/held back (declares|signs|contributes)/.test(name)) assert.equal(report.fault.rule, '3.8');
    assert.equal(report.contests, undefined);
    assert.equal(report.cells, undefined);
  });
}

test('a quorum for another set fails check 11, even if the election is voided then', () => {
  const agree = (n) => voided(n.block(n.agree({ ...n.statement(n.closing), root: new Uint8Array(32) })));
  assert.equal(verify(run({ agree, contribute: null }).record()).fault?.check, 11);
});

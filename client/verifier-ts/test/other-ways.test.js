// Elections that go other ways, and are verified (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../dist/bytes.js';
import { text } from '../dist/report.js';
import { verify } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { ballots, CLOSES, OPENS, run, SLOT, STEPS } from './support/network.js';
import { ADDRESSES, agreeBy, BY_UNIT, CERTIFIED, inUnits, joiningCells, tallyBy, totalsOf, verdicts, VOTES, withAllReceipts } from './support/steps.js';

const whole = run();

const good = {
  'an early close by the board, which refuses later ballots of its block': {
    steps: {
      close: (n) => {
        const [a, b] = n.act('Close');
        n.block([a, n.cast('bert', [[1, 0, 0], [1, 0, 0, 0]], { sequence: 17 }), b]);
        n.closing = { height: n.height, hash: n.hash };
        n.block();
      },
    },
    totals: [[1, 1, 4], [1, 1, 0, 0], [6, 6]],
  },
  'a postponement, an extension, and a close by the clock': {
    steps: {
      freeze: (n) => {
        n.block(n.freeze());
        n.block(n.act('Postpone', { opensAt: OPENS + 2 * SLOT, closesAt: CLOSES }));
      },
      vote: (n) => {
        n.block([], { time: OPENS + SLOT }).block().block();
        ballots(n);
        n.block(n.act('Extend', { closesAt: CLOSES + 5 * SLOT, reason: utf8('rain') }));
        n.block([], { time: CLOSES + SLOT });
        n.block([n.cast('bert', [[1, 0, 0], [0, 0, 0, 1]], { sequence: 2 })]);
      },
      close: (n) => {
        n.block([], { time: CLOSES + 5 * SLOT });
        n.closing = { height: n.height, hash: n.hash };
        n.block();
      },
    },
    totals: [[1, 1, 4], [0, 1, 0, 1], [6, 6]],
  },
  'a trustee who signed another set and one who contributed wrongly': {
    steps: {
      agree: (n) => {
        n.root = n.statement(n.closing).root;
        n.block(n.agree({ ...n.statement(n.closing), root: new Uint8Array(32) }, [4]));
        n.block(n.agree(n.statement(n.closing), [1, 2, 3]));
      },
      contribute: (n) => {
        n.contributions = n.contribute(n.root, [1, 2]);
        n.block([...n.contributions, ...n.contribute(n.root, [3], (c) => (c[0][0] += 1n))]);
        n.block(n.agree(n.statement(n.closing), []));
      },
    },
    notes: ['signed another set of ballots: trustee 4', 'contributed wrongly: trustee 3'],
  },
  'a record that begins before the first approval': {
    steps: { create: (n) => STEPS.create(n.block()) },
  },
  'addresses in every phase, each with a higher number': {
    steps: Object.fromEntries(
      Object.keys(STEPS)
        .filter((step) => step !== 'certify')
        .map((step, i) => [step, (n) => (STEPS[step](n), n.block(n.announce(2 * i + 1, ADDRESSES[i % ADDRESSES.length], [1, 3])))]),
    ),
  },
  'ballots that two trustees lack: nothing is excluded': {
    steps: { agree: (n) => STEPS.agree(n.block([...n.declare(['dora', 'anna'], [1]), ...n.declare('all', [4])]).block(n.declare([], [2]))) },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
  },
  'a ballot that three trustees lack, and one that two do': {
    steps: {
      agree: (n) => {
        n.block([...n.declare(['dora', 'anna'], [1]), ...n.declare(['dora'], [3])]).block(n.declare(['anna', 'dora'], [2]));
        STEPS.agree(n.exclude('dora'));
      },
    },
    manifest: { privacyMinimum: 1 },
    totals: [[0, 2, 2], [0, 1, 0, 0], [6, 4]],
    counted: 3,
    notes: [/^ballot .* is excluded, as trustee 1, 2, 3 lack it; receipts for it are by trustee 2, 3, 4$/],
  },
  'a ballot that one trustee lacks where two lack all': {
    steps: {
      agree: (n) => {
        n.block([...n.declare('all', [4]), ...n.declare(['anna'], [2]), ...n.declare('all', [1])]);
        STEPS.agree(n.exclude('anna'));
      },
    },
    manifest: { privacyMinimum: 1 },
    totals: [[0, 1, 4], [0, 0, 0, 0], [6, 6]],
    counted: 3,
    notes: [/trustee 1, 2, 4 lack it; receipts for it are by trustee 1, 3, 4$/],
  },
  'a ballot that was excluded until three trustees lacked all': {
    steps: {
      agree: (n) => {
        n.block([...n.declare('all', [4]), ...n.declare(['anna'], [2]), ...n.declare('all', [1])]);
        STEPS.agree(n.block(n.declare('all', [3])));
      },
    },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
  },
  'an excluded ballot that was a small group of its own': {
    steps: {
      vote: (n) => {
        n.block([], { time: OPENS }).block();
        n.block([n.cast('anna', VOTES), n.cast('bert', VOTES), n.cast('dora', [[0, 0, 1], [0, 1]], { style: 1 })]);
      },
      agree: (n) => STEPS.agree(n.block(n.declare(['dora'], [1, 2, 3])).exclude('dora')),
    },
    totals: [[2, 0, 0], [2, 0, 0, 0], [0, 0]],
    counted: 2,
    notes: [/is excluded/],
  },
  'a lowered quorum that was not needed': {
    steps: { agree: (n) => STEPS.agree(n.block(n.lowerQuorum(2))) },
    notes: ['the board lowered the quorum for the set from 3 to 2'],
  },
  'totals by unit where no unit is complete': {
    manifest: { byUnit: true },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
  },
  'totals by unit': {
    manifest: BY_UNIT,
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
    cells: [
      [['Upper'], [[0, 1, 2], [0, 1, 0, 0], [0, 2]]],
      [['Lower'], [[0, 1, 2], [0, 0, 0, 0], [6, 4]]],
    ],
  },
  'totals by unit where small groups are public': {
    manifest: { byUnit: true, smallGroupsPublic: true },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
    cells: [
      [['Upper'], [[0, 1, 2], [0, 1, 0, 0], [0, 2]]],
      [['Lower'], [[0, 1, 2], [0, 0, 0, 0], [6, 4]]],
    ],
  },
  'units without ballots, and two cells of several units': {
    steps: inUnits({ bert: 2, 'letter 3': 3 }),
    manifest: { ...BY_UNIT, units: ['a', 'b', 'c', 'd', 'e'] },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
    cells: [
      [['a'], [[0, 1, 2], [0, 1, 0, 0], [0, 2]]],
      [['b', 'c'], [[0, 1, 0], [0, 0, 0, 0], [0, 0]]],
      [['d', 'e'], [[0, 0, 2], [0, 0, 0, 0], [6, 4]]],
    ],
  },
  'cells that an exclusion joins': {
    steps: {
      agree: joiningCells,
    },
    manifest: BY_UNIT,
    totals: [[0, 1, 2], [0, 0, 0, 0], [6, 4]],
    counted: 2,
    notes: [/is excluded/, /is excluded/],
  },
  'cells that an exclusion leaves': {
    steps: { agree: (n) => STEPS.agree(n.block(n.declare(['dora'], [1, 2, 3])).exclude('dora')) },
    manifest: BY_UNIT,
    totals: [[0, 2, 2], [0, 1, 0, 0], [6, 4]],
    cells: [
      [['Upper'], [[0, 1, 0], [0, 1, 0, 0], [0, 0]]],
      [['Lower'], [[0, 1, 2], [0, 0, 0, 0], [6, 4]]],
    ],
    counted: 3,
    notes: [/is excluded/],
  },
  'cells that an exclusion joined, until it was taken back': {
    steps: {
      agree: (n) => {
        n.block([...n.declare('all', [4]), ...n.declare(['anna', 'dora'], [2]), ...n.declare('all', [1])]);
        STEPS.agree(n.block(n.declare('all', [3])));
      },
    },
    manifest: BY_UNIT,
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
    cells: [
      [['Upper'], [[0, 1, 2], [0, 1, 0, 0], [0, 2]]],
      [['Lower'], [[0, 1, 2], [0, 0, 0, 0], [6, 4]]],
    ],
  },
  'a contribution that is wrong in the last cell alone': {
    steps: {
      contribute: (n) => {
        n.contributions = n.contribute(n.root, [1, 2]);
        n.block([...n.contributions, ...n.contribute(n.root, [3], (c) => (c.at(-1)[1] += 1n))]);
      },
    },
    manifest: BY_UNIT,
    notes: ['contributed wrongly: trustee 3'],
  },
  'a rehearsal, in which the trustee who is held back accepts, says where it is, and vouches for ballots': {
    steps: { freeze: (n) => STEPS.freeze(n.block(n.announce(1, 'http://a', [3]))), agree: agreeBy(1, 2, 4), ...tallyBy(1, 2, 4) },
    manifest: { rehearsal: 3 },
    totals: [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
    rehearsal: /REHEARSAL and counts for nothing\. Trustee 3, “Trustee 3”, was held back\.$/,
  },
  'a rehearsal that holds back nobody, as the quorum needs all': {
    steps: { vote: withAllReceipts, agree: agreeBy(1, 2, 3, 4) },
    manifest: { rehearsal: 0, quorum: 4, privacyMinimum: 1 },
    counted: 3,
    totals: [[4, 0, 0], [2, 0, 0, 0], [4, 2]],
    rehearsal: /REHEARSAL and counts for nothing\. No trustee was held back\.$/,
  },
  'approvals that came to nothing': {
    steps: {
      freeze: (n) => {
        n.block([...n.void().slice(0, 1), ...n.freeze(n.rollHead)]).block();
      },
    },
  },
  'an approval that expired, and was given anew': {
    steps: {
      create: (n) => {
        STEPS.create(n);
      },
      certify: (n) => {
        const digest = n.resultDigest(n.root, n.contributions);
        n.block(n.certify(digest, [0]));
        n.block(n.certify(digest, [1]));
      },
    },
  },
};

for (const [name, { steps, totals, cells, manifest, counted = 4, notes = [], rehearsal }] of Object.entries(good)) {
  test(`verified: ${name}`, () => {
    const report = verify(run(steps, manifest).record());
    assert.ok(report.verified, JSON.stringify(report.fault));
    assert.deepEqual(verdicts(report), CERTIFIED);
    assert.equal(report.ballots.counted, counted);
    if (totals) assert.deepEqual(totalsOf(report.contests), totals);
    if (totals) assert.deepEqual(report.cells?.map(({ units, contests }) => [units, totalsOf(contests)]), cells);
    assert.match(report.rehearsal?.meaning ?? '', rehearsal ?? /^$/);
    assert.equal(report.notes.length, notes.length, report.notes.join());
    for (const [i, note] of notes.entries()) {
      if (typeof note === 'string') assert.equal(report.notes[i], note);
      else assert.match(report.notes[i], note);
    }
  });
}

// Elections that are voided.

test('the report shows the totals of each cell with its units, and of the election', () => {
  const { steps, manifest } = good['units without ballots, and two cells of several units'];
  const report = verify(run(steps, manifest).record());
  const lines = text(report).split('\n');
  const at = lines.indexOf('In b, c:');
  assert.ok(0 < lines.indexOf('In the whole election:') && lines.indexOf('In the whole election:') < at);
  assert.deepEqual(lines.slice(at + 1, at + 5), [
    '  One of three (1 ballot, weight 1)',
    '             0  Ada',
    '             1  Blaise',
    '             0  Carl',
  ]);
  assert.deepEqual(report.contests.map(({ ballots, weight }) => [ballots, weight]), [[4, '6'], [2, '2'], [2, '4']]);
  assert.deepEqual(report.cells.map(({ contests }) => contests.map(({ ballots, weight }) => [ballots, weight])), [
    [[2, '3'], [1, '1'], [1, '2']],
    [[1, '1'], [1, '1'], [0, '0']],
    [[1, '2'], [0, '0'], [1, '2']],
  ]);
  assert.equal(verify(whole.record()).cells, undefined);
});

test('the report of a rehearsal says in plain words that it is one and counts for nothing', () => {
  const { steps, manifest } = good['a rehearsal, in which the trustee who is held back accepts, says where it is, and vouches for ballots'];
  const network = run(steps, manifest);
  const report = verify(network.record());
  assert.equal(report.rehearsal.heldBack, 3);
  assert.match(text(report), /^This record is of a REHEARSAL and counts for nothing\./);
  assert.match(text(report), /VERIFIED \(certified; a REHEARSAL that counts for nothing\)$/);
  const failed = verify(encode.record(network.frames().slice(0, -1)));
  assert.match(text(failed), /^This record is of a REHEARSAL and counts for nothing\./);
  assert.ok(!('rehearsal' in verify(whole.record())));
});

test('the board may lower the quorum in the block of its close', () => {
  const close = (n) => {
    n.block([...n.act('Close'), ...n.lowerQuorum(2)]);
    n.closing = { height: n.height, hash: n.hash };
    n.block();
  };
  const report = verify(run({ close }).record());
  assert.ok(report.verified, JSON.stringify(report.fault));
});

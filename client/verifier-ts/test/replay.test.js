// Whole elections: those that must be verified, and those in which one thing is forbidden (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, concat, hex, utf8 } from '../dist/bytes.js';
import { text } from '../dist/report.js';
import { verify, Verifier } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { ballots, BATCHES, CLOSES, key, OPENS, run, runUntil, SLOT, STEPS } from './support/network.js';

const verdicts = (report) => report.checks.map(({ verdict }) => verdict);

/** Of a record that is certified, without files beside it. */
const CERTIFIED = [...Array(16).fill('passed'), ...Array(2).fill('not applicable')];
const whole = run();


test('a whole election is verified, with the totals of its last ballots', () => {
  const report = verify(whole.record());
  assert.ok(report.verified, report.fault?.what);
  assert.deepEqual(verdicts(report), CERTIFIED);
  assert.equal(report.outcome, 'certified');
  assert.deepEqual(
    report.contests.map(({ options }) => options.map(({ total }) => Number(total))),
    [[0, 2, 4], [0, 1, 0, 0], [6, 6]],
  );
  assert.deepEqual(report.contests.map(({ ballots, weight }) => [ballots, weight]), [[4, '6'], [2, '2'], [2, '4']]);
  assert.deepEqual(report.units, [
    { name: 'Upper', entries: 3, registered: 2, voted: 2 },
    { name: 'Lower', entries: 2, registered: 2, voted: 2 },
  ]);
  assert.deepEqual(report.ballots, { accepted: 5, counted: 4, excluded: 0, olderAnchors: 0 });
  assert.equal(report.rollLog, hex(whole.rollHead));
  assert.equal(report.lastBlock.hash, hex(whole.hash));
  assert.deepEqual(report.notes, []);
  assert.match(text(report), /VERIFIED \(certified\)$/);
});

test('it is verified in pieces of any size', () => {
  const record = whole.record();
  for (const size of [1000, 4321]) {
    const verifier = new Verifier();
    for (let i = 0; i < record.length; i += size) verifier.push(record.subarray(i, i + size));
    assert.deepEqual(verifier.end(), verify(record));
  }
});

test('what the reader knows beforehand must be what the record says', () => {
  const record = whole.record();
  assert.ok(verify(record, { genesis: whole.genesis, eid: whole.eid, board: whole.board }).verified);
  const other = new Uint8Array(32);
  const check = (known) => verify(record, known).fault?.check;
  assert.equal(check({ genesis: other }), 3);
  assert.equal(check({ eid: other }), 3);
  assert.equal(check({ board: { ...whole.board, threshold: 1 } }), 4);
  assert.equal(check({ board: { ...whole.board, members: [...whole.board.members].reverse() } }), 4);
});

// Elections that go other ways and are verified.

const VOTES = [[1, 0, 0], [1, 0, 0, 0]];

const ADDRESSES = ['http://a', 'https://trustee.example:8443/#sha256=' + 'ab'.repeat(32), 'https://[::1]/ü'];

/** Totals by unit, each of which is complete with one ballot. */
const BY_UNIT = { byUnit: true, privacyMinimum: 1 };

/** The roll with some entries in other units. */
const inUnits = (units) => {
  const moved = new Map(Object.entries(units).map(([name, unit]) => [hex(key(name).public), unit]));
  const keyOf = ({ access }) => hex(access.kind === 'invited' ? access.keys[0] : access.credential);
  const batches = (n) => BATCHES(n).map((batch) => batch.map((entry) => ({ ...entry, unit: moved.get(keyOf(entry)) ?? entry.unit })));
  return { setup: (n) => STEPS.setup(n, batches), roll: (n) => STEPS.roll(n, batches) };
};

const agreeBy = (...trustees) => (n) => {
  n.root = n.statement(n.closing).root;
  n.block(n.agree(n.statement(n.closing), trustees));
};

const tallyBy = (...trustees) => ({
  contribute: (n) => {
    n.contributions = n.contribute(n.root, trustees);
    n.block(n.contributions);
  },
});

/** Ballots for which every trustee gave a receipt. */
function withAllReceipts(n) {
  const receipts = [1, 2, 3, 4];
  n.block([], { time: OPENS }).block();
  n.block([
    n.cast('anna', VOTES, { receipts }),
    n.cast('bert', VOTES, { receipts }),
    n.cast('dora', [[1, 0, 0], [2, 1]], { style: 1, receipts }),
  ]);
}

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
      agree: (n) => STEPS.agree(n.block(n.declare(['anna', 'dora'], [1, 2, 3])).exclude('anna').exclude('dora')),
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

const totalsOf = (contests) => contests.map(({ options }) => options.map(({ total }) => Number(total)));

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

const voided = (n) => n.block(n.void());

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

/** Nothing after this step. */
function next(step) {
  const names = Object.keys(STEPS);
  const after = names[names.indexOf(step) + 1];
  return after ? { [after]: null } : {};
}

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

// One thing forbidden: the check that fails, the rule, and the step it happens in.

/** Voting in which anna casts once with these options. */
const casts = (options, votes = VOTES, name = 'anna') => (n) => {
  n.block([], { time: OPENS }).block();
  n.block([n.cast(name, votes, typeof options === 'function' ? options(n) : options)]);
};

const tampered = (tamper) => casts({ tamper });

/** The usual step, then this. */
const after = (step, more) => (n) => {
  STEPS[step](n);
  more(n);
};

const bad = {
  1: {
    'the record ends early': { certify: null },
    'a declaration that lists more than 256 ballots': {
      agree: (n) => n.block(n.declareMissing({ kind: 'some', credentials: ascending(257) }, [1])),
    },
    'a name of more than 256 bytes': renamed(utf8('a'.repeat(257))),
    'a KEM key too long': { create: (n) => ((n.manifest = kemKey(n.manifest, 1217)), STEPS.create(n)) },
    'an address of more than 256 bytes': { setup: (n) => n.block(n.announce(1, `http://${'a'.repeat(250)}`)) },
    'a message of another election': {
      setup: (n) => n.block([{ ...n.accept([1])[0], eid: new Uint8Array(32) }]),
    },
  },
  2: {
    'a height is left out': { freeze: (n) => n.block(n.freeze(), { height: n.height + 2 }) },
    'a height comes twice': { freeze: (n) => n.block(n.freeze(), { height: n.height }) },
    'a parent is another': { freeze: (n) => n.block(n.freeze(), { parent: new Uint8Array(32) }) },
    'the time goes back': { freeze: (n) => n.block(n.freeze(), { time: n.time - 1 }) },
    'a header without a slot': { freeze: (n) => n.block(n.freeze(), { items: () => [encode.digestItem(5, 'aura', new Uint8Array(64))] }) },
    'a header with its slot twice': { freeze: (n) => n.block(n.freeze(), { items: (slot) => [SLOT_ITEM(slot), SLOT_ITEM(slot)] }) },
    'a header whose slot is of another engine': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(6, 'babe', encode.u64(slot))] }),
    },
    'a header whose slot is no pre-runtime item': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(4, 'aura', encode.u64(slot))] }),
    },
    'a header whose slot has nine bytes': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(6, 'aura', encode.join([encode.u64(slot), encode.u8(0)]))] }),
    },
    'a header with an item that there is not': { freeze: (n) => n.block(n.freeze(), { items: (slot) => [SLOT_ITEM(slot), encode.u8(1)] }) },
    'a first block of slot 0': { create: (n) => n.block(n.create([0]), { slot: 0 }) },
    'the slot is another': { freeze: (n) => n.block(n.freeze(), { slot: Math.floor(n.time / SLOT) + 2 }) },
  },
  3: {
    'the manifest breaks a rule': {
      create: (n) => {
        n.manifest = { ...n.manifest, quorum: 2 };
        n.eid = n.eidOf(n.manifest);
        STEPS.create(n);
      },
    },
    'the manifest is another': { create: (n) => ((n.manifest = { ...n.manifest, title: 'x' }), STEPS.create(n)) },
    'a name that is no text': renamed(Uint8Array.of(0x61, 255)),
    'a KEM key too short': { create: (n) => ((n.manifest = kemKey(n.manifest, 1215)), (n.eid = n.eidOf(n.manifest)), STEPS.create(n)) },
    'a creation of another number after the creation': { setup: (n) => (n.number++, n.block(n.create([0]))) },
    'the number is another': { create: (n) => (n.number++, STEPS.create(n)) },
  },
  4: {
    'one member approves twice': { create: (n) => n.block(n.create([0])).block(n.create([0])) },
    'someone else approves': { create: (n) => n.block(forge(n.create([0, 1]), 1)) },
    'it is created twice': { setup: (n) => n.block(n.create([0])) },
    'a member whom the board has not': { create: (n) => n.block(n.create([0, 3])) },
  },
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
};

/** The creation with another title. */
function renamed(title) {
  return { create: (n) => ((n.manifest = { ...n.manifest, title }), (n.eid = n.eidOf(n.manifest)), STEPS.create(n)) };
}

/** A manifest whose first KEM key has another length. */
const kemKey = (manifest, length) => ({
  ...manifest,
  trustees: manifest.trustees.map((trustee, i) => (i === 0 ? { ...trustee, kemKey: new Uint8Array(length) } : trustee)),
});

const SLOT_ITEM = (slot) => encode.digestItem(6, 'aura', encode.u64(slot));

/** So many credentials, of nobody, in ascending order. */
const ascending = (count) => Array.from({ length: count }, (_, i) => encode.join([new Uint8Array(28), Uint8Array.of(0, 0, i >> 8, i & 255)]));

function flip(bytes, position) {
  const changed = bytes.slice();
  changed[position] ^= 1;
  return changed;
}

/** One of the messages signed by someone else. */
const forge = (messages, index) =>
  messages.map((message, i) => (i === index ? { ...message, signature: flip(message.signature, 33) } : message));

for (const [check, cases] of Object.entries(bad)) {
  for (const [name, steps] of Object.entries(cases)) {
    test(`check ${check} fails: ${name}`, () => {
      const report = verify(runUntil(steps).record());
      assert.ok(!report.verified);
      assert.equal(report.fault.check, Number(check), JSON.stringify(report.fault));
      const [, rule] = /^(6\.4\.\d)/.exec(name) ?? [];
      if (rule) assert.equal(report.fault.rule, rule);
      assert.equal(report.checks[check - 1].verdict, 'failed');
      assert.ok(report.fault.object.length > 0 && report.fault.party.length > 0);
      assert.match(text(report), /NOT VERIFIED$/);
    });
  }
}

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
      good['cells that an exclusion joins'].steps.agree(n);
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

// Messages in a phase that is too early, or too late (spec 9.2).

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

// Which checks are passed when (spec 9.2).

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

test('the board may lower the quorum in the block of its close', () => {
  const close = (n) => {
    n.block([...n.act('Close'), ...n.lowerQuorum(2)]);
    n.closing = { height: n.height, hash: n.hash };
    n.block();
  };
  const report = verify(run({ close }).record());
  assert.ok(report.verified, JSON.stringify(report.fault));
});

test('a quorum for another set fails check 11, even if the election is voided then', () => {
  const agree = (n) => voided(n.block(n.agree({ ...n.statement(n.closing), root: new Uint8Array(32) })));
  assert.equal(verify(run({ agree, contribute: null }).record()).fault?.check, 11);
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

test('check 7 fails: an early close that the manifest does not allow', () => {
  const report = verify(runUntil({ close: (n) => n.block(n.act('Close')) }, { earlyClose: false }).record());
  assert.equal(report.fault.check, 7);
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

test('an anchor older than the record is taken, and counted', () => {
  const vote = casts({ anchor: { height: 50, hash: new Uint8Array(32) } });
  const report = verify(run({ vote }, { smallGroupsPublic: true }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.ballots.olderAnchors, 1);
});

test('the hash of the block before the record is known: it is its first block’s parent', () => {
  const vote = casts({ anchor: { height: 99, hash: new Uint8Array(32).fill(9) } });
  const report = verify(run({ vote }, { smallGroupsPublic: true }).record());
  assert.ok(report.verified, report.fault?.what);
  assert.equal(report.ballots.olderAnchors, 0);
});

test('bytes after the end are a frame that is cut or malformed', () => {
  assert.equal(verify(concat(whole.record(), Uint8Array.of(0))).fault.check, 1);
  assert.equal(verify(concat(whole.record(), encode.u32(0))).fault.check, 1);
});

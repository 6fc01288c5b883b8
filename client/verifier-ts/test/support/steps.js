// Steps of elections that several tests have, and what they look at in reports.

import { hex } from '../../dist/bytes.js';
import * as encode from './encode.js';
import { BATCHES, key, OPENS, STEPS } from './network.js';

export const VOTES = [[1, 0, 0], [1, 0, 0, 0]];

export const ADDRESSES = ['http://a', 'https://trustee.example:8443/#sha256=' + 'ab'.repeat(32), 'https://[::1]/ü'];

/** Totals by unit, each of which is complete with one ballot. */
export const BY_UNIT = { byUnit: true, privacyMinimum: 1 };

/** The roll with some entries in other units. */
export const inUnits = (units) => {
  const moved = new Map(Object.entries(units).map(([name, unit]) => [hex(key(name).public), unit]));
  const keyOf = ({ access }) => hex(access.kind === 'invited' ? access.keys[0] : access.credential);
  const batches = (n) => BATCHES(n).map((batch) => batch.map((entry) => ({ ...entry, unit: moved.get(keyOf(entry)) ?? entry.unit })));
  return { setup: (n) => STEPS.setup(n, batches), roll: (n) => STEPS.roll(n, batches) };
};

export const agreeBy = (...trustees) => (n) => {
  n.root = n.statement(n.closing).root;
  n.block(n.agree(n.statement(n.closing), trustees));
};

export const tallyBy = (...trustees) => ({
  contribute: (n) => {
    n.contributions = n.contribute(n.root, trustees);
    n.block(n.contributions);
  },
});

/** The agreement on a set without a ballot, whose exclusion joins the cells. */
export const joiningCells = (n) => STEPS.agree(n.block(n.declare(['anna', 'dora'], [1, 2, 3])).exclude('anna').exclude('dora'));

/** Ballots for which every trustee gave a receipt. */
export function withAllReceipts(n) {
  const receipts = [1, 2, 3, 4];
  n.block([], { time: OPENS }).block();
  n.block([
    n.cast('anna', VOTES, { receipts }),
    n.cast('bert', VOTES, { receipts }),
    n.cast('dora', [[1, 0, 0], [2, 1]], { style: 1, receipts }),
  ]);
}

export const voided = (n) => n.block(n.void());

/** Nothing after this step. */
export function next(step) {
  const names = Object.keys(STEPS);
  const after = names[names.indexOf(step) + 1];
  return after ? { [after]: null } : {};
}

/** Voting in which anna casts once with these options. */
export const casts = (options, votes = VOTES, name = 'anna') => (n) => {
  n.block([], { time: OPENS }).block();
  n.block([n.cast(name, votes, typeof options === 'function' ? options(n) : options)]);
};

export const tampered = (tamper) => casts({ tamper });

/** The usual step, then this. */
export const after = (step, more) => (n) => {
  STEPS[step](n);
  more(n);
};

/** The creation with another title. */
export function renamed(title) {
  return { create: (n) => ((n.manifest = { ...n.manifest, title }), (n.eid = n.eidOf(n.manifest)), STEPS.create(n)) };
}

/** A manifest whose first KEM key has another length. */
export const kemKey = (manifest, length) => ({
  ...manifest,
  trustees: manifest.trustees.map((trustee, i) => (i === 0 ? { ...trustee, kemKey: new Uint8Array(length) } : trustee)),
});

export const SLOT_ITEM = (slot) => encode.digestItem(6, 'aura', encode.u64(slot));

/** So many credentials, of nobody, in ascending order. */
export const ascending = (count) => Array.from({ length: count }, (_, i) => encode.join([new Uint8Array(28), Uint8Array.of(0, 0, i >> 8, i & 255)]));

export function flip(bytes, position) {
  const changed = bytes.slice();
  changed[position] ^= 1;
  return changed;
}

/** One of the messages signed by someone else. */
export const forge = (messages, index) =>
  messages.map((message, i) => (i === index ? { ...message, signature: flip(message.signature, 33) } : message));

export const verdicts = (report) => report.checks.map(({ verdict }) => verdict);

/** Of a record that is certified, without files beside it. */
export const CERTIFIED = [...Array(16).fill('passed'), ...Array(2).fill('not applicable')];

export const totalsOf = (contests) => contests.map(({ options }) => options.map(({ total }) => Number(total)));

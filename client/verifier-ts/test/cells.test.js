// The rule that gives the cells (spec 7.1): cases of it, and its properties against every partition there is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellOfUnit, cells } from '../dist/cells.js';

const manifest = (units, change = {}) => ({
  units: Array.from({ length: units }, (_, i) => `Unit ${i}`),
  // Styles may have the same name, and are two nevertheless.
  styles: [{ name: 'Style' }, { name: 'Style' }, { name: 'Style' }],
  byUnit: true,
  smallGroupsPublic: false,
  privacyMinimum: 3,
  ...change,
});

/** Ballots from the number of them in each unit, by style and weight: '5A 2B×2' are five of style A and two of B and weight 2. */
const ballots = (units) =>
  units.flatMap((all, unit) =>
    all.split(' ').flatMap((some) => {
      const [, count, style, weight] = /^(\d+)([ABC]?)(?:×(\d+))?$/.exec(some);
      return Array.from({ length: Number(count) }, () => ({ unit, style: 'ABC'.indexOf(style || 'A'), weight: BigInt(weight ?? 1) }));
    }),
  );

/** The number of units of each cell. */
const lengths = (manifest, counted) => cells(manifest, counted).map(({ first, end }) => end - first);

const CASES = [
  ['the first example of 7.1', ['5', '0', '2', '4', '1'], [1, 4]],
  ['the second example of 7.1', ['5A 5B', '5A', '1B'], [3]],
  ['one unit', ['3'], [1]],
  ['one unit that is too small', ['2'], [1]],
  ['nobody', ['0', '0', '0'], [3]],
  ['every unit by itself', ['3', '4', '5'], [1, 1, 1]],
  ['an empty unit first joins the next', ['0', '3', '3'], [2, 1]],
  ['an empty unit between joins the next', ['3', '0', '3'], [1, 2]],
  ['an empty unit last joins the one before', ['3', '3', '0'], [1, 2]],
  ['many empty units', ['0', '0', '3', '0', '0', '0', '3', '0', '0'], [3, 6]],
  ['small units that make a cell together', ['1', '1', '1', '2', '1'], [3, 2]],
  ['all together too small', ['1', '0', '1'], [3]],
  ['a style too small in one unit waits for the next', ['3A 1B', '2B', '3A'], [2, 1]],
  ['a style left over at the end joins until it is complete', ['3B', '3A', '3A', '1B'], [4]],
  ['a style left over joins no more than it needs', ['3A', '3A 3B', '3A', '1B'], [1, 3]],
  ['a run of several units takes in what is left over', ['3A', '2A 2C', '1C 3B', '3A', '2B'], [1, 4]],
  ['a weight too small is a group too', ['3 1×2', '3 2×2', '3'], [2, 1]],
  ['a weight and a style, each large enough, may meet in one ballot', ['3A 1B×2 2B 2A×2', '3A'], [1, 1]],
  ['a group that is too small on the whole', ['3A', '3A', '2B', '3A'], [4]],
  ['two styles of one name are two', ['2A 2B', '1A 1B', '3A'], [2, 1]],
  ['minimum 1', ['1', '0', '1A 1B', '0'], [1, 3], { privacyMinimum: 1 }],
  ['minimum 0', ['1', '0', '1A 1B', '0'], [1, 3], { privacyMinimum: 0 }],
  ['small groups are public: a ballot is enough', ['1', '0', '1B', '2', '0'], [1, 2, 2], { smallGroupsPublic: true }],
  ['small groups are public, and nobody voted', ['0', '0'], [2], { smallGroupsPublic: true }],
  ['totals are not by unit', ['3', '3'], [2], { byUnit: false }],
];

for (const [name, units, expected, change] of CASES) {
  test(`cells: ${name}`, () => assert.deepEqual(lengths(manifest(units.length, change), ballots(units)), expected));
}

test('the place of each unit’s cell', () => {
  assert.deepEqual(cellOfUnit([{ first: 0, end: 1 }, { first: 1, end: 4 }, { first: 4, end: 5 }]), [0, 1, 1, 1, 2]);
});

// Properties, with completeness counted anew from the ballots.

function isComplete({ privacyMinimum, smallGroupsPublic }, counted, first, end) {
  const own = counted.filter(({ unit }) => first <= unit && unit < end);
  if (own.length === 0) return false;
  const large = (group) => own.filter((other) => group(other)).length >= privacyMinimum;
  return smallGroupsPublic || own.every((ballot) => large(({ style }) => style === ballot.style) && large(({ weight }) => weight === ballot.weight));
}

/** All partitions of so many units into runs, as lists of the runs' ends. */
const partitions = (units) =>
  Array.from({ length: 2 ** (units - 1) }, (_, cuts) => [...Array(units).keys()].filter((i) => i === units - 1 || (cuts >> i) & 1).map((i) => i + 1));

/** A generator of numbers, the same in each run. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('cells are a partition; each is complete, or there is one; step 1 and step 2 take no more units than they need', () => {
  const next = random(2026);
  const seen = new Set();
  for (let run = 0; run < 4000; run++) {
    const units = 1 + next(6);
    const m = manifest(units, { privacyMinimum: next(5), smallGroupsPublic: next(8) === 0 });
    const styles = 1 + next(3);
    const weights = 1 + next(2);
    const counted = Array.from({ length: next(14 * styles) }, () => ({ unit: next(units), style: next(styles), weight: BigInt(1 + next(weights)) }));
    const all = cells(m, counted);
    const what = JSON.stringify({ m, counted: counted.map(({ unit, style, weight }) => [unit, style, Number(weight)]), all });
    const complete = (first, end) => isComplete(m, counted, first, end);

    assert.equal(all[0].first, 0, what);
    assert.equal(all.at(-1).end, units, what);
    all.forEach(({ first, end }, i) => assert.ok(first < end && (i === 0 || first === all[i - 1].end), what));
    if (all.length > 1) assert.ok(all.every(({ first, end }) => complete(first, end)), what);

    // There is one that is not complete only if no partition into complete ones exists.
    const exists = partitions(units).some((ends) => ends.every((end, i) => complete(ends[i - 1] ?? 0, end)));
    assert.equal(all.every(({ first, end }) => complete(first, end)), exists, what);
    const groups = (of) => [...new Set(counted.map(of))].map((group) => counted.filter((ballot) => of(ballot) === group).length);
    const small = [...groups(({ style }) => style), ...groups(({ weight }) => weight)].some((size) => size < m.privacyMinimum);
    assert.equal(exists, counted.length > 0 && (m.smallGroupsPublic || !small), what);

    // All cells but the last are as short as they can be.
    for (const { first, end } of all.slice(0, -1)) {
      for (let earlier = first + 1; earlier < end; earlier++) assert.ok(!complete(first, earlier), what);
    }
    // The last begins where a run of step 1 begins, and at none that is later, unless that leaves it incomplete.
    const starts = [0];
    for (let end = 1; end < units; end++) if (complete(starts.at(-1), end)) starts.push(end);
    assert.equal(all.at(-1).first, starts.filter((start) => complete(start, units)).at(-1) ?? 0, what);
    seen.add(`${all.length}, ${starts.length > all.length ? 'joined' : 'as they came'}`);
  }
  assert.ok(seen.size >= 10, [...seen].join('; '));
});

test('whatever is computed from cells has of each group none or at least the minimum', () => {
  // Any sum of cells, so any difference of the election’s total and some cells’.
  const next = random(7);
  for (let run = 0; run < 500; run++) {
    const m = manifest(5);
    const counted = Array.from({ length: next(60) }, () => ({ unit: next(5), style: next(2), weight: BigInt(1 + next(2)) }));
    const all = cells(m, counted);
    if (!isComplete(m, counted, 0, 5)) continue; // withheld, or nobody
    for (let some = 1; some < 2 ** all.length; some++) {
      const taken = counted.filter(({ unit }) => (some >> all.findIndex(({ first, end }) => first <= unit && unit < end)) & 1);
      for (const of of [({ style }) => style, ({ weight }) => weight]) {
        for (const group of new Set(taken.map(of))) assert.ok(taken.filter((ballot) => of(ballot) === group).length >= 3);
      }
    }
  }
});

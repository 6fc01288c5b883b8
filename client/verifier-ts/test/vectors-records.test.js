// records.json: whole records, whether each verifies, the check that fails, and the totals (spec 9).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unhex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { vectors } from './support/vectors.js';

const totalsOf = (contests) => contests.map(({ options }) => options.map(({ total }) => Number(total)));

for (const { name, record, verified, failed, totals, cells } of vectors('records')) {
  test(`a record of the vectors: ${name}`, () => {
    const report = verify(unhex(record));
    assert.equal(report.verified, verified, JSON.stringify(report.fault));
    assert.equal(report.fault?.check ?? null, failed);
    assert.deepEqual(totalsOf(report.contests ?? []), totals);
    assert.deepEqual((report.cells ?? []).map(({ units, contests }) => ({ units, totals: totalsOf(contests) })), cells);
    if (!verified || report.outcome !== 'certified') return;
    for (const { number, verdict } of report.checks) assert.equal(verdict, number > 16 ? 'not applicable' : 'passed');
  });
}

// records.json: whole records, whether each verifies, the check that fails, and the totals (spec 9).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unhex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { vectors } from './support/vectors.js';

const totalsOf = (contests) => contests.map(({ options }) => options.map(({ total }) => Number(total)));

for (const { name, record, finality, verified, failed, title, rehearsal, totals, cells } of vectors('records')) {
  test(`a record of the vectors: ${name}`, () => {
    const report = verify(unhex(record), {}, finality ? { finality: unhex(finality) } : {});
    assert.equal(report.verified, verified, JSON.stringify(report.fault));
    assert.equal(report.fault?.check ?? null, failed);
    assert.equal(report.title ?? null, title);
    assert.equal(report.rehearsal && (report.rehearsal.heldBack ?? 0), rehearsal ?? undefined);
    assert.deepEqual(totalsOf(report.contests ?? []), totals);
    assert.deepEqual((report.cells ?? []).map(({ units, contests }) => ({ units, totals: totalsOf(contests) })), cells);
    if (!verified || report.outcome !== 'certified') return;
    const last = finality ? 17 : 16;
    for (const { number, verdict } of report.checks) assert.equal(verdict, number > last ? 'not applicable' : 'passed');
  });
}

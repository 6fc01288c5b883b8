// records.json: whole records, whether each verifies, the check that fails, and the totals (spec 9).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unhex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { vectors } from './support/vectors.js';

for (const { name, record, verified, failed, totals } of vectors('records')) {
  test(`a record of the vectors: ${name}`, () => {
    const report = verify(unhex(record));
    assert.equal(report.verified, verified, JSON.stringify(report.fault));
    assert.equal(report.fault?.check ?? null, failed);
    assert.deepEqual((report.contests ?? []).map(({ options }) => options.map(({ total }) => Number(total))), totals);
    if (verified && report.outcome === 'certified') assert.ok(report.checks.every(({ verdict }) => verdict === 'passed'));
  });
}

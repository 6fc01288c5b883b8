// The whole records of the vectors: whether each is verified, which check fails, and the totals.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verify } from '../dist/verify.js';

const folder = process.env.PSEPHOS_VECTORS ?? new URL('../../../docs/vectors', import.meta.url).pathname;

for (const { name, record, verified, failed, totals } of JSON.parse(readFileSync(`${folder}/records.json`, 'utf8'))) {
  test(`the record "${name}" ${verified ? 'is verified' : `fails check ${failed}`}`, () => {
    const report = verify(new Uint8Array(Buffer.from(record, 'hex')));
    const wrong = report.checks.find((check) => check.verdict === 'failed');
    assert.equal(report.verified, verified, JSON.stringify(report.fault));
    assert.equal(wrong?.number ?? null, failed, JSON.stringify(report.fault));
    if (verified) assert.deepEqual((report.contests ?? []).map((contest) => contest.options.map((option) => Number(option.total))), totals);
  });
}

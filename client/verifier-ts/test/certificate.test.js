// certificate.json: certificates beside records, which of them hold, and which rule the others break (spec 9.6, check 18).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import { slh_dsa_shake_192s } from '@noble/post-quantum/slh-dsa.js';
import { concat, hex, unhex, utf8 } from '../dist/bytes.js';
import { cautions } from '../dist/report.js';
import { verify } from '../dist/verify.js';
import { vectors } from './support/vectors.js';

const vector = vectors('certificate');
const records = new Map(vectors('records').map(({ name, record }) => [name, unhex(record)]));
const SIGNATURE = 16_224;
const good = unhex(vector.certificate);
const bytesOf = (pieces) => concat(...pieces.map((piece) => (piece === null ? good.subarray(-SIGNATURE) : unhex(piece))));
const verdictOf = (report) => report.checks[17].verdict;

/** The rules that the cases break, in their order. */
const BROKEN = {
  'beside another record': /^9\.6\.[2-5]$/,
  'beside a record without a result': /^9\.6\.[2-5]$/,
  'of another file': '9.6.5',
  'of another chain': '9.6.2',
  'of another election': '9.6.2',
  'of another result': '9.6.3',
  'with another last block: its number': '9.6.4',
  'with another last block: its hash': '9.6.4',
  'of another version': '9.6.1',
  'signed with another context': '9.6.6',
  'signed without a context': '9.6.6',
  'by another key, and the key is known': '9.6.7',
  'by another key than it names': '9.6.6',
  'another first byte': '9.6.1',
  'a bit of the key changed': '9.6.6',
  'the first bit of the signature changed': '9.6.6',
  'the last bit of the signature changed': '9.6.6',
  'the last byte is missing': '9.6.1',
  'a byte more': '9.6.1',
  empty: '9.6.1',
};

for (const { what, record, certificate, known, failed } of vector.cases) {
  test(`a certificate: ${what}`, () => {
    const fingerprint = known === null ? {} : { fingerprint: unhex(known) };
    const report = verify(records.get(record), fingerprint, { certificate: bytesOf(certificate) });
    assert.equal(report.fault?.check ?? null, failed, JSON.stringify(report.fault));
    assert.equal(report.verified, failed === null);
    if (failed === null) {
      assert.equal(verdictOf(report), 'passed');
      assert.equal(report.file, vector.sha256);
      assert.deepEqual(report.certificate, { fingerprint: vector.fingerprint, signature: hex(sha256(good.subarray(-SIGNATURE))) });
      assert.equal(cautions(report, fingerprint).some((text) => /fingerprint/.test(text)), known === null);
    } else {
      assert.match(report.fault.rule, BROKEN[what] instanceof RegExp ? BROKEN[what] : new RegExp(`^${BROKEN[what]}$`));
      assert.equal(verdictOf(report), 'failed');
      assert.equal(report.certificate, undefined);
    }
  });
}

test('the cases are those that are known here', () => {
  const names = vector.cases.filter(({ failed }) => failed !== null).map(({ what }) => what);
  assert.deepEqual(names, Object.keys(BROKEN));
});

test('the vector is the certificate of its record by its key', () => {
  const { publicKey, secretKey } = slh_dsa_shake_192s.keygen(unhex(vector.seeds));
  assert.equal(hex(publicKey), vector.key);
  assert.equal(hex(sha256(publicKey)), vector.fingerprint);
  assert.equal(hex(sha256(records.get(vector.record))), vector.sha256);
  assert.equal(hex(good), hex(concat(utf8('PSEPHOSC'), unhex(vector.message), publicKey, good.subarray(-SIGNATURE))));
  assert.ok(slh_dsa_shake_192s.verify(good.subarray(-SIGNATURE), unhex(vector.message), publicKey, { context: utf8(vector.context) }));
  assert.equal(secretKey.length, 96);
});

test('without a certificate check 18 does not apply, unless the key is known', () => {
  const record = records.get(vector.record);
  const without = verify(record);
  assert.ok(without.verified);
  assert.equal(verdictOf(without), 'not applicable');
  assert.equal(without.file, vector.sha256);
  const known = verify(record, { fingerprint: unhex(vector.fingerprint) });
  assert.equal(known.fault.check, 18);
  assert.equal(known.fault.rule, '9.6');
});

test('of a record that fails, the certificate is not looked at', () => {
  const report = verify(records.get(vector.record).subarray(0, -1), {}, { certificate: good });
  assert.equal(report.fault.check, 1);
  assert.equal(verdictOf(report), 'not reached');
});

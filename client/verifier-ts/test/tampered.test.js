// tampered.json: records with one thing changed, and the check that each must fail, or why it need not (spec 9).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, unhex } from '../dist/bytes.js';
import { verify } from '../dist/verify.js';
import { vectors } from './support/vectors.js';

const bases = new Map(
  vectors('records').map(({ name, record, finality }) => [name, { record: unhex(record), finality: unhex(finality ?? '') }]),
);

/** `edits` say where in `old` so many bytes are taken out, and what is put there. */
function edited(old, edits) {
  const parts = [];
  let at = 0;
  for (const [place, out, put] of edits) {
    parts.push(old.subarray(at, place), unhex(put));
    at = place + out;
  }
  return concat(...parts, old.subarray(at));
}

const knownOf = ({ genesis, eid, board } = {}) => ({
  ...(genesis && { genesis: unhex(genesis) }),
  ...(eid && { eid: unhex(eid) }),
  ...(board && { board: { members: board.members.map(unhex), threshold: board.threshold } }),
});

const cases = vectors('tampered');
const kindOf = ({ name }) => name.split(':')[0];

for (const kind of new Set(cases.map(kindOf))) {
  test(`tampered records: ${kind}`, () => {
    for (const { name, base, edits, finality, known, check, unnoticed, allowed } of cases.filter((other) => kindOf(other) === kind)) {
      const { record, finality: proof } = bases.get(base);
      const beside = finality && edited(proof, finality);
      const { verified, fault } = verify(edited(record, edits), knownOf(known), beside && { finality: beside });
      assert.equal(fault?.check, check, `${name}: ${JSON.stringify(fault)}`);
      assert.equal(verified, (unnoticed ?? allowed) !== undefined, name);
    }
  });
}

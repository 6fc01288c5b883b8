// The finality proof (spec 9.3, 9.5, check 17): what it shows, and every lie about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, unhex } from '../dist/bytes.js';
import { verifyEd25519 } from '../dist/ed25519.js';
import { checkFinality } from '../dist/finality.js';
import { ORDER, wideScalar } from '../dist/group.js';
import { compact } from '../dist/scale.js';
import { verify } from '../dist/verify.js';
import { run, runUntil } from './support/network.js';
import { scalarBytes } from './support/keys.js';
import * as v from './support/validators.js';

const chain = v.firstBlock(v.validatorList([1, 1, 1, 1]));
const last = { hash: new Uint8Array(32).fill(0x1a), height: 1000 };

/** The file about `last` that three of four validators signed; what is given is otherwise. */
function proof({ on = chain, signers = [0, 2, 3], after = 0, ancestry = 0, at, change = {}, file = {} } = {}) {
  const later = v.blocksAfter(last, after);
  const block = at ?? later.at(-1) ?? last;
  const above = v.blocksAfter(block, ancestry);
  const precommits = signers.map((i) => v.precommit(i, above.at(-1) ?? block));
  const justification = v.justification({ block, precommits, headers: above.map(({ header }) => header), ...change });
  return v.finality({ first: on.header, state: on.state, headers: later.map(({ header }) => header), justification, ...file });
}

const check = (file, { genesis = chain.genesis, of = last } = {}) => checkFinality(file, genesis, of);
const fails = (rule, file, context) => assert.throws(() => check(file, context), { name: 'Refused', rule });

// What holds.

test('the last block is final', () => check(proof()));
test('a block after the last is final', () => check(proof({ after: 3 })));
test('validators signed blocks after the one that is final', () => check(proof({ after: 2, ancestry: 3 })));
test('all validators signed, in any order', () => check(proof({ signers: [3, 1, 0, 2] })));

test('validators signed different blocks that lead to the one that is final', () => {
  const above = v.blocksAfter(last, 3);
  const fork = v.blocksAfter(above[0], 2, { stateRoot: new Uint8Array(32) });
  const precommits = [v.precommit(0, last), v.precommit(1, above[2]), v.precommit(2, fork[1]), v.precommit(3, above[1])];
  const headers = [...fork, ...above].map(({ header }) => header);
  check(proof({ change: { precommits, headers } }));
});

test('one validator alone', () => {
  const on = v.firstBlock(v.validatorList([1]));
  check(proof({ on, signers: [0] }), on);
});

// Two thirds.

for (const [weights, signers, holds] of [
  [[1, 1, 1], [0, 1], false],
  [[1, 1, 1], [0, 1, 2], true],
  [[1, 1, 1, 1], [0, 1], false],
  [[2, 3, 1], [0, 2], false],
  [[2, 3, 1], [1, 2], false],
  [[2, 3, 1], [0, 1], true],
  [[5, 1, 1], [0], true],
  [[4, 1, 1], [0], false],
  [[2n ** 32n - 1n, 2n ** 32n - 1n, 2n ** 32n - 1n], [0, 1], false],
  [[2n ** 32n - 1n, 2n ** 32n - 1n, 2n ** 31n], [0, 1], true],
  [[], [], false],
]) {
  test(`of weights ${weights.join(', ')} those of ${signers.join(', ')} are ${holds ? 'more' : 'not more'} than two thirds`, () => {
    const on = v.firstBlock(v.validatorList(weights));
    const file = proof({ on, signers });
    if (holds) check(file, on);
    else fails('9.3.4', file, on);
  });
}

test('a weight is below 2³²', () => {
  const on = v.firstBlock(v.validatorList([1, 2n ** 32n]));
  fails('1.4', proof({ on, signers: [0, 1] }), on);
});

// Lies.

const signers = (signers, block = last, round) => ({ change: { precommits: signers.map((i) => v.precommit(i, block, round)) } });
const tampered = (tamper) => {
  const precommits = [0, 1, 2, 3].map((i) => v.precommit(i, last));
  tamper(precommits);
  return { change: { precommits } };
};
const others = v.firstBlock(v.validatorList([1, 1, 1, 1], (i) => v.validator(i + 10).key));
const [next, afterNext] = v.blocksAfter(last, 2);
const [skipping] = v.blocksAfter({ hash: last.hash, height: 1004 }, 1);
const before = { hash: new Uint8Array(32).fill(0x19), height: 999 };

const LIES = {
  'another magic': ['9.5', { file: { magic: 'PSEPHOS1' } }],
  'another version': ['9.5', { file: { version: 2 } }],
  'another first block': ['9.5.1', { on: others }],
  'a changed header of the first block': ['9.5.1', { on: { ...chain, header: chain.header.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) } }],
  'no state': ['9.5.2', { file: { state: [] } }],
  'the state of another chain': ['9.5.2', { file: { state: others.state } }],
  'another list of validators in the state': ['9.5.2', { file: { state: [...chain.state.slice(0, -1), others.state.at(-1)] } }],
  'two thirds exactly, one of them twice': ['9.3.1', signers([0, 1, 2, 2])],
  'a vote twice': ['9.3.1', signers([0, 1, 2, 3, 3])],
  'two votes of one validator': ['9.3.1', tampered((all) => all.push({ ...v.precommit(0, next) }))],
  'another chain’s validators': ['9.3.1', signers([10, 11, 12])],
  'a vote of somebody else beside enough of validators': ['9.3.1', signers([0, 1, 2, 3, 10])],
  'a vote under another validator’s key': ['9.3.2', tampered((all) => (all[0].key = v.validator(1).key) && all.splice(1, 1))],
  'a vote of another round': ['9.3.2', signers([0, 1, 2], last, 6)],
  'a vote for another block': ['9.3.2', tampered((all) => (all[1].signature = v.precommit(1, next).signature))],
  'a changed signature': ['9.3.2', tampered((all) => (all[3].signature = all[3].signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte))))],
  'a signature whose scalar is not reduced': ['9.3.2', tampered((all) => (all[3].signature = unreduced(all[3].signature)))],
  'one bad signature beside enough good ones': ['9.3.2', tampered((all) => (all[0].signature = new Uint8Array(64)))],
  'votes for a block that does not lead there': ['9.3.3', signers([0, 1, 2], next)],
  'votes for a block of which a header between is missing': ['9.3.3', { change: { precommits: [0, 1, 2].map((i) => v.precommit(i, afterNext)), headers: [afterNext.header] } }],
  'votes for a block before': ['9.3.3', signers([0, 1, 2], before)],
  'votes for the block at another height': ['9.3.3', signers([0, 1, 2], { ...last, height: 1001 })],
  'votes for a later block at another height': ['9.3.3', { change: { precommits: [0, 1, 2].map((i) => v.precommit(i, { ...next, height: 1002 })), headers: [next.header] } }],
  'votes for a later block that skips a height': ['9.3.3', { change: { precommits: [0, 1, 2].map((i) => v.precommit(i, skipping)), headers: [skipping.header] } }],
  'a block before is final': ['9.5.3', { at: before }],
  'a block after is final, whose header is missing': ['9.5.3', { at: next }],
  'another block of the height is final': ['9.5.3', { at: { ...last, hash: before.hash } }],
  'the block at another height is final': ['9.5.3', { at: { ...last, height: 1001 } }],
  'a header is missing before the final block': ['9.5.3', { at: afterNext, file: { headers: [afterNext.header] } }],
  'headers in another order': ['9.5.3', { at: next, file: { headers: [afterNext.header, next.header] } }],
  'a header too many': ['9.5.3', { at: next, file: { headers: [next.header, afterNext.header] } }],
  'a header that names another parent': ['9.5.3', skipped({ parent: before.hash, height: 1001 })],
  'a header that skips a height': ['9.5.3', skipped({ parent: last.hash, height: 1002 })],
};

function skipped({ parent, height }) {
  const [block] = v.blocksAfter({ hash: parent, height: height - 1 }, 1);
  return { at: block, file: { headers: [block.header] } };
}

function unreduced(signature) {
  let scalar = ORDER;
  for (let i = 0; i < 32; i++) scalar += BigInt(signature[32 + i]) << BigInt(8 * i);
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[i] = Number((scalar >> BigInt(8 * i)) & 255n);
  return concat(signature.subarray(0, 32), bytes);
}

for (const [name, [rule, lie]] of Object.entries(LIES)) {
  test(`a finality proof does not hold: ${name}`, () => fails(rule, proof(lie)));
}

test('it is of another chain, or of another record', () => {
  fails('9.5.1', proof(), { genesis: others.genesis });
  fails('9.5.3', proof(), { of: next });
});

test('a list of validators that is none', () => {
  const key = (i) => v.validator(i).key;
  for (const [rule, list] of [
    ['9.3', v.validatorList([1, 1, 1], (i) => key(i % 2))],
    ['9.3', v.validatorList([1, 1, 0])],
    ['2.2', concat(v.validatorList([1, 1, 1]), Uint8Array.of(0))],
    ['2.2', v.validatorList([1, 1, 1]).slice(0, -1)],
    ['1.4', v.validatorList(Array(1025).fill(1), () => new Uint8Array(32))],
  ]) {
    const on = v.firstBlock(list);
    fails(rule, proof({ on, signers: [0, 1, 2] }), on);
  }
  const none = v.firstBlock(v.validatorList([1, 1, 1]));
  fails('9.5.2', proof({ on: { ...none, state: none.state.slice(0, -1) } }), none);
});

test('bytes that are left over, missing, or another encoding', () => {
  const file = proof({ after: 1, ancestry: 1 });
  check(file);
  fails('2.2', concat(file, Uint8Array.of(0)));
  for (let length = 0; length < file.length; length += 3) fails(/^(2\.2|9\.5|9\.1)$/, file.subarray(0, length));
  const justification = concat(v.justification({ block: last, precommits: [0, 1, 2].map((i) => v.precommit(i, last)) }), Uint8Array.of(0));
  fails('2.2', proof({ file: { justification } }));
  fails('9.5.1', proof({ on: { ...chain, header: concat(chain.header, Uint8Array.of(0)) } }));
});

test('what is longer than it may be is refused before it is read', () => {
  fails('1.4', new Uint8Array(8 * 1024 * 1024 + 1));
  fails('1.4', proof({ file: { state: Array(1025).fill(new Uint8Array()) } }));
  fails('1.4', proof({ change: { precommits: Array(1025).fill(v.precommit(0, last)) } }));
  fails('2.2', concat(proof().subarray(0, 10), Uint8Array.of(0xfe, 0xff, 0xff, 0x01)));
  // Millions of headers without a byte.
  const headless = proof({ file: { headers: [], justification: new Uint8Array() } }).slice(0, -2);
  fails('2.2', concat(headless, compact(5_000_000), new Uint8Array(5_000_000)));
});

test('every changed byte is noticed', () => {
  const file = proof({ after: 1, ancestry: 1 });
  for (let i = 0; i < file.length; i += 7) {
    const changed = file.slice();
    changed[i] ^= 1 << (i % 8);
    assert.throws(() => check(changed), { name: 'Refused' }, `byte ${i}`);
  }
});

// Ed25519.

const message = new Uint8Array(53).fill(9);
const { seed, key } = v.validator(0);
const signature = ed25519.sign(message, seed);

test('Ed25519: the test vector of RFC 8032 with two bytes', () => {
  const key = unhex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
  const signature = unhex(
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  );
  assert.ok(verifyEd25519(key, unhex('af82'), signature));
  assert.ok(!verifyEd25519(key, unhex('af83'), signature));
});

test('Ed25519: a key of small order signs nothing', () => {
  // With S = 0 and R = A the equation holds under such a key wherever k = −1 modulo its order.
  const { Point } = ed25519;
  let met = 0;
  for (const small of smallOrder()) {
    for (let i = 0; i < 40; i++) {
      const message = new Uint8Array(53).fill(i);
      for (const r of smallOrder()) {
        assert.ok(!verifyEd25519(small.toBytes(), message, concat(r.toBytes(), new Uint8Array(32))));
        if (ed25519.verify(concat(r.toBytes(), new Uint8Array(32)), message, small.toBytes(), { zip215: true })) met++;
      }
    }
  }
  assert.ok(met > 0, 'others would take some of them');
  assert.ok(verifyEd25519(key, message, signature));
  assert.ok(!Point.fromBytes(key).isSmallOrder());
});

/** The eight points of small order. */
function smallOrder() {
  const { Point } = ed25519;
  // A point of order 8, from any point by the group's order.
  for (let y = 2; ; y++) {
    const bytes = new Uint8Array(32);
    bytes[0] = y;
    let point;
    try {
      point = Point.fromBytes(bytes);
    } catch {
      continue;
    }
    let torsion = Point.ZERO;
    for (const bit of ORDER.toString(2)) torsion = bit === '1' ? torsion.double().add(point) : torsion.double();
    if (torsion.double().double().is0()) continue;
    const all = [Point.ZERO];
    while (all.length < 8) all.push(all.at(-1).add(torsion));
    return all;
  }
}

test('Ed25519: a part of small order makes another signature, key or commitment', () => {
  const { Point } = ed25519;
  const [, torsion] = smallOrder();
  const scalar = 7n;
  for (const [a, r] of [[torsion, Point.ZERO], [Point.ZERO, torsion]]) {
    // The signer of a key with such a part; the equation holds up to the cofactor.
    const mixed = Point.BASE.multiply(scalar).add(a).toBytes();
    const commitment = Point.BASE.multiply(11n).add(r).toBytes();
    for (let i = 0; i < 8; i++) {
      const message = new Uint8Array(53).fill(i);
      const k = wideScalar(sha512(concat(commitment, mixed, message)));
      const s = scalarBytes(11n + k * scalar);
      const exact = Point.BASE.multiplyUnsafe((11n + k * scalar) % ORDER).equals(Point.fromBytes(commitment).add(Point.fromBytes(mixed).multiplyUnsafe(k)));
      assert.ok(ed25519.verify(concat(commitment, s), message, mixed, { zip215: true }), 'with the cofactor it holds');
      assert.equal(verifyEd25519(mixed, message, concat(commitment, s)), exact);
    }
  }
});

test('Ed25519: a commitment of small order, and encodings that are not canonical', () => {
  const { Point } = ed25519;
  // The identity as a commitment, whose logarithm everybody knows: the equation holds whatever bytes encode it.
  const sign = (commitment) => {
    const secret = 7n;
    const key = Point.BASE.multiply(secret).toBytes();
    const k = wideScalar(sha512(concat(commitment, key, message)));
    return [key, message, concat(commitment, scalarBytes(k * secret))];
  };
  // It is of small order, in whatever encoding.
  const [signer, signed, byIdentity] = sign(Point.ZERO.toBytes());
  assert.ok(ed25519.verify(byIdentity, signed, signer, { zip215: true }), 'others would take it');
  assert.ok(!verifyEd25519(signer, signed, byIdentity));
  // p + 1 for 1; and 1 with the sign that zero has not.
  for (const encoding of ['ee' + 'ff'.repeat(30) + '7f', '01' + '00'.repeat(30) + '80']) {
    assert.ok(!verifyEd25519(...sign(unhex(encoding))), encoding);
    assert.ok(!verifyEd25519(unhex(encoding), message, concat(Point.ZERO.toBytes(), new Uint8Array(32))), encoding);
  }
  assert.ok(!verifyEd25519(key, message, unreduced(signature)));
});

// The whole verification.

const verdictOf = (report, number) => report.checks[number - 1].verdict;

test('check 17 is passed with a proof, and does not apply without', () => {
  const network = run({}, {}, chain.genesis);
  const of = (file, known) => verify(network.record(), known, { finality: file });
  const block = { hash: network.hash, height: network.height };
  const precommits = [0, 1, 2].map((i) => v.precommit(i, block));
  const justification = v.justification({ block, precommits });
  const file = v.finality({ first: chain.header, state: chain.state, justification });

  const good = of(file);
  assert.ok(good.verified, JSON.stringify(good.fault));
  assert.ok(good.checks.slice(0, 17).every(({ verdict }) => verdict === 'passed'));

  const without = of();
  assert.ok(without.verified);
  assert.equal(verdictOf(without, 17), 'not applicable');

  for (const changed of [new Uint8Array(), file.subarray(0, -1), file.map((byte, i) => (i === file.length - 1 ? byte ^ 1 : byte))]) {
    const bad = of(changed);
    assert.ok(!bad.verified);
    assert.equal(bad.fault.check, 17);
    assert.equal(bad.fault.object, `block ${network.height}`);
    assert.equal(bad.contests, undefined);
    assert.ok(bad.checks.slice(0, 16).every(({ verdict }) => verdict === 'passed'));
    assert.equal(verdictOf(bad, 17), 'failed');
  }

  const ofAnother = of(file, { genesis: new Uint8Array(32) });
  assert.equal(ofAnother.fault.check, 3);
  assert.equal(verdictOf(ofAnother, 17), 'not reached');
});

test('check 17 of a voided election', () => {
  const network = runUntil({ setup: (n) => n.block(n.void()) }, {}, chain.genesis);
  const block = { hash: network.hash, height: network.height };
  const justification = v.justification({ block, precommits: [0, 1, 2].map((i) => v.precommit(i, block)) });
  const report = verify(network.record(), {}, { finality: v.finality({ first: chain.header, state: chain.state, justification }) });
  assert.ok(report.verified);
  assert.equal(verdictOf(report, 14), 'not applicable');
  assert.equal(verdictOf(report, 17), 'passed');
});

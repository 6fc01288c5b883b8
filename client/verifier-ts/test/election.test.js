// election.json: manifest, identifier, generators, signatures and invitations (spec 2 to 4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argon2id } from '@noble/hashes/argon2.js';
import { concat, hex, unhex, utf8 } from '../dist/bytes.js';
import * as codes from '../dist/codes.js';
import * as generators from '../dist/generators.js';
import { B_BLINDING } from '../dist/group.js';
import { identifier, manifest, validate } from '../dist/manifest.js';
import { Decoder, u32 } from '../dist/scale.js';
import { verify } from '../dist/signature.js';
import { ROLE, signed } from '../dist/transcript.js';
import * as encode from './support/encode.js';
import { keypair, sign } from './support/keys.js';
import { vectors } from './support/vectors.js';

const election = vectors('election');
const bytes = unhex(election.manifest);
const decode = () => Decoder.whole(bytes, manifest);

test('the generators derived anew have the digest', () => {
  assert.equal(hex(generators.digest()), election.generators);
  assert.equal(generators.widest(0), 64);
  assert.equal(generators.widest(63), 64);
  assert.equal(generators.widest(64), 32);
  assert.equal(generators.widest(4095), 1);
  assert.notEqual(hex(B_BLINDING.toBytes()), '00'.repeat(32));
});

test('the manifest is the canonical encoding of what it says, and keeps the rules', () => {
  assert.equal(hex(encode.manifest(decode())), election.manifest);
  validate(decode(), unhex(election.generators));
});

test('genesis, number and manifest give the identifier', () => {
  assert.equal(hex(identifier(unhex(election.genesis), election.number, bytes)), election.eid);
  assert.notEqual(hex(identifier(unhex(election.genesis), election.number + 1, bytes)), election.eid);
});

test('a seed gives the signing key', () => {
  assert.equal(hex(keypair(unhex(election['signing key'].seed)).public), election['signing key'].public);
});

const key = unhex(election['signing key'].public);

test('there is a signature in each role', () => {
  assert.deepEqual(election.signatures.map(({ role }) => role), Object.values(ROLE));
  assert.equal(election.signatures.length, 13);
});

for (const { role, index, payload, message, signature } of election.signatures) {
  test(`the signature in role ${role} is over its message and no other`, () => {
    const of = (role, index) => signed(role, unhex(election.genesis), unhex(election.eid), index, unhex(payload));
    assert.equal(hex(of(role, index)), message);
    assert.ok(verify(key, unhex(message), unhex(signature)));
    assert.ok(!verify(key, of(role + 1, index), unhex(signature)));
    assert.ok(!verify(key, of(role, index + 1), unhex(signature)));
    for (const position of [0, 31, 32, 62, 63]) {
      const changed = unhex(signature);
      changed[position] ^= position === 63 ? 0x80 : 1;
      assert.ok(!verify(key, unhex(message), changed), `byte ${position}`);
    }
  });
}

test('no signature under the identity is good', () => {
  const nobody = { ...keypair(new Uint8Array(32)), secret: 0n, public: new Uint8Array(32) };
  const message = new Uint8Array(64);
  assert.ok(!verify(nobody.public, message, sign(nobody, message)));
});

test('a scalar that is not reduced is no signature', () => {
  const { message, signature } = election.signatures[0];
  const bytes = unhex(signature);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  bytes[63] &= 0x7f;
  let s = bytes.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + order;
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 255n);
  bytes[63] |= 0x80;
  assert.ok(!verify(key, unhex(message), bytes));
});

const { code, keys } = election.invitation;
const values = codes.read('invitation code', code, 16);

test('an invitation code is read however it is typed', () => {
  assert.equal(codes.write('invitation code', values), code);
  const typed = code.toLowerCase().replace(/-/g, ' ').replace(/0/g, 'o').replace(/1/g, 'l');
  assert.deepEqual(codes.read('invitation code', typed, 16), values);
  assert.equal(codes.read('invitation code', code.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 16), undefined);
  assert.equal(codes.read('tracking code', code, 16), undefined);
});

for (const { channel, seed, public: expected } of keys) {
  test(`the invitation code gives the key of channel ${channel}`, () => {
    const salt = concat(utf8('psephos invitation v1'), unhex(election.eid), u32(channel));
    const derived = argon2id(values, salt, { t: 2, m: 8192, p: 1, dkLen: 32, version: 0x13 });
    assert.equal(hex(derived), seed);
    assert.equal(hex(keypair(derived).public), expected);
  });
}

// Each of these breaks one rule of 3.1.
const more = (change) => {
  const fields = structuredClone(decode());
  change(fields);
  return fields;
};
const broken = {
  'another version': (m) => (m.version = 2),
  'no contest': (m) => ((m.contests = []), (m.styles = [])),
  'a contest without options': (m) => (m.contests[1].options = []),
  'a rule that asks for more than there is': (m) => (m.contests[1].maxSum = 9),
  'a rule with min above max': (m) => (m.contests[1].minSum = 9),
  'a rule of nothing': (m) => (m.contests[1].maxEach = 0),
  'a single option that follows from itself': (m) => Object.assign(m.contests[1], { options: ['a'], minSum: 1, maxSum: 1 }),
  'no style': (m) => (m.styles = []),
  'a style without contests': (m) => (m.styles[0].contests = []),
  'a style with an unknown contest': (m) => (m.styles[0].contests = [0, 3]),
  'a style with contests out of order': (m) => (m.styles[0].contests = [1, 0]),
  'a style with a contest twice': (m) => (m.styles[0].contests = [1, 1]),
  'too many range bits': (m) => {
    m.contests[1] = { ...m.contests[1], options: Array(100).fill('a'), maxEach: 2 ** 31, minSum: 0, maxSum: 2 ** 32 - 1 };
  },
  'no unit': (m) => (m.units = []),
  'totals by unit of more than 4,096 sums': (m) => byUnit(m, 17),
  'a rehearsal that holds back a trustee who is not there': (m) => (m.rehearsal = 5),
  'a rehearsal that holds back nobody, where the quorum needs not all': (m) => (m.rehearsal = 0),
  'a rehearsal that holds back a trustee whom the quorum needs': (m) => Object.assign(m, { quorum: 4, rehearsal: 4 }),
  'no weight': (m) => (m.weights = []),
  'a weight of zero': (m) => (m.weights = [0n, 1n]),
  'weights out of order': (m) => (m.weights = [3n, 1n]),
  'a weight twice': (m) => (m.weights = [1n, 1n]),
  'no voters': (m) => (m.maxVoters = 0),
  'too many voters': (m) => (m.maxVoters = 10_000_001),
  'no ballots': (m) => (m.maxBallots = 0),
  'too many ballots': (m) => (m.maxBallots = 33),
  'a KEM key twice': (m) => (m.trustees[1].kemKey = m.trustees[0].kemKey),
  'a threshold of one': (m) => (m.threshold = 1),
  'a threshold of all': (m) => ((m.threshold = 4), (m.quorum = 4)),
  'a quorum too small': (m) => (m.quorum = 2),
  'a quorum above all': (m) => (m.quorum = 5),
  'a board without a threshold': (m) => (m.board.threshold = 0),
  'a board of more than it has': (m) => (m.board.threshold = 4),
  'a board member twice': (m) => (m.board.members[1] = m.board.members[0]),
  'no registrar': (m) => (m.registrars = []),
  'a board member who is registrar': (m) => (m.registrars = [m.board.members[0]]),
  'a trustee who is registrar': (m) => (m.registrars = [m.trustees[2].signingKey]),
  'a close that is not later': (m) => (m.closesAt = m.opensAt),
  'totals that could pass 64 bits': (m) => (m.weights = [1n, 2n ** 64n / (1000n * 8n) + 1n]),
  'other generators': (m) => (m.generators[0] ^= 1),
};

/** Totals by unit of 256 units and so many columns. */
function byUnit(m, columns) {
  const contests = [{ title: 'a', options: Array(columns).fill('a'), maxEach: 1, minSum: 0, maxSum: 1 }];
  Object.assign(m, { byUnit: true, units: Array(256).fill('a'), contests, styles: [{ name: 'a', contests: [0] }] });
}

const allowed = {
  'totals by unit of 4,096 sums': (m) => byUnit(m, 16),
  'as many options and units as there can be': (m) => (byUnit(m, 128), (m.byUnit = false)),
  'a rehearsal that holds back the first trustee': (m) => (m.rehearsal = 1),
  'a rehearsal that holds back the last trustee': (m) => (m.rehearsal = 4),
  'a rehearsal that holds back nobody, where the quorum needs all': (m) => Object.assign(m, { quorum: 4, rehearsal: 0 }),
};

test('the manifest can take the largest weight that keeps totals below 2^64', () => {
  validate(more((m) => (m.weights = [1n, 2n ** 64n / (1000n * 8n)])), unhex(election.generators));
});

for (const [name, change] of Object.entries(allowed)) {
  test(`a manifest with ${name} keeps the rules, and is read as it is written`, () => {
    const changed = more(change);
    validate(changed, unhex(election.generators));
    assert.deepEqual(Decoder.whole(encode.manifest(changed), manifest), changed);
  });
}

test('whether totals are by unit and it is a rehearsal stands before the generators', () => {
  const written = (change) => hex(encode.manifest(more(change))).slice(0, -64);
  const plain = written((m) => Object.assign(m, { byUnit: false, rehearsal: undefined }));
  assert.ok(plain.endsWith('0000'));
  assert.equal(written((m) => Object.assign(m, { byUnit: true, rehearsal: undefined })), plain.slice(0, -4) + '0100');
  assert.equal(written((m) => Object.assign(m, { byUnit: false, rehearsal: 3 })), plain.slice(0, -4) + '000103');
  const other = (bytes) => () => Decoder.whole(unhex(plain.slice(0, -4) + bytes + election.generators), manifest);
  other('000103')();
  for (const bytes of ['0200', '0002', '00', '0001', '000203']) assert.throws(other(bytes), { rule: '2.2' }, bytes);
});

for (const [name, change] of Object.entries(broken)) {
  test(`a manifest with ${name} is refused`, () => {
    assert.throws(() => validate(more(change), unhex(election.generators)), { rule: '3.1' });
  });
}

// The decoder takes exactly one encoding of each value (spec 2.2), within the bounds (spec 1.4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, hex, unhex } from '../dist/bytes.js';
import { Decoder, compact } from '../dist/scale.js';

const refused = { name: 'Refused' };
const whole = (bytes, structure) => Decoder.whole(typeof bytes === 'string' ? unhex(bytes) : bytes, structure);

test('compact numbers, at the edges of their forms', () => {
  for (const [value, bytes] of [
    [0, '00'],
    [63, 'fc'],
    [64, '0101'],
    [16383, 'fdff'],
    [16384, '02000100'],
    [2 ** 30 - 1, 'feffffff'],
    [2 ** 30, '0300000040'],
    [2 ** 32 - 1, '03ffffffff'],
  ]) {
    assert.equal(hex(compact(value)), bytes);
    assert.equal(whole(bytes, (d) => d.compact()), value);
  }
});

test('compact numbers in a longer form than they need', () => {
  for (const bytes of ['0100', 'fd00', '02000000', 'feff0000', '0300000000', '03ffffff3f', '070000000001']) {
    assert.throws(() => whole(bytes, (d) => d.compact()), refused, bytes);
  }
});

test('truth values, text, and what is left over or missing', () => {
  assert.equal(whole('01', (d) => d.bool()), true);
  assert.throws(() => whole('02', (d) => d.bool()), refused);
  assert.throws(() => whole('0000', (d) => d.bool()), refused);
  assert.throws(() => whole('', (d) => d.u8()), refused);
  assert.throws(() => whole('000000', (d) => d.u32()), refused);
});

test('text that is not UTF-8 is read, and known as such within its structure alone', () => {
  const two = (d) => [d.withTexts((d) => d.text(3)), d.withTexts((d) => d.text(3))];
  const text = (hex) => concat(compact(hex.length / 2), unhex(hex));
  for (const [bytes, value] of [['e282ac', '€'], ['efbbbf', '\ufeff']]) {
    assert.deepEqual(whole(text(bytes), (d) => d.withTexts((d) => d.text(3))), [value, true]);
  }
  for (const bytes of ['c080', 'eda080', 'ff']) {
    const [[, first], [, second]] = whole(concat(text(bytes), text('61')), two);
    assert.deepEqual([first, second], [false, true], bytes);
    const [, outer] = whole(concat(text(bytes), text('61')), (d) => d.withTexts((d) => [d.text(3), d.text(3)]));
    assert.equal(outer, false, bytes);
  }
  assert.throws(() => whole(text('61616161'), (d) => d.text(3)), { rule: '1.4' });
});

test('a list longer than its bound is refused before its items are looked at', () => {
  assert.throws(() => whole(compact(17), (d) => d.list(16, () => assert.fail('an item was read'))), { rule: '1.4' });
  assert.throws(() => whole(compact(2 ** 32 - 1), (d) => d.blob(1056)), { rule: '1.4' });
  assert.equal(whole(concat(compact(16), new Uint8Array(16)), (d) => d.list(16, (d) => d.u8())).length, 16);
});

test('a list that claims more than is there is refused without room for it', () => {
  assert.throws(() => whole(compact(8_000_000), (d) => d.list(8_388_608, (d) => d.id())), refused);
});

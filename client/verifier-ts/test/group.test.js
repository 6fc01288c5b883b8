// Sums of products in the group, against one product at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha512 } from '@noble/hashes/sha2.js';
import { B, IDENTITY, isIdentity, mod, multiply, ORDER, sumOfProducts, uniformPoint, wideScalar } from '../dist/group.js';

const bytes = (i) => sha512(Uint8Array.of(i & 255, i >> 8));
const points = Array.from({ length: 300 }, (_, i) => uniformPoint(bytes(i)));
const naive = (points, scalars) => points.reduce((sum, point, i) => sum.add(multiply(point, scalars[i])), IDENTITY);

test('a sum of products is that of the single products, for any number of points', () => {
  for (const count of [0, 1, 2, 3, 7, 20, 60, 300]) {
    const some = points.slice(0, count);
    const scalars = some.map((_, i) => wideScalar(bytes(1000 + i)) >> BigInt(i % 3 === 0 ? 125 : 0));
    assert.ok(sumOfProducts(some, scalars).equals(naive(some, scalars)), `${count} points`);
  }
});

test('scalars at the ends, and digits that carry', () => {
  const ends = [0n, 1n, 2n, ORDER - 1n, ORDER - 2n, 2n ** 252n, 2n ** 252n - 1n, 2n ** 128n - 1n, 2n ** 251n + 2n ** 250n, mod(-(2n ** 128n))];
  for (const scalar of ends) {
    for (const count of [1, 5, 40]) {
      const some = points.slice(0, count);
      const scalars = some.map(() => scalar);
      assert.ok(sumOfProducts(some, scalars).equals(naive(some, scalars)), `${scalar} of ${count}`);
    }
  }
});

test('a sum that is the identity, with the identity and the same point among its points', () => {
  const s = wideScalar(bytes(7));
  assert.ok(isIdentity(sumOfProducts([B, B, IDENTITY], [s, ORDER - s, 5n])));
  assert.ok(!isIdentity(sumOfProducts([B, B, IDENTITY], [s, ORDER - s - 1n, 5n])));
  assert.ok(isIdentity(sumOfProducts([B, B.negate()], [s, s])));
});
